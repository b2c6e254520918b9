import { Duplex } from 'node:stream';

const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

interface Chunk {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/** One end of a connection within this process, with as much of net.Socket as Node's HTTP asks for. */
class SocketEnd extends Duplex {
  peer!: SocketEnd;
  readonly remoteAddress = '127.0.0.1';
  /** Nothing between the two ends can stall, so nobody has to be impatient. */
  readonly timeout = 0;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  /** Whether the peer is to be told, or has been, that no more is written. */
  private ending: 'open' | 'due' | 'told' = 'open';
  private taken: (() => void)[] = [];
  private scheduled = false;

  constructor() {
    super({ allowHalfOpen: true });
    // A reset that nobody listens for must not end the process; readers and writers still see it.
    this.on('error', () => undefined);
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    this.peer.deliverSoon();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this._writev([{ chunk, encoding }], callback);
  }

  override _writev(chunks: Chunk[], callback: (error?: Error | null) => void): void {
    if (this.peer.destroyed) return callback(reset());
    for (const { chunk, encoding } of chunks) {
      // A copy: as with a kernel's socket, what was written is the writer's again when it hears so.
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
      this.waiting.push(bytes);
      this.waitingBytes += bytes.length;
    }
    // What is written in one turn is delivered together, unless it is too much.
    if (this.waitingBytes < this.writableHighWaterMark) callback();
    else this.taken.push(callback);
    this.deliverSoon();
  }

  override _final(callback: () => void): void {
    this.ending = 'due';
    this.taken.push(callback);
    this.deliverSoon();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // What was written before still arrives, as with a connection that is closed; an error is a reset.
    if (error === null) this.deliver();
    const { peer } = this;
    if (this.ending !== 'told' && !peer.destroyed)
      setImmediate(() => peer.destroy(error === null ? undefined : reset()));
    this.release();
    callback(error);
  }

  /** In a turn of its own, as what comes over a network: who writes does not do the reader's work. */
  private deliverSoon(): void {
    if (this.scheduled || (this.waiting.length === 0 && this.ending !== 'due')) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    const { peer, waiting } = this;
    if (!peer.destroyed) {
      // A peer that has enough asks for more when it has read some: until then the writer waits.
      if (waiting.length > 0 && peer.readableLength >= peer.readableHighWaterMark) return;
      this.waiting = [];
      this.waitingBytes = 0;
      if (waiting.length > 0) peer.push(waiting.length === 1 ? waiting[0] : Buffer.concat(waiting));
      if (this.ending === 'due') {
        this.ending = 'told';
        peer.push(null);
      }
    }
    this.release();
  }

  private release(): void {
    const { taken } = this;
    this.taken = [];
    for (const callback of taken) callback();
  }
}

/** A connection within this process: what is written to one end is read from the other, with backpressure. */
export function socketPair(): { readonly client: Duplex; readonly server: Duplex } {
  const client = new SocketEnd();
  const server = new SocketEnd();
  client.peer = server;
  server.peer = client;
  return { client, server };
}
