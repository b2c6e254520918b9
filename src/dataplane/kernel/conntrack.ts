import type { Clock } from '../../machinery/clock.js';
import { joinHostPort } from '../../machinery/ip.js';
import type { Packet, TcpFlags, Tuple } from '../packet.js';
import type { ConntrackEntry, UdpServicePort } from './flow.js';

export type Direction = 'original' | 'reply';
export type MutableEntry = {
  -readonly [K in keyof Omit<ConntrackEntry, 'tcpState'>]: ConntrackEntry[K];
} & { tcpState?: NonNullable<ConntrackEntry['tcpState']>; confirmed: boolean; streamAt: number };

export interface Conntrack {
  /** A flow is known by the tuple of either direction. */
  lookup(tuple: Tuple): { entry: MutableEntry; direction: Direction } | undefined;
  /** A flow that is not in the table yet. */
  create(tuple: Tuple): MutableEntry;
  /** Puts a new flow into the table when its first packet gets through. False when the table is full. */
  confirm(entry: MutableEntry): boolean;
  /** Advances the flow's state by one packet and renews its timeout. */
  advance(entry: MutableEntry, direction: Direction, flags: TcpFlags): void;
  /** True when no flow's packets look like `tuple`. */
  isFree(tuple: Tuple): boolean;
  remove(entry: MutableEntry): void;
  entries(): MutableEntry[];
  cleanupUdp(services: readonly UdpServicePort[]): number;
}

/** Defaults of net.netfilter.nf_conntrack_*_timeout*, in seconds. */
const TIMEOUT = {
  SYN_SENT: 120,
  SYN_RECV: 60,
  ESTABLISHED: 432_000,
  FIN_WAIT: 120,
  TIME_WAIT: 120,
  CLOSE: 10,
  udp: 30,
  udpStream: 120,
  sctp: 3,
  sctpEstablished: 210,
  sctpClosed: 10,
  icmp: 30,
} as const;

/** A UDP flow with answers counts as a stream when it is still active after this long. */
const UDP_STREAM_AFTER_MS = 2000;
/** nf_conntrack_max of a machine with 4 GiB: some 60 MB of an agent when it is full. */
const MAX_ENTRIES = 65_536;
/** Expired flows are looked for a few at a time, with each new one. */
const SWEEP = 8;
/** How many of a full table's flows are looked at for one to give up. */
const EARLY_DROP = 64;

const keyOf = ({ protocol, src, srcPort, dst, dstPort }: Tuple): string =>
  `${protocol} ${src} ${srcPort} ${dst} ${dstPort}`;

export const invert = ({ protocol, src, srcPort, dst, dstPort }: Tuple): Tuple => ({
  protocol,
  src: dst,
  srcPort: dstPort,
  dst: src,
  dstPort: srcPort,
});

/** The flow table of nf_conntrack. No timers: an expired flow is gone when it is next looked at. */
export function createConntrack(clock: Clock, maxEntries = MAX_ENTRIES): Conntrack {
  const table = new Map<string, { entry: MutableEntry; direction: Direction }>();
  let nextId = 1;
  let sweeper = table.values();

  function remove(entry: MutableEntry): void {
    for (const tuple of [entry.original, entry.reply]) {
      const key = keyOf(tuple);
      if (table.get(key)?.entry === entry) table.delete(key);
    }
    entry.confirmed = false;
  }

  function lookup(tuple: Tuple): { entry: MutableEntry; direction: Direction } | undefined {
    const found = table.get(keyOf(tuple));
    if (found === undefined || found.entry.expiresAt > clock.now()) return found;
    remove(found.entry);
    return undefined;
  }

  /** The next flow of an endless walk through the table; starting at its front each time would cost all that is deleted there. */
  function nextEntry(): MutableEntry | undefined {
    let next = sweeper.next();
    if (next.done === true) {
      sweeper = table.values();
      next = sweeper.next();
    }
    return next.done === true ? undefined : next.value.entry;
  }

  function sweep(): void {
    for (let i = 0; i < SWEEP; i++) {
      const entry = nextEntry();
      if (entry === undefined) return;
      if (entry.expiresAt <= clock.now()) remove(entry);
    }
  }

  /** A full table gives up a flow that has ended, or that nobody has answered (nf_conntrack's early_drop). */
  function earlyDrop(): boolean {
    for (let i = 0; i < EARLY_DROP; i++) {
      const entry = nextEntry();
      if (entry === undefined || !mayBeDropped(entry)) continue;
      remove(entry);
      return true;
    }
    return false;
  }

  const live = (): MutableEntry[] => {
    const now = clock.now();
    return [...table.values()].flatMap(({ entry, direction }) =>
      direction === 'original' && entry.expiresAt > now ? [entry] : [],
    );
  };

  return {
    lookup,
    remove,
    create: tuple => ({
      id: nextId++,
      original: tuple,
      reply: invert(tuple),
      dnat: false,
      snat: false,
      seenReply: false,
      assured: false,
      expiresAt: clock.now() + 1000 * newTimeout(tuple.protocol),
      confirmed: false,
      streamAt: clock.now() + UDP_STREAM_AFTER_MS,
      ...(tuple.protocol === 'tcp' ? { tcpState: 'SYN_SENT' as const } : {}),
    }),
    confirm(entry) {
      sweep();
      if (table.size / 2 >= maxEntries && !earlyDrop()) return false;
      entry.confirmed = true;
      table.set(keyOf(entry.original), { entry, direction: 'original' });
      table.set(keyOf(entry.reply), { entry, direction: 'reply' });
      return true;
    },
    advance(entry, direction, flags) {
      if (direction === 'reply') entry.seenReply = true;
      if (entry.tcpState !== undefined) {
        entry.tcpState = nextTcpState(entry.tcpState, direction, flags);
        if (entry.tcpState === 'ESTABLISHED') entry.assured = true;
        entry.expiresAt = clock.now() + 1000 * TIMEOUT[entry.tcpState];
      } else {
        entry.expiresAt = clock.now() + 1000 * dataTimeout(entry, clock.now(), flags);
      }
    },
    isFree: tuple => lookup(tuple) === undefined,
    entries: live,
    cleanupUdp(services) {
      const { byDestination, byNodePort } = indexServices(services);
      let removed = 0;
      for (const entry of live()) {
        const { original, reply } = entry;
        if (original.protocol !== 'udp') continue;
        const serving =
          byDestination.get(joinHostPort(original.dst, original.dstPort)) ?? byNodePort.get(original.dstPort);
        if (serving === undefined || serving.has(joinHostPort(reply.src, reply.srcPort))) continue;
        remove(entry);
        removed++;
      }
      return removed;
    },
  };
}

