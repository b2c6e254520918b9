import { UNITS } from './set-text.js';
import { refuse, type Tokens } from './tokens.js';

const DIGITS = '0123456789';
export const MAX_SECONDS = 2 ** 31;

/** "3h", "1m40s" */
function parseDuration(text: string): number | undefined {
  const sizes = new Map<string, number>(UNITS);
  let total = 0;
  let number = '';
  for (const character of text) {
    if (DIGITS.includes(character)) {
      number += character;
      continue;
    }
    const size = sizes.get(character);
    if (size === undefined || number === '') return undefined;
    total += Number(number) * size;
    number = '';
  }
  return number === '' && text !== '' && total <= MAX_SECONDS ? total : undefined;
}

export function readDuration(tokens: Tokens): number {
  const token = tokens.next();
  return parseDuration(token.text) ?? refuse(token, `${token.text} is no time`);
}
