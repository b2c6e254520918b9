import { Duplex } from 'node:stream';
import { NetworkError } from '../../../containers/network/errors.js';
import type { Ends, NetStream, StreamTap } from '../../../containers/network/types.js';
import { FRAME, type FrameType, LinkError, MAX_DATA } from './frames.js';

/** What a stream needs of the link that carries it. */
export interface StreamCarrier {
  send(type: FrameType, stream: number, payload?: Buffer): void;
  /** The stream has something to send and may: it is asked for it when its turn comes. */
  queue(stream: LinkStream): void;
  /** Asks for so much more memory; false: there is no more. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  /** Nothing more is sent or received. */
  forget(stream: LinkStream): void;
}

/** What a reader promises to keep at first. */
export const FIRST_WINDOW = 64 * 1024;
/** What it grows to while its reader reads: enough for a stream to go on while its reader's process has other turns. */
export const MAX_WINDOW = 1024 * 1024;
/** Pieces that are smaller are put together: memory is not only what is in it. */
const SMALL = 256;

interface Unsent {
  readonly chunk: Buffer;
  at: number;
  readonly done: (error?: Error | null) => void;
}

/** One end of a connection that a link carries: a stream as any other, which sends no more than the other end keeps. */
export class LinkStream extends Duplex implements NetStream {
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  tap: StreamTap | undefined;
  /** Called once, when the link carries it no more. */
  onLeft: (() => void) | undefined;
  /** What may still be sent. */
  private credit = FIRST_WINDOW;
  private unsent: Unsent | undefined;
  /** What has been promised to the peer, of which it may still send `room`, and `owed` has been read meanwhile. */
  private window = FIRST_WINDOW;
  private room = FIRST_WINDOW;
  private owed = 0;
  private received: Buffer[] = [];
  private wanted = false;
  private far: 'open' | 'ended' | 'closed' | 'broken' = 'open';
  private endSent = false;
  private endRead = false;
  private left = false;

  constructor(
    readonly id: number,
    private readonly carrier: StreamCarrier,
    ends?: Ends,
  ) {
    super({ allowHalfOpen: true, readableHighWaterMark: MAX_DATA, writableHighWaterMark: MAX_DATA });
    if (ends !== undefined) {
      this.localAddress = ends.local.address;
      this.localPort = ends.local.port;
      this.remoteAddress = ends.remote.address;
      this.remotePort = ends.remote.port;
    }
    // A reset that nobody listens for must not end the agent; readers and writers still see it.
    this.on('error', () => undefined);
  }

  /** @throws LinkError when the peer sends what it may not */
  receive(data: Buffer): void {
    if (this.far !== 'open') throw new LinkError(`stream ${this.id} goes on after its end`);
    this.room -= data.length;
    if (this.room < 0) throw new LinkError(`stream ${this.id} sends more than its window`);
    this.tap?.data(false, data);
    this.keep(data);
    this.hand();
  }

  /** The peer sends no more, and with `closed` reads no more. @throws LinkError */
  receiveEnd(closed: boolean): void {
    if (this.far === 'closed' || (this.far === 'ended' && !closed))
      throw new LinkError(`stream ${this.id} ends for a second time`);
    this.tap?.end(false);
    this.far = closed ? 'closed' : 'ended';
    // What is under way to somebody who is gone is lost; the next write learns of it.
    if (closed) this.sent();
    if (closed || this.endSent) this.leave();
    this.hand();
  }

  /** The peer, or the way to it, is lost. */
  receiveReset(detail = ''): void {
    this.tap?.reset(false);
    this.far = 'broken';
    this.received = [];
    this.destroy(new NetworkError('ECONNRESET', detail));
  }

  /** @throws LinkError when more is allowed than anybody keeps */
  receiveCredit(bytes: number): void {
    this.credit += bytes;
    if (this.credit > MAX_WINDOW)
      throw new LinkError(`stream ${this.id} has a window of more than ${MAX_WINDOW} bytes`);
    if (this.unsent !== undefined) this.carrier.queue(this);
  }

  /** Sends as much as one frame holds. True: there is more, and it may be sent. */
  sendFrame(): boolean {
    const { unsent, credit } = this;
    if (unsent === undefined || credit === 0) return false;
    const end = Math.min(unsent.chunk.length, unsent.at + Math.min(credit, MAX_DATA));
    const whole = unsent.at === 0 && end === unsent.chunk.length;
    const payload = whole ? unsent.chunk : unsent.chunk.subarray(unsent.at, end);
    this.tap?.data(true, payload);
    this.credit -= payload.length;
    unsent.at = end;
    this.carrier.send(FRAME.data, this.id, payload);
    if (end === unsent.chunk.length) this.sent();
    return this.unsent !== undefined && this.credit > 0;
  }

  override _read(): void {
    this.wanted = true;
    this.hand();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.far === 'closed' || this.far === 'broken') return done(new NetworkError('ECONNRESET'));
    if (chunk.length === 0) return done();
    this.unsent = { chunk, at: 0, done };
    if (this.credit > 0) this.carrier.queue(this);
  }

  override _final(done: () => void): void {
    this.endSent = true;
    this.tap?.end(true);
    if (this.far === 'open' || this.far === 'ended') this.carrier.send(FRAME.end, this.id);
    if (this.far === 'ended') this.leave();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.received = [];
    if (error === null) this.tap?.end(true);
    else this.tap?.reset(true);
    if (this.far === 'open' || this.far === 'ended') {
      if (error !== null) this.carrier.send(FRAME.reset, this.id);
      // As the kernel: closing is an end for the other side, which learns with its next write that nobody reads it.
      else if (!this.endSent || this.far === 'open') this.carrier.send(FRAME.close, this.id);
    }
    this.carrier.release(this.window - FIRST_WINDOW);
    this.leave();
    this.sent();
    done(error);
  }

  /** The link has no more to do with it, although whoever has the stream may take their time to read what came. */
  private leave(): void {
    if (this.left) return;
    this.left = true;
    this.carrier.forget(this);
    this.onLeft?.();
  }

  private sent(): void {
    const { unsent } = this;
    this.unsent = undefined;
    unsent?.done();
  }

  private keep(data: Buffer): void {
    const last = this.received.at(-1);
    if (last === undefined || last.length + data.length > SMALL) return void this.received.push(data);
    const both = Buffer.allocUnsafeSlow(last.length + data.length);
    last.copy(both);
    data.copy(both, last.length);
    this.received[this.received.length - 1] = both;
  }

  /** Gives the reader what it wants. */
  private hand(): void {
    if (this.destroyed) return;
    while (this.wanted && this.received.length > 0) {
      const data = this.received.shift() as Buffer;
      this.wanted = this.push(data);
      this.repay(data.length);
    }
    if (this.received.length > 0 || this.far === 'open' || this.far === 'broken' || this.endRead) return;
    // An end comes in another turn than what was before it, as from a socket, so that a reader can answer that first.
    this.endRead = true;
    setImmediate(() => {
      if (!this.destroyed) this.push(null);
    });
  }

  /** What has been read may be sent again, and more while there is somebody who reads. */
  private repay(bytes: number): void {
    this.owed += bytes;
    if (this.far !== 'open' || this.owed * 2 < this.window || this.destroyed) return;
    let grant = this.owed;
    if (this.window < MAX_WINDOW && this.carrier.reserve(this.window)) {
      grant += this.window;
      this.window *= 2;
    }
    this.owed = 0;
    this.room += grant;
    const allowed = Buffer.allocUnsafe(4);
    allowed.writeUInt32BE(grant, 0);
    this.carrier.send(FRAME.window, this.id, allowed);
  }
}
