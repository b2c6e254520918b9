import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../machinery/clock.js';
import type { Random } from '../machinery/random.js';
import { encodeQuestion, MessageError, MIN_UDP_SIZE, type Query } from './message.js';
import { type Answer, emptyAnswer, RCODE } from './records.js';
import { decodeResponse, encodeUpstreamQuery, type UpstreamResponse } from './upstream-message.js';

export type Transport = 'udp' | 'tcp';

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

export interface ForwardOptions {
  /** At least one. */
  readonly upstreams: readonly Upstream[];
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: ForwardMetrics;
}

export interface ForwardMetrics {
  forwarded(to: string, rcode: number, seconds: number): void;
  rejected(): void;
}

/** CoreDNS's forward plugin: asks upstream servers, one after the other. */
export interface Forward {
  /** Never rejects: who is not answered answers SERVFAIL. */
  ask(query: Query, transport: Transport): Answer | Promise<Answer>;
}

/** kubeadm's "max_concurrent". */
export const MAX_CONCURRENT = 1000;
/** For all servers. */
const TOTAL_MS = 5_000;
const READ_MS = 2_000;

export function createForward({ upstreams, clock, random, metrics }: ForwardOptions): Forward {
  let concurrent = 0;

  async function exchange(to: Upstream, query: Query, transport: Transport, ms: number): Promise<UpstreamResponse> {
    // An answer is believed that has this number and comes from that address to this port.
    const id = randomInt(0x10000);
    const message = encodeUpstreamQuery(id, query, encodeQuestion(query));
    const sent = [id, message, Math.max(MIN_UDP_SIZE, query.edns?.udpSize ?? 0)] as const;
    return transport === 'udp' ? overUdp(to, sent, clock, ms) : overTcp(to, sent, clock, ms);
  }

  async function askAll(query: Query, transport: Transport): Promise<Answer> {
    const deadline = clock.monotonic() + TOTAL_MS;
    // CoreDNS's "random" policy.
    const first = Math.floor(random.number() * upstreams.length);
    for (let i = 0; i < upstreams.length; i++) {
      const to = upstreams[(first + i) % upstreams.length];
      const left = deadline - clock.monotonic();
      if (to === undefined || left <= 0) break;
      const started = clock.monotonic();
      try {
        const { name, type, answer } = await exchange(to, query, transport, Math.min(READ_MS, left));
        metrics?.forwarded(`${to.address}:${to.port}`, answer.rcode, (clock.monotonic() - started) / 1000);
        return name === query.name.toLowerCase() && type === query.type ? answer : emptyAnswer(RCODE.FORMERR);
      } catch (error) {
        // Silence, a refused port or noise: the next one may know.
        if (!(error instanceof UpstreamError || error instanceof MessageError)) throw error;
      }
    }
    return emptyAnswer(RCODE.SERVFAIL);
  }

  return {
    async ask(query, transport) {
      if (concurrent >= MAX_CONCURRENT) {
        metrics?.rejected();
        return emptyAnswer(RCODE.REFUSED);
      }
      concurrent++;
      try {
        return await askAll(query, transport);
      } finally {
        concurrent--;
      }
    },
  };
}

type Sent = readonly [id: number, query: Buffer, room: number];

/** A datagram longer than was asked for counts as one that says it was cut. */
function cut(message: Buffer): UpstreamResponse {
  const response = decodeResponse(message);
  return { ...response, answer: { ...response.answer, truncated: true, answers: [], authority: [], additional: [] } };
}

class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
}

/** @throws UpstreamError, MessageError */
async function overUdp({ address, port }: Upstream, [id, query, room]: Sent, clock: Clock, ms: number) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  let cancel = (): void => undefined;
  try {
    return await new Promise<UpstreamResponse>((done, failed) => {
      cancel = clock.after(ms, () => failed(new UpstreamError('no answer')));
      socket.once('error', error => failed(new UpstreamError(error.message)));
      socket.on('message', message => {
        // An answer to another question is none, and the right one may still come.
        if (message.length < 2 || message.readUInt16BE(0) !== id) return;
        try {
          done(message.length > room ? cut(message) : decodeResponse(message));
        } catch (error) {
          failed(error instanceof MessageError ? error : new UpstreamError(String(error)));
        }
      });
      // A connected socket hears of nobody else.
      socket.connect(port, address, () => socket.send(query));
    });
  } finally {
    cancel();
    socket.close();
  }
}

/** @throws UpstreamError, MessageError */
async function overTcp({ address, port }: Upstream, [id, query]: Sent, clock: Clock, ms: number) {
  const socket = connect(port, address);
  const cancel = clock.after(ms, () => socket.destroy(new UpstreamError('no answer')));
  try {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    const chunks: Buffer[] = [];
    let received = 0;
    let end: number | undefined;
    for await (const chunk of socket) {
      chunks.push(chunk as Buffer);
      received += (chunk as Buffer).length;
      if (received < 2) continue;
      end ??= 2 + Buffer.concat(chunks).readUInt16BE(0);
      if (received < end) continue;
      const response = decodeResponse(Buffer.concat(chunks).subarray(2, end));
      if (response.id !== id) throw new UpstreamError('an answer to another question');
      return response;
    }
    throw new UpstreamError('closed');
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof MessageError) throw error;
    throw new UpstreamError((error as Error).message);
  } finally {
    cancel();
    socket.destroy();
  }
}
