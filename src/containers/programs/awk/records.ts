import { trimEnd } from '../../../machinery/trim.js';
import type { Input } from '../../io.js';
import type { Process } from '../../process.js';
import type { Regex } from '../../../machinery/regex/regex.js';
import { fromBytes } from '../lines.js';

/** Where records end: at a character, at empty lines, or where an expression matches. */
export type Separator =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'paragraph' }
  | { readonly kind: 'regex'; readonly regex: Regex };

/** Records of an input, one after the other; a record without end counts as the process's memory. */
export class RecordReader {
  private buffer = '';
  private at = 0;
  /** Pieces of a record that has not ended, none of which has a separator. */
  private parts: string[] = [];
  private held = 0;
  private ended = false;

  constructor(
    private readonly process: Process,
    private readonly input: Input,
  ) {}

  async next(separator: Separator): Promise<string | undefined> {
    for (;;) {
      const record =
        separator.kind === 'character' ? this.byCharacter(separator.character) : await this.bySearch(separator);
      if (record !== undefined) return record;
      if (this.ended) return this.rest(separator);
      const chunk = await this.input.read(this.process.signal);
      if (chunk === undefined) this.ended = true;
      else if (separator.kind === 'character') {
        this.buffer = fromBytes(chunk);
        this.at = 0;
      } else {
        this.hold(chunk.length);
        this.buffer = this.buffer.slice(this.at) + fromBytes(chunk);
        this.at = 0;
      }
    }
  }

  private hold(bytes: number): void {
    this.held += bytes;
    this.process.memory.add(bytes);
  }
  private release(): void {
    this.process.memory.remove(this.held);
    this.held = 0;
  }

  private byCharacter(character: string): string | undefined {
    const end = this.buffer.indexOf(character, this.at);
    if (end >= 0) {
      const last = this.buffer.slice(this.at, end);
      this.at = end + 1;
      if (this.parts.length === 0) return last;
      this.parts.push(last);
      return this.join();
    }
    if (this.at < this.buffer.length) {
      const piece = this.buffer.slice(this.at);
      this.parts.push(piece);
      this.hold(piece.length + 64);
      this.at = this.buffer.length;
    }
    return undefined;
  }
  private join(): string {
    const record = this.parts.join('');
    this.parts = [];
    this.release();
    return record;
  }

  private async bySearch(separator: Exclude<Separator, { kind: 'character' }>): Promise<string | undefined> {
    if (this.parts.length > 0) {
      this.buffer = this.join() + this.buffer.slice(this.at);
      this.at = 0;
    }
    if (separator.kind === 'paragraph') while (this.buffer[this.at] === '\n') this.at++;
    if (this.at >= this.buffer.length) return undefined;
    let [start, end] = [-1, -1];
    if (separator.kind === 'paragraph') {
      start = this.buffer.indexOf('\n\n', this.at);
      end = start + 2;
      while (this.buffer[end] === '\n') end++;
    } else {
      const found = await separator.regex.exec(this.buffer, this.at);
      if (found !== undefined && found.end > found.start) [start, end] = [found.start, found.end];
    }
    // A separator at the very end may go on in what comes next.
    if (start < 0 || (end >= this.buffer.length && !this.ended)) return undefined;
    const record = this.buffer.slice(this.at, start);
    this.at = end;
    this.release();
    return record;
  }

  private rest(separator: Separator): string | undefined {
    if (this.parts.length > 0) return this.join();
    if (this.at >= this.buffer.length) return undefined;
    const rest = this.buffer.slice(this.at);
    this.buffer = '';
    this.at = 0;
    this.release();
    return separator.kind === 'character' ? rest : trimEnd(rest, '\n');
  }
}
