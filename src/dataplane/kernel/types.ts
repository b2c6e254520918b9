import type { Clock } from '../../machinery/clock.js';
import type { Family, Packet, Protocol } from '../packet.js';
import type { ConntrackEntry, FlowState, UdpServicePort } from './flow.js';
import type { HookFunction } from './hooks.js';
import type { Ipsets } from './ipset/ipsets.js';
import type { Ipvs } from './ipvs/ipvs.js';
import type { Nftables } from './nftables/nftables.js';
import type { Program } from './program.js';
import type { RouteTable } from './routes.js';
import type { KernelStep } from './step.js';
import type { Xtables } from './xtables/xtables.js';

export interface Evaluation {
  readonly verdict: 'accept' | 'drop' | 'reject';
  /** With reject: the ICMP error or "tcp-reset". */
  readonly rejectWith?: string;
  /** As it left POSTROUTING, or was delivered to a local socket, or where it was stopped. */
  readonly packet: Packet;
  /** Where it went: to a socket of this node or out of an interface. */
  readonly delivery: 'local' | 'forward';
  readonly state: FlowState;
  readonly entry: ConntrackEntry | undefined;
  readonly trace: readonly KernelStep[];
}

export interface ConnectRequest {
  readonly proto: Protocol;
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  /** 'prerouting' for a packet that comes in from a Pod or another node, 'output' for one made on this node. */
  readonly hook: 'prerouting' | 'output';
  readonly inInterface?: string;
  /** Default 60. */
  readonly size?: number;
  /** In [0, 1): decides what chance decides for this packet, in place of the kernel's own. */
  readonly random?: () => number;
  /** Changes nothing: no counters, no conntrack entry, no recent list. For a trace of a packet that is never sent. */
  readonly dryRun?: boolean;
}

export interface Connection extends Evaluation {
  /** Sends one packet back (TCP: the SYN/ACK on first use) and returns its way: source translated back, and its trace. */
  reply(size?: number): Evaluation;
  /** Sends one more packet in the original direction; keeps a UDP flow alive. */
  send(size?: number): Evaluation;
  /** TCP: FIN both ways, the entry goes to TIME_WAIT (120 s). UDP: leaves the entry to its timeout. */
  close(): void;
}

export interface KernelOptions {
  readonly clock: Clock;
  /** In [0, 1), as Math.random. */
  readonly random: () => number;
  /** Whose addresses are this node's, and where everything else goes. */
  readonly routes: RouteTable;
  /**
   * What the CNI plugin masquerades when it leaves the node, besides the rules: kindnet does it in an nftables table of its
   * own, before iptables' nat table, so iptables-save does not show it.
   */
  readonly masquerades?: (packet: { readonly src: string; readonly dst: string }) => boolean;
  /** What else on the node looks at packets, beside what programs are loaded into. */
  readonly hooks?: readonly HookFunction[];
}

/** The network stack of one node and IP family: hooks, connection tracking, NAT, routes, and what programs are loaded into. */
export interface Kernel {
  readonly family: Family;
  readonly clock: Clock;
  readonly routes: RouteTable;
  readonly xtables: Xtables;
  readonly nftables: Nftables;
  readonly ipsets: Ipsets;
  readonly ipvs: Ipvs;
  /** Loads what `Proxier.sync()` returned, all or nothing. Throws NetfilterError and changes nothing on a bad program. */
  load(program: Program): void;
  /** How often something was loaded: whoever reads the rules in steps learns that they have changed. */
  readonly loads: number;
  connect(request: ConnectRequest): Connection;
  evaluate(packet: Packet, context: { hook: 'prerouting' | 'output'; dryRun?: boolean }): Evaluation;
  conntrack(): readonly ConntrackEntry[];
  /** Forgets a flow, as conntrack -D does; what it carried is a new one. */
  forget(entry: ConntrackEntry): void;
  /** Returns the number of flows deleted. */
  cleanupUdp(services: readonly UdpServicePort[]): number;
}
