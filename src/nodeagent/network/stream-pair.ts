import { Duplex } from 'node:stream';
import { NetworkError } from '../../containers/network/errors.js';
import type { NetStream, SocketAddress, StreamProtocol, StreamTap } from '../../containers/network/types.js';

/** Of an association of SCTP: a longer message is refused. */
export const MAX_MESSAGE = 64 * 1024;
/** So many may wait for their reader. */
export const MESSAGES_WAITING = 4;

/**
 * One end of an in-process connection. Backpressure: a write completes when the peer has room to read. Of SCTP each chunk is a
 * message, and who ends it ends it both ways.
 */
class PairedStream extends Duplex implements NetStream {
  peer!: PairedStream;
  tap: StreamTap | undefined;
  private wantsMore: (() => void) | undefined;

  constructor(
    readonly localAddress: string,
    readonly localPort: number,
    readonly remoteAddress: string,
    readonly remotePort: number,
    protocol: StreamProtocol,
  ) {
    super(
      protocol === 'tcp'
        ? { allowHalfOpen: true }
        : { allowHalfOpen: false, objectMode: true, highWaterMark: MESSAGES_WAITING },
    );
    // A reset that nobody listens for must not end the agent; readers and writers still see it.
    this.on('error', () => undefined);
  }

  override _read(): void {
    const wantsMore = this.wantsMore;
    this.wantsMore = undefined;
    wantsMore?.();
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.peer.destroyed) return callback(new NetworkError('ECONNRESET'));
    if (this.writableObjectMode && chunk.length > MAX_MESSAGE) return callback(new NetworkError('EMSGSIZE'));
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.tap?.data(true, bytes);
    this.peer.tap?.data(false, bytes);
    if (this.peer.push(bytes)) callback();
    else this.peer.onRoom(callback);
  }

  /** The writer asks to be called when this end wants more. */
  onRoom(callback: () => void): void {
    this.wantsMore = callback;
  }

  override _final(callback: () => void): void {
    this.tap?.end(true);
    this.peer.tap?.end(false);
    if (!this.peer.destroyed) this.peer.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { peer } = this;
    if (error !== null) this.tap?.reset(true);
    else this.tap?.end(true);
    // As the kernel: closing with the other side still open is an end for it, an error a reset.
    if (!peer.destroyed) {
      if (error !== null) peer.tap?.reset(false);
      else peer.tap?.end(false);
      if (error !== null) peer.destroy(new NetworkError('ECONNRESET'));
      else if (!this.writableFinished) peer.push(null);
    }
    const blocked = this.wantsMore;
    this.wantsMore = undefined;
    blocked?.();
    callback(error);
  }
}

/** Two connected streams: what is written to one is read from the other. */
export function streamPair(
  client: SocketAddress,
  server: SocketAddress,
  seenByServer: SocketAddress = client,
  dialled: SocketAddress = server,
  protocol: StreamProtocol = 'tcp',
): { client: NetStream; server: NetStream } {
  const a = new PairedStream(client.address, client.port, dialled.address, dialled.port, protocol);
  const b = new PairedStream(server.address, server.port, seenByServer.address, seenByServer.port, protocol);
  a.peer = b;
  b.peer = a;
  return { client: a, server: b };
}
