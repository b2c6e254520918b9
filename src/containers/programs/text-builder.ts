import type { Steps } from '../../machinery/steps.js';

const PIECES = 1024;
const PIECE_LENGTH = 8192;

/** A text out of many pieces. They are joined some at a time: hundreds of thousands at once would hold up the loop. */
export class TextBuilder {
  private readonly joined: string[] = [];
  private pieces: string[] = [];

  push(...pieces: readonly string[]): void {
    for (const piece of pieces) this.pieces.push(piece);
    if (this.pieces.length >= PIECES) this.join();
  }
  private join(): void {
    this.joined.push(this.pieces.join(''));
    this.pieces = [];
  }
  text(): string {
    this.join();
    return this.joined.join('');
  }
}

/** A text made out of what `change` makes of its pieces, in steps where it is long. */
export function* mapPieces(text: string, change: (piece: string) => string): Steps<string> {
  if (text.length <= PIECE_LENGTH) return change(text);
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_LENGTH) {
    parts.push(change(text.slice(at, at + PIECE_LENGTH)));
    yield;
  }
  return parts.join('');
}
