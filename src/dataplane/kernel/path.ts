import { canonicalIP } from '../../machinery/ip.js';
import type {
  CtState,
  Evaluation,
  Family,
  Hook,
  Packet,
  Route,
  TableName,
  TcpFlags,
  TraceStep,
  Tuple,
} from '../types.js';
import { type Conntrack, type Direction, invert, type MutableEntry } from './conntrack.js';
import { NetfilterError } from './errors.js';
import type { MatchEnvironment, PacketState } from './xtables/match.js';
import { destinationNat, type NatVerdict, resolveClash, sourceNat } from './nat.js';
import type { RecentLists } from './xtables/recent.js';
import type { Table } from './xtables/table.js';
import { endText, type TableResult, traverseTable } from './xtables/traverse.js';

export interface Machine {
  readonly family: Family;
  readonly tables: Readonly<Record<TableName, Table>>;
  readonly conntrack: Conntrack;
  readonly recent: RecentLists;
  random(): number;
  isLocal(address: string): boolean;
  route(destination: string): Route;
  /** Where REDIRECT sends a packet that came from outside. */
  primaryAddress(): string | undefined;
  masquerades(packet: { readonly src: string; readonly dst: string }): boolean;
}

export interface EvaluationContext {
  readonly hook: 'prerouting' | 'output';
  readonly dryRun?: boolean;
  /** A flow that is not in the table (a dry run's), and the direction this packet has in it. */
  readonly flow?: { readonly entry: MutableEntry; readonly direction: Direction };
}

/** One packet on its way through the hooks. */
interface Passage {
  readonly machine: Machine;
  readonly packet: PacketState;
  readonly trace: TraceStep[];
  readonly dryRun: boolean;
  state: Evaluation['state'];
  entry: MutableEntry | undefined;
  direction: Direction;
  delivery: Evaluation['delivery'];
  /** A new flow's destination or source has been decided. */
  destinationSet: boolean;
  sourceSet: boolean;
  environment: MatchEnvironment;
}

/** Sends one packet through the hooks and tables in the order of the kernel. */
export function evaluate(machine: Machine, given: Packet, context: EvaluationContext): Evaluation {
  const passage = begin(machine, given, context);
  const result =
    context.hook === 'prerouting' ? fromOutside(passage, given, context) : fromHere(passage, given, context);
  const { packet, entry, state, delivery, trace } = passage;
  return {
    verdict: result.kind,
    ...(result.kind === 'reject' ? { rejectWith: result.with } : {}),
    packet: toPacket(packet, given),
    delivery,
    state,
    entry: result.kind === 'accept' ? entry : undefined,
    trace,
  };
}

function begin(machine: Machine, given: Packet, context: EvaluationContext): Passage {
  const dryRun = context.dryRun === true;
  const address = (text: string): string => {
    const canonical = canonicalIP(text);
    if (canonical === undefined) throw new NetfilterError(`"${text}" is not an IP address`);
    return canonical;
  };
  return {
    machine,
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
      states: [],
    },
    trace: [],
    dryRun,
    state: 'NEW',
    entry: undefined,
    direction: 'original',
    delivery: 'forward',
    destinationSet: false,
    sourceSet: false,
    environment: {
      isLocal: destination => machine.isLocal(destination),
      random: () => machine.random(),
      recent: machine.recent,
      dryRun,
    },
  };
}

const ACCEPT: TableResult = { kind: 'accept' };

/** Runs the steps until one does not accept. */
function steps(...run: readonly (() => TableResult)[]): TableResult {
  for (const step of run) {
    const result = step();
    if (result.kind !== 'accept') return result;
  }
  return ACCEPT;
}

