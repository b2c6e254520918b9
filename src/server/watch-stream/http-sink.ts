import type { ServerResponse } from 'node:http';
import type { Backlog, BacklogAccount } from './backlog.js';
import { LAST_CHUNK, type Frames } from './frames.js';
import type { Rounds } from './rounds.js';
import type { WatchSink } from './sink.js';

/** What waits of one watch above this does not wait for the end of a pause. */
const HURRY_BYTES = 32 * 1024;

const NOTHING: Buffer[] = [];

/**
 * A chunked HTTP response, whose headers have been flushed. What is written waits for its round, and as long as the client
 * has not taken what was sent before. All watches that send the same share its bytes, also where clients are slow.
 */
export class HttpSink implements WatchSink {
  private readonly account: BacklogAccount;
  /** Of HTTP/1.0 a body has no chunks. Else they are made here, and Node is told that there are none to be made. */
  private readonly chunked: boolean;
  private pieces = NOTHING;
  private bytes = 0;
  /** As many of these as its client has been late for. */
  private counted = 0;
  private state: 'idle' | 'waiting for its round' | 'waiting for its client' = 'idle';
  private ending = false;

  constructor(
    private readonly response: ServerResponse,
    backlog: Backlog,
    private readonly rounds: Rounds,
  ) {
    this.account = backlog.open(() => response.destroy());
    this.chunked = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** The connection is. */
  closed(): void {
    this.account.close();
    this.pieces = NOTHING;
  }

  write(more: readonly Buffer[]): void {
    if (this.gone || this.ending || more.length === 0) return;
    // An empty list of its own is made only for those that have something to write.
    if (this.pieces === NOTHING) this.pieces = [];
    let added = 0;
    for (const piece of more) {
      this.pieces.push(piece);
      added += piece.length;
    }
    this.bytes += added;
    // While it waits for its round, nobody but the server is late.
    if (this.state === 'waiting for its client') {
      this.counted += added;
      this.account.add(added);
    } else if (this.bytes > HURRY_BYTES) this.rounds.hurry();
    if (this.state === 'idle') this.join();
  }

  backlog(): number {
    return this.account.bytes() + this.bytes - this.counted;
  }

  end(): void {
    if (this.ending || this.gone) return;
    this.ending = true;
    if (this.state === 'idle') this.finish();
  }

  destroy(): void {
    this.response.destroy();
  }

  private get gone(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }

  private finish(): void {
    if (this.chunked) this.response.write(LAST_CHUNK);
    this.response.end();
  }

  private join(): void {
    this.state = 'waiting for its round';
    this.rounds.join(frames => this.send(frames));
  }

  private send(frames: Frames): void {
    if (this.gone) return;
    const chunk = this.chunked ? frames.chunk(this.pieces) : Buffer.concat(this.pieces);
    const sent = this.bytes;
    const uncounted = this.bytes - this.counted;
    this.pieces = NOTHING;
    this.bytes = this.counted = 0;
    this.state = 'waiting for its client';
    this.response.write(chunk, () => this.taken(sent));
    this.account.add(uncounted);
  }

  private taken(bytes: number): void {
    this.account.take(bytes);
    this.state = 'idle';
    if (this.pieces.length > 0) this.join();
    else if (this.ending && !this.gone) this.finish();
  }
}

/** @returns what tells it that the connection is closed, by the response itself */
export function httpSink(response: ServerResponse, backlog: Backlog, rounds: Rounds): WatchSink {
  const sink = new HttpSink(response, backlog, rounds);
  response.on('close', () => sink.closed());
  return sink;
}
