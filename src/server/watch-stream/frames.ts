/** Bytes of chunks, made once for all watches of a round that send the same. */
export interface Frames {
  /** The pieces one behind the other as a chunk of HTTP/1.1's chunked coding. Pieces are told apart by identity. */
  chunk(pieces: readonly Buffer[]): Buffer;
}

/** What begins with the same pieces is one branch; `chunk` is made of those from the root to here. */
interface Branch {
  next: Map<Buffer, Branch> | undefined;
  chunk: Buffer | undefined;
}

const END_OF_CHUNK = Buffer.from('\r\n');
/** What ends a body of chunks. */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n');

function chunkOf(pieces: readonly Buffer[]): Buffer {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...pieces, END_OF_CHUNK]);
}

/** For one round: it holds on to all that it was given. */
export function createFrames(): Frames {
  const root: Branch = { next: undefined, chunk: undefined };
  return {
    chunk(pieces) {
      let branch = root;
      for (const piece of pieces) {
        const known = branch.next?.get(piece);
        if (known !== undefined) {
          branch = known;
          continue;
        }
        const made: Branch = { next: undefined, chunk: undefined };
        (branch.next ??= new Map()).set(piece, made);
        branch = made;
      }
      return (branch.chunk ??= chunkOf(pieces));
    },
  };
}