function fromOutside(passage: Passage, given: Packet, context: EvaluationContext): TableResult {
  return steps(
    () => table(passage, 'raw', 'prerouting'),
    () => track(passage, 'prerouting', given, context),
    () => table(passage, 'mangle', 'prerouting'),
    () => nat(passage, 'prerouting'),
    () => {
      const route = passage.machine.route(passage.packet.dst);
      traceRoute(passage, 'prerouting', route);
      if (route.local) return deliver(passage);
      passage.packet.outInterface = route.outInterface;
      return steps(
        () => table(passage, 'mangle', 'forward'),
        () => table(passage, 'filter', 'forward'),
        () => postrouting(passage),
      );
    },
  );
}

function deliver(passage: Passage): TableResult {
  passage.delivery = 'local';
  return steps(
    () => table(passage, 'mangle', 'input'),
    () => table(passage, 'filter', 'input'),
    () => nat(passage, 'input'),
    () => confirm(passage, 'input'),
  );
}

function fromHere(passage: Passage, given: Packet, context: EvaluationContext): TableResult {
  const { machine, packet } = passage;
  packet.outInterface = machine.route(packet.dst).outInterface;
  return steps(
    () => table(passage, 'raw', 'output'),
    () => track(passage, 'output', given, context),
    () => table(passage, 'mangle', 'output'),
    () => nat(passage, 'output'),
    () => {
      // A changed destination is routed again before the filter sees the packet.
      const route = machine.route(packet.dst);
      packet.outInterface = route.local ? 'lo' : route.outInterface;
      traceRoute(passage, 'output', route);
      return steps(
        () => table(passage, 'filter', 'output'),
        () => postrouting(passage),
        () => (route.local ? loopBack(passage) : ACCEPT),
      );
    },
  );
}

/** A packet to this node itself comes in again through "lo", with its flow and translations decided. */
function loopBack(passage: Passage): TableResult {
  passage.packet.inInterface = 'lo';
  passage.packet.outInterface = undefined;
  passage.delivery = 'local';
  return steps(
    () => table(passage, 'raw', 'prerouting'),
    () => table(passage, 'mangle', 'prerouting'),
    () => table(passage, 'mangle', 'input'),
    () => table(passage, 'filter', 'input'),
  );
}

const postrouting = (passage: Passage): TableResult =>
  steps(
    () => table(passage, 'mangle', 'postrouting'),
    () => nat(passage, 'postrouting'),
    () => confirm(passage, 'postrouting'),
  );

function table(passage: Passage, name: TableName, hook: Hook): TableResult {
  return traverseTable(passage.machine.tables[name], hook, passage.packet, {
    family: passage.machine.family,
    environment: passage.environment,
    trace: passage.trace,
    dryRun: passage.dryRun,
    nat: (verdict, at) => translate(passage, verdict, at),
    notrack: () => {
      passage.state = 'UNTRACKED';
      passage.packet.states = ['UNTRACKED'];
    },
  });
}

/** Finds or makes the packet's flow. */
function track(passage: Passage, hook: Hook, given: Packet, context: EvaluationContext): TableResult {
  if (passage.state === 'UNTRACKED') return ACCEPT;
  const { machine, packet } = passage;
  const flags = given.flags ?? (context.flow === undefined ? 'syn' : 'ack');
  const tuple: Tuple = tupleOf(packet);
  const embedded = given.embedded === undefined ? undefined : machine.conntrack.lookup(given.embedded);
  let found = context.flow ?? machine.conntrack.lookup(tuple);
  if (given.embedded !== undefined) {
    // An ICMP error goes against the packet it answers.
    found = embedded && { entry: embedded.entry, direction: embedded.direction === 'original' ? 'reply' : 'original' };
    passage.state = found === undefined ? 'INVALID' : 'RELATED';
    passage.entry = found?.entry;
    passage.direction = found?.direction ?? 'original';
  } else if (found !== undefined && !startsAnew(found.entry, found.direction, flags)) {
    continueFlow(passage, found, flags);
  } else {
    if (found !== undefined && !passage.dryRun) machine.conntrack.remove(found.entry);
    startFlow(passage, tuple, flags);
  }
  setStates(passage);
  const flow =
    passage.entry === undefined || passage.state === 'NEW'
      ? ''
      : `, ${passage.direction} direction of ${flowText(passage.entry)}`;
  passage.trace.push({ kind: 'conntrack', hook, effect: `state ${passage.state}${flow}` });
  return ACCEPT;
}

