import { NetfilterError } from '../../kernel/errors.js';
import type { Match } from '../../kernel/xtables/rule.js';
import type { Family } from '../../packet.js';

/** The arguments of a rule, read one after another, and the matches that they have become. */
export interface Reader {
  readonly family: Family;
  readonly matches: Match[];
  next(): string | undefined;
  peek(): string | undefined;
  value(option: string): string;
  invertNext(): void;
  /** `{invert: true}` once after a "!", else nothing. */
  takeInvert(): { invert?: true };
}

export function createReader(args: readonly string[], family: Family): Reader {
  let position = 0;
  let inverted = false;
  return {
    family,
    matches: [],
    next: () => args[position++],
    peek: () => args[position],
    value(option) {
      const value = args[position++];
      if (value === undefined) throw new NetfilterError(`option "${option}" requires an argument`);
      return value;
    },
    invertNext: () => void (inverted = true),
    takeInvert() {
      const result = inverted ? { invert: true as const } : {};
      inverted = false;
      return result;
    },
  };
}

/** Takes an option that must come now, with a "!" before it. */
export function expect(reader: Reader, option: string): { invert?: true } {
  let next = reader.next();
  if (next === '!') {
    reader.invertNext();
    next = reader.next();
  }
  if (next !== option) throw new NetfilterError(`unknown option "${next ?? ''}"`);
  return reader.takeInvert();
}

/** Takes an option when it is the next one. */
export function take(reader: Reader, option: string): boolean {
  if (reader.peek() !== option) return false;
  reader.next();
  return true;
}
