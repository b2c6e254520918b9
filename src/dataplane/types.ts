import type { Clock } from '../machinery/clock.js';
import type { DeepReadonly, EndpointSlice, Service } from '../machinery/types.js';

export type { Family } from '../machinery/ip.js';
import type { Family } from '../machinery/ip.js';
export type Protocol = 'tcp' | 'udp' | 'sctp';
export type ProxyMode = 'iptables';
export type TableName = 'raw' | 'mangle' | 'nat' | 'filter';
/** The five netfilter hooks, in lower case; the built-in chains are the same words in upper case. */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
export type CtState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED' | 'SNAT' | 'DNAT';

/** The API object that caused a rule; the trace prints it. */
export interface Origin {
  readonly kind: 'Service' | 'EndpointSlice' | 'Node' | 'Proxy';
  readonly namespace?: string;
  readonly name: string;
  /** Service port name, or its number when it has none. */
  readonly port?: string;
  /** "ip:port" of the endpoint behind the rule. */
  readonly endpoint?: string;
}

interface Invertible {
  /** True: matches when the condition does not hold ("!"). */
  readonly invert?: boolean;
}

/** One condition of a rule. All must hold. Addresses are canonical text, a CIDR may omit its full-length prefix. */
export type Match =
  | { readonly kind: 'comment'; readonly text: string }
  | ({ readonly kind: 'source' | 'destination'; readonly cidr: string } & Invertible)
  | ({ readonly kind: 'inInterface' | 'outInterface'; readonly name: string } & Invertible)
  | ({ readonly kind: 'protocol'; readonly protocol: Protocol | 'icmp' | 'ipv6-icmp' } & Invertible)
  /** `-m tcp`: loads the module the ports belong to. */
  | { readonly kind: 'l4'; readonly protocol: Protocol }
  | ({ readonly kind: 'sourcePort' | 'destinationPort'; readonly from: number; readonly to: number } & Invertible)
  | ({ readonly kind: 'conntrack'; readonly states: readonly CtState[] } & Invertible)
  | ({ readonly kind: 'mark'; readonly value: number; readonly mask: number } & Invertible)
  | ({ readonly kind: 'addrtype'; readonly side: 'src' | 'dst'; readonly type: AddressType } & Invertible)
  | ({ readonly kind: 'physdevIsIn' } & Invertible)
  /** Probability in [0, 1]. */
  | ({ readonly kind: 'statistic'; readonly probability: number } & Invertible)
  | ({
      readonly kind: 'recent';
      readonly name: string;
      readonly action: 'set' | 'rcheck' | 'update' | 'remove';
      readonly seconds?: number;
      readonly reap?: boolean;
    } & Invertible);

export type AddressType = 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';

/** What a rule does to a packet that matches. `none` only counts it. */
export type Verdict =
  | { readonly kind: 'none' | 'accept' | 'drop' | 'return' | 'notrack' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'reject'; readonly with?: string }
  /** mark = (mark & ~mask) ^ value for `set`; `or` sets the bits of value, `xor` flips them, `and` keeps them. */
  | { readonly kind: 'mark'; readonly op: 'set' | 'or' | 'xor' | 'and'; readonly value: number; readonly mask: number }
  | { readonly kind: 'dnat' | 'snat'; readonly address: string; readonly port?: number }
  | { readonly kind: 'redirect'; readonly port?: number }
  | { readonly kind: 'masquerade'; readonly randomFully: boolean };

export interface Rule {
  readonly kind: 'rule';
  readonly chain: string;
  /** In the order in which iptables-restore reads them. */
  readonly matches: readonly Match[];
  readonly verdict: Verdict;
  readonly origin?: Origin;
}

export interface ChainDeletion {
  readonly kind: 'deleteChain';
  readonly chain: string;
}

/** What one `*table ... COMMIT` block of iptables-restore does: declare and flush chains, then run the commands. */
export interface TableProgram {
  readonly table: TableName;
  readonly chains: readonly string[];
  readonly commands: readonly (Rule | ChainDeletion)[];
}

/** A rule that must exist in a built-in chain: checked (`-C`) and otherwise inserted on top (`-I`). */
export interface Jump {
  readonly table: TableName;
  readonly rule: Rule;
}

export interface IpSet {
  readonly name: string;
  readonly type: string;
  readonly entries: readonly { readonly value: string; readonly origin?: Origin }[];
}

export interface VirtualServer {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly scheduler: string;
  readonly persistentSeconds?: number;
  readonly realServers: readonly { readonly address: string; readonly port: number; readonly weight: number }[];
  readonly origin?: Origin;
}