/** A SYN that reuses the ports of a finished connection opens a new one. */
const startsAnew = (entry: MutableEntry, direction: Direction, flags: TcpFlags): boolean =>
  flags === 'syn' && direction === 'original' && (entry.tcpState === 'TIME_WAIT' || entry.tcpState === 'CLOSE');

function continueFlow(passage: Passage, found: { entry: MutableEntry; direction: Direction }, flags: TcpFlags): void {
  passage.entry = found.entry;
  passage.direction = found.direction;
  passage.state = found.direction === 'reply' || found.entry.seenReply ? 'ESTABLISHED' : 'NEW';
  passage.destinationSet = passage.sourceSet = true;
  if (!passage.dryRun) passage.machine.conntrack.advance(found.entry, found.direction, flags);
  else if (found.direction === 'reply') found.entry.seenReply ||= !found.entry.confirmed;
}

function startFlow(passage: Passage, tuple: Tuple, flags: TcpFlags): void {
  // Only a SYN opens a connection; a lone ACK is taken for one that began before we looked (nf_conntrack_tcp_loose).
  if (tuple.protocol === 'tcp' && flags !== 'syn' && flags !== 'ack') {
    passage.state = 'INVALID';
    return;
  }
  passage.state = 'NEW';
  passage.entry = passage.machine.conntrack.create(tuple);
}

function setStates({ state, entry, packet }: Passage): void {
  const states: CtState[] = [state];
  if (entry?.dnat === true) states.push('DNAT');
  if (entry?.snat === true) states.push('SNAT');
  packet.states = states;
}

const CNI_MASQUERADE: NatVerdict = { kind: 'masquerade', randomFully: false };

/** The nat table sees the first packet of a flow only; what it decided is applied to all others. */
function nat(passage: Passage, hook: Hook): TableResult {
  const { entry } = passage;
  if (entry === undefined || passage.state === 'UNTRACKED' || passage.state === 'INVALID') return ACCEPT;
  const destinationHook = hook === 'prerouting' || hook === 'output';
  const fresh =
    passage.state === 'NEW' && !entry.confirmed && !(destinationHook ? passage.destinationSet : passage.sourceSet);
  if (!fresh) {
    applyFlow(passage, entry, hook, destinationHook);
    return ACCEPT;
  }
  if (hook === 'postrouting' && passage.machine.masquerades(passage.packet)) {
    // A flow has one source: what the CNI plugin's table gave it, the later one does not change.
    traceTranslation(passage, hook, `by the CNI plugin: ${translate(passage, CNI_MASQUERADE, hook)}`);
    passage.sourceSet = true;
    return ACCEPT;
  }
  const result = table(passage, 'nat', hook);
  if (destinationHook) passage.destinationSet = true;
  else passage.sourceSet = true;
  return result;
}

/** What the packet looks like after this hook, by its flow. */
function applyFlow(passage: Passage, entry: MutableEntry, hook: Hook, destinationHook: boolean): void {
  const { packet, direction } = passage;
  const after = invert(direction === 'original' ? entry.reply : entry.original);
  if (destinationHook) {
    if (packet.dst === after.dst && packet.dstPort === after.dstPort) return;
    traceTranslation(
      passage,
      hook,
      `destination ${endText(packet.dst, packet.dstPort)} becomes ${endText(after.dst, after.dstPort)}`,
    );
    packet.dst = after.dst;
    packet.dstPort = after.dstPort;
  } else {
    if (passage.state === 'RELATED' || (packet.src === after.src && packet.srcPort === after.srcPort)) return;
    traceTranslation(
      passage,
      hook,
      `source ${endText(packet.src, packet.srcPort)} becomes ${endText(after.src, after.srcPort)}`,
    );
    packet.src = after.src;
    packet.srcPort = after.srcPort;
  }
}

