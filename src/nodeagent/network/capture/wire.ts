import type { CapturedPacket, IcmpMessage } from '../../../containers/network/captured-packet.js';
import type { Flow, NetStream, SocketAddress, StreamTap } from '../../../containers/network/types.js';
import type { Clock } from '../../../machinery/clock.js';
import { type Sender, TcpView } from './tcp-view.js';

/** A place where a connection is seen: the addresses that it has there. */
export interface Sight {
  readonly link: string;
  readonly client: SocketAddress;
  readonly server: SocketAddress;
  /** Which way the client's packets go there. */
  readonly direction: 'in' | 'out';
}

/** A connection while it is opened, for whoever looks. */
export interface Opening {
  /** Nobody has answered: the first packet is sent again. */
  again(): void;
  answered(stream: NetStream, seenFrom: Sender): void;
  /** It was refused; or, with `silent`, nothing came. */
  failed(silent: boolean): void;
  /** It goes on over another link, under other addresses. */
  at(sight: Sight): void;
}

/** The interfaces of a network namespace, as somebody with tcpdump sees them. Costs next to nothing while nobody looks. */
export interface Wire {
  readonly active: boolean;
  capture(show: (packet: CapturedPacket) => void): () => void;
  /** Undefined: nobody looks. */
  opening(sight: Sight): Opening | undefined;
  /**
   * A connection that is open, whether somebody looks or not: who begins to look later sees what it still carries.
   * `seenFrom`: whose end the stream is. It is forgotten when the stream closes.
   */
  carries(stream: NetStream, seenFrom: Sender, sights: readonly Sight[], opening?: Opening): void;
  datagram(sight: Sight, sender: Sender, payload: Buffer): void;
  /** Somebody at this address was spoken with. */
  met(address: string): void;
  /** Clock milliseconds of the last word, by address. */
  readonly lastMet: ReadonlyMap<string, number>;
  icmp(
    link: string,
    direction: 'in' | 'out',
    from: string,
    to: string,
    ttl: number,
    message: IcmpMessage,
    size: number,
  ): void;
}

interface Carried {
  readonly stream: NetStream;
  readonly seenFrom: Sender;
  readonly sights: readonly Sight[];
}

const OWN_TTL = 64;
/** net.ipv4.neigh.default.gc_thresh3. */
const MAX_MET = 1024;

export function createWire(clock: Pick<Clock, 'now'>, random: () => number): Wire {
  const shown = new Set<(packet: CapturedPacket) => void>();
  const carried = new Set<Carried>();
  const tapped = new WeakSet<NetStream>();
  const lastMet = new Map<string, number>();

  const show = (packet: CapturedPacket): void => {
    for (const each of shown) each(packet);
  };
  const packetOf = (
    { link, client, server, direction }: Sight,
    sender: Sender,
  ): Omit<CapturedPacket, 'protocol' | 'payload'> => {
    const [from, to] = sender === 'client' ? [client, server] : [server, client];
    const way = sender === 'client' ? direction : direction === 'in' ? 'out' : 'in';
    return {
      at: clock.now(),
      link,
      direction: way,
      src: from.address,
      srcPort: from.port,
      dst: to.address,
      dstPort: to.port,
      ttl: way === 'out' ? OWN_TTL : OWN_TTL - 1,
    };
  };
  const viewOf = (sights: readonly Sight[]): TcpView =>
    new TcpView({
      now: () => clock.now(),
      random,
      show(sender, tcp, payload) {
        // What a server sends passes the links the other way round.
        for (const sight of sender === 'client' ? sights : [...sights].reverse())
          show({ ...packetOf(sight, sender), protocol: 'tcp', payload, tcp });
      },
    });
  const tap = (stream: NetStream, seenFrom: Sender, view: TcpView): void => {
    if (tapped.has(stream)) return;
    tapped.add(stream);
    const other: Sender = seenFrom === 'client' ? 'server' : 'client';
    addTap(stream, {
      data: (mine, bytes) => void (shown.size > 0 && view.data(mine ? seenFrom : other, bytes)),
      end: mine => void (shown.size > 0 && view.end(mine ? seenFrom : other)),
      reset: mine => void (shown.size > 0 && view.reset(mine ? seenFrom : other)),
    });
  };

  return {
    get active() {
      return shown.size > 0;
    },
    lastMet,
    met(address) {
      lastMet.delete(address);
      lastMet.set(address, clock.now());
      for (const oldest of lastMet.keys()) {
        if (lastMet.size <= MAX_MET) break;
        lastMet.delete(oldest);
      }
    },
    capture(each) {
      shown.add(each);
      for (const { stream, seenFrom, sights } of carried) tap(stream, seenFrom, viewOf(sights));
      return () => void shown.delete(each);
    },
    opening(first) {
      if (shown.size === 0) return undefined;
      const sights = [first];
      const view = viewOf(sights);
      view.syn();
      return {
        again: () => view.syn(),
        at(sight) {
          // The first packet has passed the links before this one already.
          const before = sights.splice(0);
          sights.push(sight);
          view.syn();
          sights.unshift(...before);
        },
        answered(stream, seenFrom) {
          view.answered();
          tap(stream, seenFrom, view);
        },
        failed: silent => void (silent || view.refused()),
      };
    },
    carries(stream, seenFrom, sights, opening) {
      if (opening !== undefined) opening.answered(stream, seenFrom);
      else if (shown.size > 0) tap(stream, seenFrom, viewOf(sights));
      const one = { stream, seenFrom, sights };
      carried.add(one);
      stream.on('close', () => carried.delete(one));
    },
    datagram(sight, sender, payload) {
      if (shown.size > 0) show({ ...packetOf(sight, sender), protocol: 'udp', payload });
    },
    icmp(link, direction, src, dst, ttl, icmp, size) {
      if (shown.size === 0) return;
      const protocol = src.includes(':') ? 'ipv6-icmp' : 'icmp';
      const payload = Buffer.alloc(Math.min(size, 64 * 1024));
      show({ at: clock.now(), link, direction, protocol, src, srcPort: 0, dst, dstPort: 0, ttl, payload, icmp });
    },
  };
}

function addTap(stream: NetStream, tap: StreamTap): void {
  const before = stream.tap;
  stream.tap =
    before === undefined
      ? tap
      : {
          data(mine, bytes) {
            before.data(mine, bytes);
            tap.data(mine, bytes);
          },
          end(mine) {
            before.end(mine);
            tap.end(mine);
          },
          reset(mine) {
            before.reset(mine);
            tap.reset(mine);
          },
        };
}

/** A flow's addresses as a sight. */
export const sightOf = (link: string, direction: 'in' | 'out', { src, srcPort, dst, dstPort }: Flow): Sight => ({
  link,
  direction,
  client: { address: src, port: srcPort },
  server: { address: dst, port: dstPort },
});
