import type { Socket } from 'node:net';
import { NetworkError } from '../../../containers/network/errors.js';
import type { Ends, Flow, NetStream, NetworkStep } from '../../../containers/network/types.js';
import type { Clock } from '../../../machinery/clock.js';
import { parseVerdict, type WirePacket } from '../wire.js';
import { decodeMessage, encodeMessage, FRAME, type FrameType, LinkError } from './frames.js';
import { createLink } from './link.js';
import { LinkStream } from './link-stream.js';
import { messageStream } from './message-stream.js';

export interface OpenOptions {
  /** UDP: the datagram. */
  readonly body?: Buffer | undefined;
  readonly observe?: ((step: NetworkStep) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until an answer is not waited for any more. */
  readonly waitMs: number;
  /** The addresses that the one who opens it knows the connection by. */
  readonly ends?: Ends | undefined;
  /** Called with the stream before anything can come through it. */
  readonly opened?: ((stream: NetStream) => void) | undefined;
}

/** What the other node made of a packet. */
export interface Opened {
  readonly stream: NetStream | undefined;
  /** UDP: the datagram that came back, if any. */
  readonly body: Buffer | undefined;
}

/** The link to another agent, from the side that opens streams. */
export interface DialledLink {
  /** Hands a packet to the other node's rules. @throws NetworkError as its stack answered, LinkLost, or the signal's reason */
  open(packet: WirePacket, options: OpenOptions): Promise<Opened>;
  /** It carries what it carries, and nothing new. */
  retire(): void;
  /** Whether more can be opened on it. */
  readonly usable: boolean;
}

/** The link broke before the other node had answered: whether the packet has reached it nobody knows. */
export class LinkLost extends NetworkError {}

interface Pending {
  readonly options: OpenOptions;
  readonly proto: Flow['proto'];
  readonly resolve: (opened: Opened) => void;
  readonly reject: (error: Error) => void;
}

const MAX_STREAM = 0xffff_ffff;

export interface DialledLinkOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly budget: { bytes: number };
  readonly onTraffic?: (() => void) | undefined;
  readonly onEnd: (error: Error) => void;
}

export function createDialledLink({ socket, clock, budget, onTraffic, onEnd }: DialledLinkOptions): DialledLink {
  const pending = new Map<number, Pending>();
  let lastStream = 0;
  let signs = 0;
  /** What was asked last has not been answered, and nothing else has come since: nobody may be there any more. */
  let doubted = false;
  let retired = false;

  const settle = (id: number): Pending | undefined => {
    const found = pending.get(id);
    pending.delete(id);
    return found;
  };
  const endIfOver = (): void => {
    if (retired && pending.size === 0 && link.streams.size === 0) link.end(new NetworkError('ECONNRESET', 'unused'));
  };

  const onVerdict = (id: number, payload: Buffer): void => {
    // It may have been given up meanwhile.
    if (!pending.has(id)) return;
    const { head, body } = decodeMessage(payload);
    const verdict = parseVerdict(head);
    if (verdict === undefined) throw new LinkError('malformed verdict');
    const { steps, error, answered } = verdict;
    const asked = settle(id);
    if (asked === undefined) return;
    for (const step of steps) asked.options.observe?.(step);
    if (error !== undefined) return asked.reject(new NetworkError(error.code, error.detail));
    if (asked.proto === 'udp') return asked.resolve({ stream: undefined, body: answered ? body : undefined });
    const stream = new LinkStream(id, link, asked.options.ends);
    link.add(stream);
    asked.options.opened?.(stream);
    if (retired) stream.once('close', endIfOver);
    asked.resolve({ stream: asked.proto === 'sctp' ? messageStream(stream) : stream, body: undefined });
  };

  const link = createLink({
    socket,
    budget,
    onFrame(type: FrameType, id, payload) {
      if (type === FRAME.open) throw new LinkError('only who dials opens streams');
      if (id > lastStream) throw new LinkError(`nobody has opened stream ${id}`);
      if (type === FRAME.verdict) {
        if (link.streams.has(id)) throw new LinkError(`a second verdict of stream ${id}`);
        onVerdict(id, payload);
        endIfOver();
      } else if (pending.has(id)) throw new LinkError(`stream ${id} begins before its verdict`);
    },
    isAwaited: () => pending.size > 0,
    onSign() {
      onTraffic?.();
      signs++;
      doubted = false;
    },
    onEnd(error) {
      const all = [...pending.values()];
      pending.clear();
      for (const { reject } of all) reject(new LinkLost('ECONNRESET', error.message));
      onEnd(error);
    },
  });

  const open = (packet: WirePacket, options: OpenOptions): Promise<Opened> =>
    new Promise((resolve, reject) => {
      const { signal, body, waitMs } = options;
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const id = ++lastStream;
      const before = signs;
      const give = (error: Error): void => {
        if (!pending.delete(id)) return;
        link.send(FRAME.reset, id);
        finish();
        reject(error);
        endIfOver();
      };
      const expire = (): void => {
        if (signs === before && !link.ended) {
          doubted = true;
          link.send(FRAME.ping, 0);
        }
        give(new NetworkError('ETIMEDOUT', 'no answer'));
      };
      const abort = (): void => give(signal?.reason as Error);
      const cancel = clock.after(waitMs, expire);
      signal?.addEventListener('abort', abort, { once: true });
      const finish = (): void => {
        link.rest();
        cancel();
        signal?.removeEventListener('abort', abort);
      };
      pending.set(id, {
        options,
        proto: packet.flow.proto,
        resolve(opened) {
          finish();
          resolve(opened);
        },
        reject(error) {
          finish();
          reject(error);
        },
      });
      link.rest();
      link.send(FRAME.open, id, encodeMessage(packet, body));
    });

  return {
    open,
    retire() {
      retired = true;
      for (const stream of link.streams.values()) stream.once('close', endIfOver);
      endIfOver();
    },
    get usable() {
      return !link.ended && !doubted && !retired && lastStream < MAX_STREAM;
    },
  };
}