export interface VerdictMap {
  readonly name: string;
  readonly type: string;
  readonly elements: readonly { readonly key: string; readonly verdict: string; readonly origin?: Origin }[];
}

/**
 * What the proxy wants in the kernel. A full ruleset makes the state from nothing; a partial one (from a later sync)
 * rewrites the dispatch chains and only the changed services' own chains, as kube-proxy's iptables-restore input does.
 */
export interface Ruleset {
  readonly mode: ProxyMode;
  readonly family: Family;
  readonly full: boolean;
  /** Ensured one by one before the tables are loaded; empty in a partial ruleset. */
  readonly jumps: readonly Jump[];
  /** Empty user chains ensured with the jumps: the canaries, and the chains jumped to. */
  readonly ensureChains: readonly { readonly table: TableName; readonly chain: string }[];
  readonly tables: readonly TableProgram[];
  readonly ipsets: readonly IpSet[];
  readonly virtualServers: readonly VirtualServer[];
  readonly maps: readonly VerdictMap[];
}

/** How the proxy tells traffic of Pods of this node from the rest (kube-proxy --detect-local-mode). */
export type DetectLocal =
  | { readonly kind: 'cidr'; readonly cidr: string }
  | { readonly kind: 'bridgeInterface'; readonly name: string }
  | { readonly kind: 'interfaceNamePrefix'; readonly prefix: string };

export interface ProxyConfig {
  readonly clock: Clock;
  readonly mode: ProxyMode;
  readonly family: Family;
  readonly nodeName: string;
  /** Used in the load balancer source range test, and as node address for `nodePortAddresses`. */
  readonly nodeIP: string;
  /** Undefined: rules that need it are left out. */
  readonly detectLocal?: DetectLocal;
  /** Default false. */
  readonly masqueradeAll?: boolean;
  /** Default 14. */
  readonly masqueradeBit?: number;
  /** CIDRs; empty (default) means every local address. 'primary' means nodeIP. */
  readonly nodePortAddresses?: readonly string[];
  /** All addresses of the node, for `nodePortAddresses`. Default [nodeIP]. */
  readonly nodeAddresses?: readonly string[];
  /** Default true; IPv4 only. */
  readonly localhostNodePorts?: boolean;
  /** Leaves out the INVALID rule (nf_conntrack_tcp_be_liberal). Default false. */
  readonly conntrackTCPLiberal?: boolean;
  /** Stale chains of a large cluster wait this long. Default 30 s. */
  readonly syncPeriodMs?: number;
}

/** A UDP service port, for the conntrack cleanup: flows to these destinations must end at a serving endpoint. */
export interface UdpServicePort {
  /** "ip port" pairs of cluster IP, external IPs and load balancer IPs. */
  readonly destinations: readonly { readonly address: string; readonly port: number }[];
  /** 0: none. */
  readonly nodePort: number;
  /** "ip:port". */
  readonly servingEndpoints: ReadonlySet<string>;
}

export interface SyncResult {
  /** Undefined when nothing changed since the last sync. */
  readonly ruleset: Ruleset | undefined;
  /** All UDP service ports with a serving endpoint, when the endpoints of a UDP service port changed; else empty. */
  readonly udpCleanup: readonly UdpServicePort[];
}

export interface HealthCheckNodePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Distinct local ready endpoint addresses of the Service. */
  readonly localEndpoints: number;
}

/**
 * kube-proxy's bookkeeping for one IP family. Feed it every Service and EndpointSlice (it filters by the labels of
 * kube-proxy.md section 1.2 itself), then `sync()` for what must change. Pure: it writes nothing.
 */
export interface Proxy {
  onServiceUpdate(service: DeepReadonly<Service>): void;
  onServiceDelete(service: DeepReadonly<Service>): void;
  onSliceUpdate(slice: DeepReadonly<EndpointSlice>): void;
  onSliceDelete(slice: DeepReadonly<EndpointSlice>): void;
  /** The labels of this proxy's node (topology.kubernetes.io/zone). A change forces a full sync. */
  setNode(labels: Readonly<Record<string, string>>): void;
  /** True when `sync()` would return a ruleset. */
  readonly pending: boolean;
  /** Computes what to load since the last sync. The first is full; `{full: true}` forces it (also after a failed load). */
  sync(options?: { full?: boolean }): SyncResult;
  /** The complete ruleset as of the last sync, whatever was loaded. */
  ruleset(): Ruleset;
  healthCheckNodePorts(): readonly HealthCheckNodePort[];
  /** Node ports in use, for hosts that open a real listener for each. */
  nodePorts(): readonly {
    readonly protocol: Protocol;
    readonly port: number;
    readonly namespace: string;
    readonly name: string;
  }[];
}

