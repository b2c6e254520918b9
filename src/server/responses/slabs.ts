import { CHUNK_BYTES, type Memory } from './chunked.js';

/** A chunk of a list, and the item that made it long enough. */
const SLAB_BYTES = CHUNK_BYTES + 16 * 1024;
/** Node cuts what is smaller from a pool of its own. */
const SMALL_BYTES = 4 * 1024;
/** So many are kept for later answers; more are made where more answers are on their way. */
const KEPT = 32;
/** What is longer goes out as its client takes it, and would hold on to many. */
const PER_ANSWER = 3;

/**
 * Memory that answers are written from, used again for later ones: V8 counts what Buffers take beside its heap as if it were
 * old objects, and begins a collection of the whole heap every 10 MB or so, which a few dozen lists come to.
 */
export class Slabs {
  private readonly free: Buffer[] = [];

  /** Memory of one answer. */
  lend(): Loan {
    return new Loan(this.free);
  }
}

export class Loan implements Memory {
  private lent: Buffer[] | undefined;

  constructor(private readonly free: Buffer[]) {}

  take(size: number): Buffer {
    if (size < SMALL_BYTES || size > SLAB_BYTES || this.lent?.length === PER_ANSWER) return Buffer.allocUnsafe(size);
    const slab = this.free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    (this.lent ??= []).push(slab);
    return slab.subarray(0, size);
  }

  /** The answer is out, and nobody looks at its bytes any more. */
  end(): void {
    for (const slab of this.lent ?? []) if (this.free.length < KEPT) this.free.push(slab);
    this.lent = undefined;
  }
}
