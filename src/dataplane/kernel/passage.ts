import { canonicalIP, joinHostPort } from '../../machinery/ip.js';
import type { Packet, TcpFlags, Tuple } from '../packet.js';
import type { Hook } from '../trace.js';
import type { Direction, MutableEntry } from './conntrack.js';
import { NetfilterError } from './errors.js';
import type { CtState, FlowState } from './flow.js';
import type { VirtualService } from './ipvs/types.js';
import type { Route } from './routes.js';
import type { KernelStep } from './step.js';

/** A packet on its way; NAT and MARK change it. */
export interface PacketState {
  protocol: Packet['protocol'];
  src: string;
  srcPort: number;
  dst: string;
  dstPort: number;
  inInterface: string | undefined;
  outInterface: string | undefined;
  mark: number;
  size: number;
  /** The virtual service that IPVS has sent it on for; it does so once (the kernel's ipvs_property). */
  virtual: VirtualService | undefined;
  /** The connection tracking state, and DNAT or SNAT beside it. */
  states: readonly CtState[];
}

export interface EvaluationContext {
  readonly hook: 'prerouting' | 'output';
  readonly dryRun?: boolean;
  /** A flow that is not in the table (a dry run's), and the direction this packet has in it. */
  readonly flow?: { readonly entry: MutableEntry; readonly direction: Direction };
}

/** One packet on its way through the hooks, and what their functions have found out about it. */
export interface Passage {
  readonly given: Packet;
  readonly context: EvaluationContext;
  readonly packet: PacketState;
  readonly trace: KernelStep[];
  readonly dryRun: boolean;
  state: FlowState;
  entry: MutableEntry | undefined;
  direction: Direction;
  delivery: 'local' | 'forward';
  /** Where the packet goes, by its destination of now. */
  route: Route | undefined;
  /** A new flow's destination or source has been decided. */
  destinationSet: boolean;
  sourceSet: boolean;
  /** A packet to this node itself that has left and comes in again through "lo": its flow is known. */
  looped: boolean;
}

export function beginPassage(given: Packet, context: EvaluationContext): Passage {
  return {
    given,
    context,
    packet: {
      protocol: given.protocol,
      src: address(given.src),
      srcPort: given.srcPort,
      dst: address(given.dst),
      dstPort: given.dstPort,
      inInterface: given.inInterface,
      outInterface: given.outInterface,
      mark: given.mark,
      size: given.size,
      virtual: undefined,
      states: [],
    },
    trace: [],
    dryRun: context.dryRun === true,
    state: 'NEW',
    entry: undefined,
    direction: 'original',
    delivery: 'forward',
    route: undefined,
    destinationSet: false,
    sourceSet: false,
    looped: false,
  };
}

function address(text: string): string {
  const canonical = canonicalIP(text);
  if (canonical === undefined) throw new NetfilterError(`"${text}" is not an IP address`);
  return canonical;
}

/** What rules see as the packet's connection tracking states. */
export function setStates({ state, entry, packet }: Passage): void {
  const states: CtState[] = [state];
  if (entry?.dnat === true) states.push('DNAT');
  if (entry?.snat === true) states.push('SNAT');
  packet.states = states;
}

/** A packet that comes without flags begins its flow, unless that is known. */
export const flagsOf = ({ given, context }: Passage): TcpFlags =>
  given.flags ?? (context.flow === undefined ? 'syn' : 'ack');

/** "10.0.0.1:80", or the address alone where there are no ports. */
export const endText = (address: string, port: number): string => (port === 0 ? address : joinHostPort(address, port));

export const traceTranslation = ({ trace }: Passage, hook: Hook, effect: string): void =>
  void trace.push({ kind: 'nat', hook, table: 'nat', effect });

export const tupleOf = ({ protocol, src, srcPort, dst, dstPort }: PacketState): Tuple => ({
  protocol,
  src,
  srcPort,
  dst,
  dstPort,
});

/** Member by member: objects put together from others cost a tenth of all that a packet does. */
export function packetOf({ packet, given }: Passage): Packet {
  const { protocol, src, srcPort, dst, dstPort, inInterface, outInterface, mark, size } = packet;
  const made: { -readonly [K in keyof Packet]: Packet[K] } = { protocol, src, srcPort, dst, dstPort, mark, size };
  if (inInterface !== undefined) made.inInterface = inInterface;
  if (outInterface !== undefined) made.outInterface = outInterface;
  if (given.flags !== undefined) made.flags = given.flags;
  if (given.embedded !== undefined) made.embedded = given.embedded;
  return made;
}
