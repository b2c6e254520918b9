import type { Socket } from 'node:net';
import { NetworkError, toNetworkError } from '../../../containers/network/errors.js';
import type {
  Ends,
  ForwardOptions,
  NetStream,
  NetworkStep,
  PacketReceiver,
} from '../../../containers/network/types.js';
import type { Clock } from '../../../machinery/clock.js';
import { joinStreams } from '../join-streams.js';
import { parsePacket, type WirePacket, type WireVerdict } from '../wire.js';
import { decodeMessage, encodeMessage, FRAME, LinkError } from './frames.js';
import { createLink, type Link } from './link.js';
import { LinkStream } from './link-stream.js';
import { messageStream } from './message-stream.js';

/** Who dials says at once who it is. */
const GREETING_MS = 10_000;

export interface ServedLinkOptions {
  readonly socket: Socket;
  readonly network: PacketReceiver;
  readonly clock: Clock;
  readonly budget: { bytes: number };
  /** Takes a place for a stream; false: all are taken. */
  readonly enter: () => boolean;
  readonly leave: () => void;
  readonly onTraffic?: (() => void) | undefined;
  readonly onEnd: (error: Error) => void;
}

/** The link from another agent: its packets go through the rules of this node, and their streams to whoever is theirs. */
export function serveLink(options: ServedLinkOptions): Link {
  const { socket, network, clock, budget, enter, leave } = options;
  /** Packets on their way; aborted when whoever sent them is gone. */
  const opening = new Map<number, AbortController>();
  let lastStream = 0;
  const cancelDeadline = clock.after(GREETING_MS, () => link.end(new LinkError('nobody has said who they are')));

  const answer = (id: number, verdict: WireVerdict, body?: Buffer): void => {
    if (!opening.delete(id)) return;
    leave();
    link.send(FRAME.verdict, id, encodeMessage(verdict, body));
    link.rest();
  };

  /** Never rejects: whatever becomes of it, it is this one packet's trouble. */
  const run = async (id: number, packet: WirePacket, body: Buffer, gone: AbortController): Promise<void> => {
    const steps: NetworkStep[] = [];
    const { flow, trace } = packet;
    /** This node's end of the connection, once there is one. */
    let end: NetStream | undefined;
    const carry = (ends?: Ends): NetStream => {
      if (!opening.delete(id)) throw new NetworkError('ECONNRESET');
      const stream = new LinkStream(id, link, ends);
      link.send(FRAME.verdict, id, encodeMessage({ steps, answered: true } satisfies WireVerdict));
      link.add(stream);
      stream.onLeft = leave;
      end = flow.proto === 'sctp' ? messageStream(stream) : stream;
      return end;
    };
    // Steps come with the verdict: a listener whose connection is traced is given its end before that.
    const given = trace ? tracedOptions(packet, gone, step => steps.push(step)) : takingOptions(packet, gone, carry);
    try {
      if (packet.probe !== undefined) {
        const { src, dst, dstPort } = flow;
        const probe = { ...packet.probe, src, dst, dstPort, ttl: packet.ttl };
        const found = await network.acceptProbe?.(probe, { timeoutMs: packet.timeoutMs, signal: gone.signal });
        const told = found === undefined ? undefined : Buffer.from(JSON.stringify(found));
        return answer(id, { steps, answered: told !== undefined }, told);
      }
      if (flow.proto === 'udp') {
        const reply = await network.acceptUdp(flow, body, given);
        return answer(id, { steps, answered: reply !== undefined }, reply);
      }
      const far = await (flow.proto === 'sctp' ? network.acceptSctp(flow, given) : network.acceptTcp(flow, given));
      if (far === end) return;
      if (!opening.has(id)) return void far.destroy();
      joinStreams(carry(), far);
    } catch (error) {
      const { code, detail } = toNetworkError(error);
      end?.destroy(new NetworkError(code, detail));
      answer(id, { steps, answered: false, error: { code, detail } });
    }
  };

  const open = (id: number, payload: Buffer): void => {
    if (id <= lastStream) throw new LinkError(`stream ${id} is opened again`);
    lastStream = id;
    const { head, body } = decodeMessage(payload);
    const packet = parsePacket(head);
    if (packet === undefined) throw new LinkError('malformed packet');
    if (!enter()) {
      const error = { code: 'ECONNREFUSED', detail: 'too many connections between nodes' } as const;
      return link.send(FRAME.verdict, id, encodeMessage({ steps: [], answered: false, error } satisfies WireVerdict));
    }
    const gone = new AbortController();
    opening.set(id, gone);
    link.rest();
    void run(id, packet, body, gone);
  };

  const link = createLink({
    socket,
    budget,
    pausesWhenFlooded: true,
    onGreeting: cancelDeadline,
    onSign: () => options.onTraffic?.(),
    isAwaited: () => opening.size > 0,
    onFrame(type, id, payload) {
      if (type === FRAME.open) return open(id, payload);
      if (type === FRAME.verdict) throw new LinkError('only who is dialled gives verdicts');
      if (id > lastStream) throw new LinkError(`nobody has opened stream ${id}`);
      const gone = opening.get(id);
      // What comes for a stream that is over was under way when it ended.
      if (gone === undefined) return;
      if (type !== FRAME.reset) throw new LinkError(`stream ${id} begins before its verdict`);
      opening.delete(id);
      leave();
      link.rest();
      gone.abort(new NetworkError('ECONNRESET'));
    },
    onEnd(error) {
      cancelDeadline();
      const all = [...opening.values()];
      opening.clear();
      for (const gone of all) {
        leave();
        gone.abort(new NetworkError('ECONNRESET'));
      }
      options.onEnd(error);
    },
  });
  return link;
}

/** Most packets never ask for the signal, which costs more than the rest of them. */
const takingOptions = (
  { ttl, timeoutMs }: WirePacket,
  gone: AbortController,
  take: (ends: Ends) => NetStream,
): ForwardOptions => ({
  ttl,
  timeoutMs,
  take,
  get signal() {
    return gone.signal;
  },
});

const tracedOptions = (
  { ttl, timeoutMs }: WirePacket,
  { signal }: AbortController,
  observe: (step: NetworkStep) => void,
): ForwardOptions => ({ ttl, timeoutMs, signal, observe });
