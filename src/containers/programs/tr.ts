import type { Program } from '../process.js';
import { asBytes } from './lines.js';
import { unescapeText } from './escapes.js';
import { parseOptions } from './options.js';

const codes = (from: string, to: string): number[] => {
  const list: number[] = [];
  for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) list.push(code);
  return list;
};
const CLASSES: Readonly<Record<string, readonly number[]>> = {
  alpha: [...codes('A', 'Z'), ...codes('a', 'z')],
  digit: codes('0', '9'),
  alnum: [...codes('0', '9'), ...codes('A', 'Z'), ...codes('a', 'z')],
  upper: codes('A', 'Z'),
  lower: codes('a', 'z'),
  space: [9, 10, 11, 12, 13, 32],
  blank: [9, 32],
  punct: [...codes('!', '/'), ...codes(':', '@'), ...codes('[', '`'), ...codes('{', '~')],
  cntrl: [...codes('\0', '\x1f'), 127],
  print: codes(' ', '~'),
  graph: codes('!', '~'),
  xdigit: [...codes('0', '9'), ...codes('A', 'F'), ...codes('a', 'f')],
};

/** The characters of a set, in order: ranges, classes, escapes, [=c=]. */
function members(given: string): number[] {
  const set = asBytes(given);
  const list: number[] = [];
  for (let i = 0; i < set.length;) {
    const named = /^\[:(\w{1,10}):\]/.exec(set.slice(i, i + 16));
    const known = named === null ? undefined : CLASSES[named[1] ?? ''];
    if (named !== null && known !== undefined) {
      list.push(...known);
      i += named[0].length;
      continue;
    }
    const read = (): number => {
      if (set[i] !== '\\' || i + 1 >= set.length) return set.charCodeAt(i++);
      const escape = /^\\(?:[0-7]{1,3}|[^])/.exec(set.slice(i, i + 4))?.[0] ?? '\\';
      i += escape.length;
      const text = unescapeText(escape);
      return text.charCodeAt(text.length > 1 ? 1 : 0);
    };
    const from = read();
    if (set[i] !== '-' || i + 1 >= set.length) {
      list.push(from);
      continue;
    }
    i++;
    const to = read();
    for (let code = from; code <= to; code++) list.push(code);
  }
  return list;
}

/** tr [-cds] SET1 [SET2] */
export const tr: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'dscC', stopAtOperand: true });
  const complement = has('c') || has('C');
  if (operands.length === 0 || (!has('d') && !has('s') && operands.length < 2)) {
    await process.stderr.write('tr: usage: tr [-cds] STRING1 [STRING2]\n');
    return 1;
  }
  const first = members(operands[0] ?? '');
  const second = operands[1] === undefined ? undefined : members(operands[1]);
  const given = new Set(first);
  const from = complement ? Array.from({ length: 256 }, (_, code) => code).filter(code => !given.has(code)) : first;
  const map = new Int16Array(256).map((_, code) => code);
  const chosen = new Set(from);
  if (!has('d') && second !== undefined && second.length > 0)
    from.forEach((code, i) => (map[code] = second[Math.min(i, second.length - 1)] ?? code));
  const squeezed = new Set(has('s') ? (second ?? from) : []);
  const deleted = has('d') ? chosen : new Set<number>();
  let last = -1;
  const { stdin, signal } = process;
  for (let chunk = await stdin.read(signal); chunk !== undefined; chunk = await stdin.read(signal)) {
    const out = Buffer.alloc(chunk.length);
    let size = 0;
    for (const byte of chunk) {
      if (deleted.has(byte)) continue;
      const mapped = map[byte] ?? byte;
      if (mapped === last && squeezed.has(mapped)) continue;
      last = mapped;
      out[size++] = mapped;
    }
    if (size > 0) await process.stdout.write(out.subarray(0, size));
  }
  return 0;
};
