import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { writerOf } from '../spawn.js';
import { forEachInput } from './each-input.js';
import { asBytes, HeldLines, holdLines, TextOutput } from './lines.js';
import { parseOptions, UsageError } from './options.js';

interface Key {
  readonly from: readonly [field: number, character: number];
  readonly to: readonly [field: number, character: number] | undefined;
  readonly flags: string;
}

type Compare = (a: string, b: string) => number;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const SIZES = 'KMGTPE';

/** "2.3n,4" @throws UsageError */
function parseKey(text: string): Key {
  const parsed = /^(\d{1,6})(?:\.(\d{1,6}))?([bdfghinrMV]*)(?:,(\d{1,6})(?:\.(\d{1,6}))?([bdfghinrMV]*))?$/.exec(text);
  if (parsed === null) throw new UsageError(`bad field specification '${text}'`);
  const [, field, character, flags = '', toField, toCharacter, moreFlags = ''] = parsed;
  return {
    from: [Number(field), Number(character ?? 1)],
    to: toField === undefined ? undefined : [Number(toField), Number(toCharacter ?? 0)],
    flags: flags + moreFlags,
  };
}

/** Where a field begins and ends. Without a separator, blanks before a field belong to it. */
function fieldAt(line: string, index: number, separator: string | undefined): readonly [number, number] {
  let at = 0;
  for (let field = 1; ; field++) {
    let end: number;
    if (separator === undefined) {
      end = at;
      while (end < line.length && (line[end] === ' ' || line[end] === '\t')) end++;
      while (end < line.length && line[end] !== ' ' && line[end] !== '\t') end++;
    } else {
      end = line.indexOf(separator, at);
      if (end < 0) end = line.length;
    }
    if (field === index) return [at, end];
    if (end >= line.length) return [line.length, line.length];
    at = separator === undefined ? end : end + 1;
  }
}

function keyText(line: string, key: Key, separator: string | undefined): string {
  const [start, end] = fieldAt(line, key.from[0], separator);
  let from = start;
  if (key.flags.includes('b')) while (from < end && (line[from] === ' ' || line[from] === '\t')) from++;
  from = Math.min(line.length, from + key.from[1] - 1);
  if (key.to === undefined) return line.slice(from);
  const [toStart, toEnd] = fieldAt(line, key.to[0], separator);
  return line.slice(from, Math.max(from, key.to[1] === 0 ? toEnd : toStart + key.to[1]));
}

const numberOf = (text: string): number => {
  const value = parseFloat(/^\s{0,64}(-?\d{0,64}(?:\.\d{0,64})?)/.exec(text)?.[1] ?? '');
  return Number.isNaN(value) ? 0 : value;
};
const sizeOf = (text: string): number => {
  const unit = /^\s{0,64}-?[\d.]{1,64}([KMGTPE])/i.exec(text)?.[1]?.toUpperCase();
  return numberOf(text) * (unit === undefined ? 1 : 1024 ** (SIZES.indexOf(unit) + 1));
};
const plain = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Runs of digits compare as numbers. */
function versions(a: string, b: string): number {
  const [left, right] = [a, b].map(text => text.match(/\d+|[^\d]+/g) ?? []);
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const [x = '', y = ''] = [left?.[i], right?.[i]];
    const both = /^\d/.test(x) && /^\d/.test(y);
    const order = both ? Number(x) - Number(y) : plain(x, y);
    if (order !== 0) return order;
  }
  return 0;
}

function comparison(flags: string): Compare {
  const map = (text: string): string => {
    let mapped = text;
    if (flags.includes('d')) mapped = mapped.replace(/[^A-Za-z0-9 \t]/g, '');
    if (flags.includes('f')) mapped = mapped.toUpperCase();
    return flags.includes('b') ? mapped.trimStart() : mapped;
  };
  const value = flags.includes('h')
    ? sizeOf
    : flags.includes('n') || flags.includes('g')
      ? flags.includes('g')
        ? (text: string) => parseFloat(text) || 0
        : numberOf
      : flags.includes('M')
        ? (text: string) => MONTHS.indexOf(text.trim().slice(0, 3).toLowerCase())
        : undefined;
  const order: Compare =
    value !== undefined
      ? (a, b) => value(a) - value(b)
      : flags.includes('V')
        ? versions
        : (a, b) => plain(map(a), map(b));
  return flags.includes('r') ? (a, b) => order(b, a) : order;
}