function translate(passage: Passage, verdict: NatVerdict, hook: Hook): string {
  const { machine, packet, entry } = passage;
  if (entry === undefined) return 'no flow to translate';
  const context = { conntrack: machine.conntrack, random: () => machine.random() };
  switch (verdict.kind) {
    case 'dnat':
      destinationNat(entry, packet, verdict.address, verdict.port);
      break;
    case 'redirect': {
      const loopback = machine.family === 'IPv4' ? '127.0.0.1' : '::1';
      const address = hook === 'output' ? loopback : (machine.primaryAddress() ?? loopback);
      destinationNat(entry, packet, address, verdict.port);
      break;
    }
    case 'snat': {
      const port = verdict.port === undefined ? {} : { port: verdict.port };
      sourceNat(entry, packet, verdict.address, { ...port, randomFully: false }, context);
      break;
    }
    case 'masquerade': {
      const address = machine.route(packet.dst).sourceAddress ?? machine.primaryAddress();
      if (address === undefined) return 'no address to masquerade with';
      sourceNat(entry, packet, address, { randomFully: verdict.randomFully }, context);
      break;
    }
    default:
      return verdict satisfies never;
  }
  setStates(passage);
  const changed = verdict.kind === 'dnat' || verdict.kind === 'redirect' ? 'destination' : 'source';
  const end = changed === 'destination' ? endText(packet.dst, packet.dstPort) : endText(packet.src, packet.srcPort);
  return `${verdict.kind}: ${changed} becomes ${end}`;
}

/** The first packet got through: its flow is remembered. */
function confirm(passage: Passage, hook: Hook): TableResult {
  const { entry, machine, packet } = passage;
  if (entry === undefined || entry.confirmed || passage.state !== 'NEW') return ACCEPT;
  if (resolveClash(entry, packet, { conntrack: machine.conntrack, random: () => machine.random() })) {
    traceTranslation(passage, hook, `source port becomes ${packet.srcPort}, as another flow has the old one`);
    setStates(passage);
  }
  if (passage.dryRun || machine.conntrack.confirm(entry)) return ACCEPT;
  passage.trace.push({ kind: 'conntrack', hook, effect: 'table full, dropping packet' });
  return { kind: 'drop' };
}

const traceTranslation = ({ trace }: Passage, hook: Hook, effect: string): void =>
  void trace.push({ kind: 'nat', hook, table: 'nat', effect });

function traceRoute({ trace, packet }: Passage, hook: Hook, route: Route): void {
  const out = route.outInterface === undefined ? '' : ` out of ${route.outInterface}`;
  const effect = route.local ? `${packet.dst} is an address of this node` : `${packet.dst} is routed${out}`;
  trace.push({ kind: 'route', hook, effect });
}

const flowText = ({ original }: MutableEntry): string =>
  `${endText(original.src, original.srcPort)} -> ${endText(original.dst, original.dstPort)}`;

const tupleOf = ({ protocol, src, srcPort, dst, dstPort }: PacketState): Tuple => ({
  protocol,
  src,
  srcPort,
  dst,
  dstPort,
});

function toPacket(state: PacketState, given: Packet): Packet {
  return {
    ...tupleOf(state),
    ...(state.inInterface === undefined ? {} : { inInterface: state.inInterface }),
    ...(state.outInterface === undefined ? {} : { outInterface: state.outInterface }),
    mark: state.mark,
    size: state.size,
    ...(given.flags === undefined ? {} : { flags: given.flags }),
    ...(given.embedded === undefined ? {} : { embedded: given.embedded }),
  };
}