export interface Packet {
  readonly protocol: Protocol | 'icmp' | 'ipv6-icmp';
  readonly src: string;
  /** 0 for ICMP. */
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly mark: number;
  /** Bytes, for the counters. */
  readonly size: number;
  /** TCP only. Default 'syn' for the first packet of a flow, 'ack' afterwards. */
  readonly flags?: TcpFlags;
  /** ICMP errors carry the header of the packet they answer. */
  readonly embedded?: Tuple;
}

export type TcpFlags = 'syn' | 'synack' | 'ack' | 'fin' | 'rst';

export interface Tuple {
  readonly protocol: Packet['protocol'];
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
}

/** One line of a trace. `rule` is iptables-save text. */
export interface TraceStep {
  readonly kind: 'rule' | 'policy' | 'conntrack' | 'route' | 'nat';
  readonly hook: Hook;
  readonly table?: TableName;
  readonly chain?: string;
  /** 1-based, as in `iptables -L --line-numbers`. */
  readonly ruleNumber?: number;
  readonly rule?: string;
  /** For people: "jump KUBE-SVC-…", "dnat to 10.0.0.1:80", "state NEW", "local delivery", "accept". */
  readonly effect: string;
  readonly comment?: string;
  readonly origin?: Origin;
}

export interface Evaluation {
  readonly verdict: 'accept' | 'drop' | 'reject';
  /** With reject: the ICMP error or "tcp-reset". */
  readonly rejectWith?: string;
  /** As it left POSTROUTING, or was delivered to a local socket, or where it was stopped. */
  readonly packet: Packet;
  /** Where it went: to a socket of this node or out of an interface. */
  readonly delivery: 'local' | 'forward';
  readonly state: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';
  readonly entry: ConntrackEntry | undefined;
  readonly trace: readonly TraceStep[];
}

export interface ConntrackEntry {
  readonly id: number;
  readonly original: Tuple;
  /** What the answer's packets look like before they are translated back. */
  readonly reply: Tuple;
  readonly dnat: boolean;
  readonly snat: boolean;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly tcpState?: 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'FIN_WAIT' | 'TIME_WAIT' | 'CLOSE';
  /** Clock milliseconds at which it is forgotten. */
  readonly expiresAt: number;
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

/** Where this node sends a packet. */
export interface Route {
  readonly local: boolean;
  readonly outInterface?: string;
  /** The address MASQUERADE uses: the primary one of the outgoing interface. */
  readonly sourceAddress?: string;
}

export interface NetfilterOptions {
  readonly family?: Family;
  readonly clock: Clock;
  /** In [0, 1), as Math.random. */
  readonly random: () => number;
  /** All addresses of this node (addrtype LOCAL), the first being primary. Loopback is always local. */
  nodeIPs(): readonly string[];
  /** Default: local when the address is this node's, else out of "eth0" with the primary address. */
  route?(destination: string): Route;
  /**
   * What the CNI plugin masquerades when it leaves the node, besides the rules: kindnet does it in an nftables table of its
   * own, before iptables' nat table, so iptables-save does not show it.
   */
  masquerades?(packet: { readonly src: string; readonly dst: string }): boolean;
}

/** The packet filter of one node and IP family: four tables, connection tracking, recent lists, counters. */
export interface Netfilter {
  readonly family: Family;
  readonly clock: Clock;
  /** Loads what `Proxy.sync()` returned, all or nothing. Throws NetfilterError and changes nothing on a bad ruleset. */
  apply(ruleset: Ruleset): void;
  /** Loads iptables-restore text, all or nothing per table. Throws NetfilterError with iptables-restore's message. */
  restore(text: string, options?: { noflush?: boolean }): void;
  connect(request: ConnectRequest): Connection;
  evaluate(packet: Packet, context: { hook: 'prerouting' | 'output'; dryRun?: boolean }): Evaluation;
  tables(): readonly TableSnapshot[];
  conntrack(): readonly ConntrackEntry[];
  /** Returns the number of flows deleted. */
  cleanupUdp(services: readonly UdpServicePort[]): number;
  /** recent lists by name: source address and clock milliseconds it was last set. */
  recent(): ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface TableSnapshot {
  readonly table: TableName;
  /** False until something was loaded into it; iptables-save leaves such tables out. */
  readonly touched: boolean;
  readonly chains: readonly ChainSnapshot[];
}

export interface ChainSnapshot {
  readonly name: string;
  /** Built-in chains only. */
  readonly policy?: 'ACCEPT' | 'DROP';
  readonly packets: number;
  readonly bytes: number;
  readonly rules: readonly RuleSnapshot[];
}

export interface RuleSnapshot {
  readonly rule: Rule;
  readonly packets: number;
  readonly bytes: number;
}