/** Merge sort that lets others have their turn. */
async function sortLines(process: Process, lines: string[], compare: Compare): Promise<string[]> {
  const RUN = 512;
  let runs: string[][] = [];
  for (let at = 0; at < lines.length; at += RUN) {
    runs.push(lines.slice(at, at + RUN).sort(compare));
    await process.turn(8);
  }
  while (runs.length > 1) {
    const next: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [a = [], b] = [runs[i], runs[i + 1]];
      next.push(b === undefined ? a : await merge(process, a, b, compare));
    }
    runs = next;
  }
  return runs[0] ?? [];
}

async function merge(process: Process, a: string[], b: string[], compare: Compare): Promise<string[]> {
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x = '', y = ''] = [a[i], b[j]];
    if (compare(x, y) <= 0) {
      out.push(x);
      i++;
    } else {
      out.push(y);
      j++;
    }
    if (out.length % 256 === 0) await process.turn(2);
  }
  while (i < a.length) out.push(a[i++] ?? '');
  while (j < b.length) out.push(b[j++] ?? '');
  return out;
}

/** sort [-bcdfghimMnrsuVz] [-k KEY] [-t SEPARATOR] [-o FILE] [FILE...] */
export const sort: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'bcCdfghiMmnrsuVzk:t:o:T:S:',
    long: {
      numeric: 'n',
      'numeric-sort': 'n',
      reverse: 'r',
      unique: 'u',
      key: 'k:',
      'field-separator': 't:',
      output: 'o:',
      'version-sort': 'V',
      'human-numeric-sort': 'h',
      'ignore-case': 'f',
      stable: 's',
    },
  });
  const separator = options.get('t') === undefined ? undefined : asBytes(options.get('t') ?? '').slice(0, 1);
  const global = [...'bdfghinrMV'].filter(flag => options.has(flag)).join('');
  const keys = options.all('k').map(parseKey);
  const fallback = comparison(global.replace('r', ''));
  const orders = keys.map(key => ({
    key,
    compare: comparison(key.flags.replace('b', '') === '' ? key.flags + global : key.flags),
  }));
  const byKeys: Compare = (a, b) => {
    for (const { key, compare } of orders) {
      const order = compare(keyText(a, key, separator), keyText(b, key, separator));
      if (order !== 0) return order;
    }
    if (orders.length > 0) return 0;
    const order = fallback(a, b);
    return options.has('r') ? -order : order;
  };
  const compare: Compare = (a, b) => {
    const order = byKeys(a, b);
    if (order !== 0 || options.has('u') || options.has('s')) return order;
    return options.has('r') ? plain(b, a) : plain(a, b);
  };
  const held = new HeldLines(process);
  const status = await forEachInput(process, options.operands, input => holdLines(process, input, held));
  if (options.has('c') || options.has('C')) {
    for (let i = 1; i < held.lines.length; i++) {
      const order = compare(held.lines[i - 1] ?? '', held.lines[i] ?? '');
      if (order > 0 || (order === 0 && options.has('u'))) {
        if (options.has('c')) await process.stderr.write(`sort: -:${i + 1}: disorder: ${held.lines[i] ?? ''}\n`);
        return 1;
      }
      if (i % 256 === 0) await process.turn();
    }
    return 0;
  }
  const sorted = await sortLines(process, held.lines, compare);
  const file = options.get('o');
  const output =
    file === undefined
      ? process.stdout
      : writerOf(await process.container.files.openWrite(resolvePath(process.cwd, file)), process.turn);
  const out = new TextOutput(output);
  let previous: string | undefined;
  for (const line of sorted) {
    if (options.has('u') && previous !== undefined && byKeys(previous, line) === 0) continue;
    previous = line;
    const wait = out.write(`${line}\n`);
    if (wait !== undefined) await wait;
  }
  await out.flush();
  return status;
};
