import type { Readable } from 'node:stream';
import type { Account } from '../machine/memory.js';

const LF = 0x0a;
const CR = 0x0d;

/** A line that is longer than the protocol allows. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/**
 * Reads pieces of known length, or lines, from a connection. No more is taken from it than what is asked for and the rest of
 * its last chunk; what is held counts as memory of whoever reads. Linear in what comes.
 */
export class StreamReader {
  readonly #source: AsyncIterator<Buffer>;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(
    stream: Readable,
    private readonly memory: Account,
  ) {
    // The end of what is read is not the end of what is written.
    this.#source = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** Undefined when the stream ends before. @throws Killed when that is more than the container may hold */
  async bytes(length: number): Promise<Buffer | undefined> {
    while (this.#size < length) if (!(await this.#more())) return undefined;
    return this.#take(length);
  }

  /** Without its end (LF or CR LF); undefined when the stream ends before it. @throws LineTooLong, Killed */
  async line(limit: number): Promise<Buffer | undefined> {
    let seen = 0;
    for (let i = 0; ; i++) {
      if (i === this.#chunks.length && !(await this.#more())) return undefined;
      const chunk = this.#chunks[i];
      const at = chunk?.indexOf(LF) ?? -1;
      if (seen + (at < 0 ? (chunk?.length ?? 0) : at) > limit + 1) throw new LineTooLong();
      if (at >= 0) {
        const line = this.#take(seen + at + 1);
        return line.subarray(0, line.at(-2) === CR ? -2 : -1);
      }
      seen += chunk?.length ?? 0;
    }
  }

  /** Whatever comes next; undefined at the end. */
  async any(): Promise<Buffer | undefined> {
    if (this.#size === 0 && !(await this.#more())) return undefined;
    return this.#take(this.#size);
  }

  /** Whether something has come that nobody has taken yet. */
  get pending(): boolean {
    return this.#size > 0;
  }

  async #more(): Promise<boolean> {
    const next = await nextOf(this.#source);
    if (next === undefined) return false;
    this.memory.add(next.length);
    this.#size += next.length;
    this.#chunks.push(next);
    return true;
  }

  #take(length: number): Buffer {
    this.memory.remove(length);
    this.#size -= length;
    const taken: Buffer[] = [];
    let used = 0;
    for (let left = length; left > 0;) {
      const chunk = this.#chunks[used] ?? Buffer.alloc(left);
      taken.push(chunk.subarray(0, left));
      if (chunk.length > left) {
        this.#chunks[used] = chunk.subarray(left);
        break;
      }
      left -= chunk.length;
      used++;
    }
    this.#chunks.splice(0, used);
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken);
  }
}

/** A peer that is gone ends the stream, however it went. */
async function nextOf(source: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  try {
    const next = await source.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'string') return undefined;
    throw error;
  }
}
