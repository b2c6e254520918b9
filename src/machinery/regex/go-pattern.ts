import { RegexError } from './syntax.js';

/** Why a pattern is none, in Go's words. */
export const fail = (what: string, text: string): RegexError =>
  new RegexError(`error parsing regexp: ${what}: \`${text}\``);

/** A pattern and how far it is read. */
export class PatternReader {
  at = 0;

  constructor(readonly pattern: string) {}

  looking(text: string): boolean {
    return this.pattern.startsWith(text, this.at);
  }

  codePoint(): number {
    const code = this.pattern.codePointAt(this.at) ?? 0;
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }
}
