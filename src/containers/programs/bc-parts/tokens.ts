import type { Process } from '../../process.js';
import { asText } from '../lines.js';
import { BcError } from './errors.js';

const TOKEN =
  /\s*(?:([0-9A-F]*\.?[0-9A-F]+|[0-9A-F]+\.)|([a-z][a-z0-9_]*)|("[^"]*")|(\+\+|--|[-+*/%^]=|<=|>=|==|!=|&&|\|\||[-+*/%^=<>!(){};,\n]))/y;

/** The words of a program, without its comments; a line's end is one of them. @throws BcError */
export async function bcTokens(given: string, process: Process): Promise<string[]> {
  const source = asText(given)
    .replace(/\/\*[^]*?\*\//g, ' ')
    .replace(/#[^\n]*/g, '')
    .replace(/\\\n/g, '');
  // What only blanks follow, but for line ends.
  let end = source.length;
  while (end > 0 && ' \t\r\f\v'.includes(source.charAt(end - 1))) end--;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let place = 0; place < end; place = TOKEN.lastIndex) {
    if (/^[ \t\r]*\n/.test(source.slice(place, place + 200))) {
      tokens.push('\n');
      TOKEN.lastIndex = source.indexOf('\n', place) + 1;
      continue;
    }
    TOKEN.lastIndex = place;
    const found = TOKEN.exec(source);
    if (found === null) throw new BcError(`bad character '${source.slice(place).trim().slice(0, 1)}'`);
    tokens.push(found[1] ?? found[2] ?? found[3] ?? found[4] ?? '');
    if (tokens.length % 1024 === 0) await process.turn();
  }
  return tokens;
}
