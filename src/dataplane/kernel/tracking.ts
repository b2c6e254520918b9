import type { TcpFlags, Tuple } from '../packet.js';
import type { Hook } from '../trace.js';
import type { Conntrack, Direction, MutableEntry } from './conntrack.js';
import { ACCEPT, type HookFunction, type HookResult, PRIORITY } from './hooks.js';
import { resolveClash } from './nat.js';
import { endText, flagsOf, type Passage, setStates, traceTranslation, tupleOf } from './passage.js';

export interface TrackingOptions {
  readonly conntrack: Conntrack;
  readonly random: () => number;
}

/** Connection tracking: a packet's flow is found where it enters, and remembered where it gets through. */
export function trackingHooks(options: TrackingOptions): HookFunction[] {
  const track = (hook: Hook): HookFunction => ({
    hook,
    priority: PRIORITY.conntrack,
    run: passage => findFlow(passage, hook, options.conntrack),
  });
  const confirm = (hook: Hook): HookFunction => ({
    hook,
    priority: PRIORITY.confirm,
    run: passage => confirmFlow(passage, hook, options),
  });
  return [track('prerouting'), track('output'), confirm('input'), confirm('postrouting')];
}

/** Finds or makes the packet's flow. */
function findFlow(passage: Passage, hook: Hook, conntrack: Conntrack): HookResult {
  // What loops back or is sent on by IPVS has its flow.
  if (passage.looped || passage.packet.virtual !== undefined || passage.state === 'UNTRACKED') return ACCEPT;
  const { packet, given, context } = passage;
  const flags = flagsOf(passage);
  const tuple = tupleOf(packet);
  let found = context.flow ?? conntrack.lookup(tuple);
  if (given.embedded !== undefined) {
    // An ICMP error goes against the packet it answers.
    const embedded = conntrack.lookup(given.embedded);
    found = embedded && { entry: embedded.entry, direction: embedded.direction === 'original' ? 'reply' : 'original' };
    passage.state = found === undefined ? 'INVALID' : 'RELATED';
    passage.entry = found?.entry;
    passage.direction = found?.direction ?? 'original';
  } else if (found !== undefined && !startsAnew(found.entry, found.direction, flags)) {
    continueFlow(passage, found, flags, conntrack);
  } else {
    if (found !== undefined && !passage.dryRun) conntrack.remove(found.entry);
    startFlow(passage, tuple, flags, conntrack);
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

function continueFlow(
  passage: Passage,
  found: { entry: MutableEntry; direction: Direction },
  flags: TcpFlags,
  conntrack: Conntrack,
): void {
  passage.entry = found.entry;
  passage.direction = found.direction;
  passage.state = found.direction === 'reply' || found.entry.seenReply ? 'ESTABLISHED' : 'NEW';
  passage.destinationSet = passage.sourceSet = true;
  if (!passage.dryRun) conntrack.advance(found.entry, found.direction, flags);
  else if (found.direction === 'reply') found.entry.seenReply ||= !found.entry.confirmed;
}

function startFlow(passage: Passage, tuple: Tuple, flags: TcpFlags, conntrack: Conntrack): void {
  // Only a SYN opens a connection; a lone ACK is taken for one that began before we looked (nf_conntrack_tcp_loose).
  if (tuple.protocol === 'tcp' && flags !== 'syn' && flags !== 'ack') {
    passage.state = 'INVALID';
    return;
  }
  passage.state = 'NEW';
  passage.entry = conntrack.create(tuple);
}

/** The first packet got through: its flow is remembered. */
function confirmFlow(passage: Passage, hook: Hook, { conntrack, random }: TrackingOptions): HookResult {
  const { entry, packet } = passage;
  if (passage.looped || entry === undefined || entry.confirmed || passage.state !== 'NEW') return ACCEPT;
  if (resolveClash(entry, packet, { conntrack, random })) {
    traceTranslation(passage, hook, `source port becomes ${packet.srcPort}, as another flow has the old one`);
    setStates(passage);
  }
  if (passage.dryRun || conntrack.confirm(entry)) return ACCEPT;
  passage.trace.push({ kind: 'conntrack', hook, effect: 'table full, dropping packet' });
  return { kind: 'drop' };
}

const flowText = ({ original }: MutableEntry): string =>
  `${endText(original.src, original.srcPort)} -> ${endText(original.dst, original.dstPort)}`;
