import { NetfilterError } from '../kernel/errors.js';

/** The longest line, as iptables-restore has it. */
export const MAX_LINE_LENGTH = 10_240;

/** What a text may have: 10,000 Services of ten endpoints are 430,000 lines for iptables, 565,000 for nft, of 33 MB at most. */
export interface TextLimits {
  readonly characters: number;
  readonly lines: number;
}
export const TEXT_LIMITS: TextLimits = { characters: 256 << 20, lines: 2_000_000 };

/** @throws NetfilterError */
export function checkLength(text: string, { characters }: TextLimits): void {
  if (text.length > characters) throw new NetfilterError(`the text is longer than ${characters} characters`);
}

/** @throws NetfilterError */
export function checkLine(line: number, { lines }: TextLimits): void {
  if (line > lines) throw new NetfilterError(`the text has more than ${lines} lines`);
}

/** Gives each line by its number, from 1. @throws NetfilterError where there is too much of it */
export function* numberedLines(text: string, limits: TextLimits): Generator<readonly [number: number, line: string]> {
  checkLength(text, limits);
  for (let start = 0, number = 1; start <= text.length; number++) {
    checkLine(number, limits);
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    yield [number, text.slice(start, end)];
    start = end + 1;
  }
}

/**
 * Gives the words of each line that has some. `where`: how the tool names a line in its errors.
 * @throws NetfilterError what `visit` throws, after the name of its line
 */
export function eachLine(
  text: string,
  where: (line: number) => string,
  visit: (words: readonly string[]) => void,
  limits: TextLimits = TEXT_LIMITS,
): void {
  for (const [number, raw] of numberedLines(text, limits)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      if (line.length > MAX_LINE_LENGTH) throw new NetfilterError(`the line is longer than ${MAX_LINE_LENGTH}`);
      visit(line.split(/\s+/));
    } catch (error) {
      if (!(error instanceof NetfilterError)) throw error;
      throw new NetfilterError(`${where(number)}: ${error.message}`);
    }
  }
}