const mayBeDropped = ({ assured, tcpState }: MutableEntry): boolean =>
  !assured || tcpState === 'FIN_WAIT' || tcpState === 'TIME_WAIT' || tcpState === 'CLOSE';

function indexServices(services: readonly UdpServicePort[]): {
  byDestination: ReadonlyMap<string, ReadonlySet<string>>;
  byNodePort: ReadonlyMap<number, ReadonlySet<string>>;
} {
  const byDestination = new Map<string, ReadonlySet<string>>();
  const byNodePort = new Map<number, ReadonlySet<string>>();
  for (const { destinations, nodePort, servingEndpoints } of services) {
    for (const { address, port } of destinations) byDestination.set(joinHostPort(address, port), servingEndpoints);
    if (nodePort !== 0) byNodePort.set(nodePort, servingEndpoints);
  }
  return { byDestination, byNodePort };
}

function newTimeout(protocol: Packet['protocol']): number {
  switch (protocol) {
    case 'tcp':
      return TIMEOUT.SYN_SENT;
    case 'udp':
      return TIMEOUT.udp;
    case 'sctp':
      return TIMEOUT.sctp;
    case 'icmp':
    case 'ipv6-icmp':
      return TIMEOUT.icmp;
    default:
      return protocol satisfies never;
  }
}

function dataTimeout(entry: MutableEntry, now: number, flags: TcpFlags): number {
  const { protocol } = entry.original;
  if (protocol === 'sctp') {
    // SHUTDOWN COMPLETE stands where TCP has the FIN of both.
    if (flags === 'fin') return TIMEOUT.sctpClosed;
    entry.assured ||= entry.seenReply;
    return entry.seenReply ? TIMEOUT.sctpEstablished : TIMEOUT.sctp;
  }
  if (protocol === 'udp' && entry.seenReply && now >= entry.streamAt) {
    entry.assured = true;
    return TIMEOUT.udpStream;
  }
  return newTimeout(protocol);
}

type TcpState = NonNullable<ConntrackEntry['tcpState']>;

/** The part of nf_conntrack_proto_tcp.c's table that whole connections use. */
function nextTcpState(state: TcpState, direction: Direction, flags: TcpFlags): TcpState {
  switch (flags) {
    case 'syn':
      return state;
    case 'synack':
      return state === 'SYN_SENT' && direction === 'reply' ? 'SYN_RECV' : state;
    case 'ack':
      // A flow picked up in the middle (nf_conntrack_tcp_loose) is ESTABLISHED with its first ACK.
      return state === 'SYN_RECV' || state === 'SYN_SENT' ? 'ESTABLISHED' : state;
    case 'fin':
      return state === 'FIN_WAIT' || state === 'TIME_WAIT' ? 'TIME_WAIT' : 'FIN_WAIT';
    case 'rst':
      return 'CLOSE';
    default:
      return flags satisfies never;
  }
}
