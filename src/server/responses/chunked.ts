export const CHUNK_BYTES = 64 * 1024;

/** Where the bytes of an answer are put together. */
export interface Memory {
  take(size: number): Buffer;
}

export const FRESH_MEMORY: Memory = { take: size => Buffer.allocUnsafe(size) };

/** The pieces in one, which are `size` bytes together. */
export function joinedIn(memory: Memory, pieces: readonly Buffer[], size: number): Buffer {
  const target = memory.take(size);
  let at = 0;
  for (const piece of pieces) at += piece.copy(target, at);
  return target;
}

/** Joins small pieces into chunks worth a write. */
export function* chunked(pieces: Iterable<Buffer>, memory: Memory): Generator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    pending.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield joinedIn(memory, pending, size);
    pending = [];
    size = 0;
  }
  if (size > 0) yield joinedIn(memory, pending, size);
}
