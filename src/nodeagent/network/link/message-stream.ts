import { Duplex } from 'node:stream';
import { NetworkError } from '../../../containers/network/errors.js';
import type { NetStream } from '../../../containers/network/types.js';
import { MAX_MESSAGE, MESSAGES_WAITING } from '../stream-pair.js';

/** Each message has its length before it: four bytes. */
const LENGTH_BYTES = 4;
const NOTHING = Buffer.alloc(0);

/**
 * An association of SCTP over a stream of bytes: a chunk is a message, both ways. Whoever sends what is no message, or ends
 * within one, has broken it. Of a message no more is kept than has come of it.
 */
export function messageStream(bytes: NetStream): NetStream {
  return new MessageStream(bytes);
}

class MessageStream extends Duplex implements NetStream {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** The beginning of a message: the first `have` bytes of it. */
  private kept = NOTHING;
  private have = 0;

  constructor(private readonly bytes: NetStream) {
    super({ objectMode: true, highWaterMark: MESSAGES_WAITING, allowHalfOpen: false });
    this.localAddress = bytes.localAddress;
    this.localPort = bytes.localPort;
    this.remoteAddress = bytes.remoteAddress;
    this.remotePort = bytes.remotePort;
    this.on('error', () => undefined);
    bytes.on('data', (chunk: Buffer) => this.cut(chunk));
    bytes.on('end', () => {
      if (this.have > 0) this.break('the association ended within a message');
      else this.push(null);
    });
    bytes.on('error', error => this.destroy(error));
    bytes.on('close', () => this.destroy());
    bytes.pause();
  }

  override _read(): void {
    this.bytes.resume();
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const message = Buffer.from(chunk as Buffer);
    if (message.length > MAX_MESSAGE) return done(new NetworkError('EMSGSIZE'));
    if (message.length === 0) return done();
    const head = Buffer.allocUnsafe(LENGTH_BYTES);
    head.writeUInt32BE(message.length, 0);
    this.bytes.write(Buffer.concat([head, message]), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.bytes.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.kept = NOTHING;
    this.bytes.destroy(error ?? undefined);
    done(error);
  }

  private break(detail: string): void {
    this.destroy(new NetworkError('ECONNRESET', detail));
  }

  /** Cuts off the messages that are whole; what is left waits for the rest of its own. */
  private cut(chunk: Buffer): void {
    const all = this.have === 0 ? chunk : this.append(chunk);
    let at = 0;
    while (!this.destroyed && all.length - at >= LENGTH_BYTES) {
      const length = all.readUInt32BE(at);
      if (length === 0 || length > MAX_MESSAGE) return this.break(`a message of ${length} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (end > all.length) break;
      if (!this.push(all.subarray(at + LENGTH_BYTES, end))) this.bytes.pause();
      at = end;
    }
    if (at === 0 && this.have > 0) this.have = all.length;
    else this.keep(all.subarray(at));
  }

  /** Grows by doubling: a message may come in pieces of a byte. */
  private append(chunk: Buffer): Buffer {
    const length = this.have + chunk.length;
    if (length > this.kept.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.kept.length));
      this.kept.copy(larger, 0, 0, this.have);
      this.kept = larger;
    }
    chunk.copy(this.kept, this.have);
    return this.kept.subarray(0, length);
  }

  /** What has been handed on belongs to its reader. */
  private keep(rest: Buffer): void {
    this.have = rest.length;
    this.kept = rest.length === 0 ? NOTHING : Buffer.allocUnsafeSlow(rest.length);
    rest.copy(this.kept);
  }
}
