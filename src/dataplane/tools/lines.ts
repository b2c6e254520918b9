import { NetfilterError } from '../kernel/errors.js';

/** The longest line, as iptables-restore has it. */
export const MAX_LINE_LENGTH = 10_240;

/**
 * Gives the words of each line that has some. `where`: how the tool names a line in its errors.
 * @throws NetfilterError what `visit` throws, after the name of its line
 */
export function eachLine(
  text: string,
  where: (line: number) => string,
  visit: (words: readonly string[]) => void,
): void {
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      if (line.length > MAX_LINE_LENGTH) throw new NetfilterError(`the line is longer than ${MAX_LINE_LENGTH}`);
      visit(line.split(/\s+/));
    } catch (error) {
      if (!(error instanceof NetfilterError)) throw error;
      throw new NetfilterError(`${where(i + 1)}: ${error.message}`);
    }
  }
}
