import { trimStart } from '../../machinery/trim.js';

/**
 * YAML as sigs.k8s.io/yaml writes it: keys in go-yaml's natural order, sequences not indented, plain scalars where
 * they read back as strings, folded at 80 columns. Input is JSON data.
 */
const WIDTH = 80;

const isDigit = (c: string): boolean => c >= '0' && c <= '9';
const isLetter = (c: string): boolean => /\p{L}/u.test(c);

/** The digits of `text` from `start`, without zeros in front, and how many there are with them. */
function digitsAt(text: string, start: number): { digits: string; length: number } {
  let end = start;
  while (end < text.length && isDigit(text.charAt(end))) end++;
  return { digits: trimStart(text.slice(start, end), '0'), length: end - start };
}

/** Where two texts part, at the beginning of a character. */
function firstDifference(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  const before = a.charCodeAt(i - 1);
  return i > 0 && before >= 0xd800 && before < 0xdc00 ? i - 1 : i;
}

const characterAt = (text: string, at: number): string => String.fromCodePoint(text.codePointAt(at) ?? 0);

/** go-yaml's keyList.Less as a comparison: letters bytewise, runs of digits by their number. */
export function compareKeys(a: string, b: string): number {
  const i = firstDifference(a, b);
  if (i >= a.length || i >= b.length) return a.length - b.length;
  const [ac, bc] = [characterAt(a, i), characterAt(b, i)];
  const [al, bl] = [isLetter(ac), isLetter(bc)];
  if (al && bl) return ac < bc ? -1 : 1;
  const afterDigit = i > 0 && isDigit(a.charAt(i - 1));
  if (al || bl) return (afterDigit ? al : bl) ? -1 : 1;
  const [an, bn] = [digitsAt(a, i), digitsAt(b, i)];
  if (an.digits.length !== bn.digits.length) return an.digits.length - bn.digits.length;
  if (an.digits !== bn.digits) return an.digits < bn.digits ? -1 : 1;
  if (an.length !== bn.length) return an.length - bn.length;
  return ac < bc ? -1 : 1;
}

/** Text that YAML 1.1, as go-yaml resolves it, would read as something else than a string. */
const NOT_A_STRING =
  /^(?:|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|<<|\.nan|\.NaN|\.NAN|[-+]?\.(?:inf|Inf|INF)|[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|\d[\d_]*)|[-+]?(?:\.\d+|\d[\d_]*(?:\.[\d_]*)?)(?:[eE][-+]?\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d{1,2}(?::?\d{2})?))?)?)$/;

/** How such a text begins: most do not. */
const MAY_BE_NO_STRING = /^(?:$|[-+.~<0-9nNtTfFyYoO])/;

/** libyaml's "plain allowed in block context". */
function plainAllowed(text: string): boolean {
  if (text === '' || /^[\s]|[\s]$/.test(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text)) return false;
  if (/^[-?:](?:\s|$)/.test(text)) return false;
  return (
    !/: |:$| #/.test(text) &&
    !/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}\u0085]/u.test(text)
  );
}

const PRINTABLE = /^[\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u;

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escaped(char: string): string {
  const known = ESCAPES[char];
  if (known !== undefined) return known;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0x20 && PRINTABLE.test(char)) return char;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}

/** Breaks a one-line scalar at single spaces once a line is wider than 80, as libyaml does. */
function fold(text: string, column: number, indent: number, escapeLead = false): string {
  if (!text.includes(' ')) return text;
  let line = column;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    const breakable =
      char === ' ' && line > WIDTH && i > 0 && i < text.length - 1 && text[i - 1] !== ' ' && text[i + 1] !== ' ';
    if (breakable) {
      out += `\n${' '.repeat(indent)}${escapeLead && text[i + 1] === ' ' ? '\\' : ''}`;
      line = indent;
      continue;
    }
    out += char;
    line++;
  }
  return out;
}

function literal(text: string, indent: number): string {
  const pad = ' '.repeat(indent);
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map(l => (l === '' ? '' : pad + l));
  return `|${hint}${chomp}\n${lines.join('\n')}`;
}

function scalar(text: string, column: number, indent: number): string {
  if (text.includes('\n')) {
    const blockAllowed = PRINTABLE.test(text.replaceAll('\n', '')) && !/ \n|[ ]$/.test(text);
    if (blockAllowed) return literal(text, indent);
    return `"${[...text].map(escaped).join('')}"`;
  }
  if (MAY_BE_NO_STRING.test(text) && NOT_A_STRING.test(text)) return `"${text}"`;
  if (plainAllowed(text)) return fold(text, column, indent);
  if (PRINTABLE.test(text) && !/^ | $/.test(text)) return `'${fold(text.replaceAll("'", "''"), column + 1, indent)}'`;
  if (PRINTABLE.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return `"${[...text].map(escaped).join('')}"`;
}

const isEmpty = (value: object): boolean =>
  Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;

/** `lead` is what the line already holds up to the value, as a width. */
function write(value: unknown, indent: number, column: number): string {
  if (typeof value === 'string') return ` ${scalar(value, column + 1, indent + 2)}`;
  if (typeof value !== 'object' || value === null) return ` ${String(value)}`;
  if (isEmpty(value)) return Array.isArray(value) ? ' []' : ' {}';
  return '\n' + block(value, Array.isArray(value) ? indent : indent + 2);
}

function block(value: object, indent: number): string {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value))
    return value
      .map((item: unknown) => {
        if (typeof item === 'object' && item !== null && !isEmpty(item))
          return `${pad}- ${block(item, indent + 2).trimStart()}`;
        return `${pad}-${write(item, indent, indent + 1)}`;
      })
      .join('\n');
  return Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => compareKeys(a, b))
    .map(([key, v]) => {
      const name = scalar(key, indent, indent);
      return `${pad}${name}:${write(v, indent, indent + name.length + 1)}`;
    })
    .join('\n');
}

/** The same document in parts: one list of it, by its name, is written as its items come. */
export function* yamlWithList(
  head: Readonly<Record<string, unknown>>,
  name: string,
  items: Iterable<unknown>,
): Generator<string> {
  for (const key of Object.keys(head).sort(compareKeys)) {
    if (key !== name) {
      yield `${block({ [key]: head[key] }, 0)}\n`;
      continue;
    }
    let first = true;
    for (const item of items) {
      yield `${first ? `${name}:\n` : ''}${block([item], 0)}\n`;
      first = false;
    }
    if (first) yield `${name}: []\n`;
  }
}

const isFull = (value: unknown): value is object => typeof value === 'object' && value !== null && !isEmpty(value);

/** The parts of a block; what opens its first line stands there already where `open` is true. */
function* parts(value: object, indent: number, open: boolean): Generator<string> {
  const pad = ' '.repeat(indent);
  let start = open ? '' : pad;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (isFull(item)) {
        yield `${start}- `;
        yield* parts(item, indent + 2, true);
      } else yield `${start}-${write(item, indent, indent + 1)}`;
      start = `\n${pad}`;
    }
    return;
  }
  const map = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(map).sort(compareKeys)) {
    const member = map[key];
    if (member === undefined) continue;
    const name = scalar(key, indent, indent);
    if (isFull(member)) {
      yield `${start}${name}:\n`;
      yield* parts(member, Array.isArray(member) ? indent : indent + 2, false);
    } else yield `${start}${name}:${write(member, indent, indent + name.length + 1)}`;
    start = `\n${pad}`;
  }
}

/** As toYaml, in parts of any length. */
export function* yamlParts(value: unknown): Generator<string> {
  if (!isFull(value)) yield toYaml(value);
  else {
    yield* parts(value, 0, false);
    yield '\n';
  }
}

/** One document with a final newline. */
export function toYaml(value: unknown): string {
  if (typeof value === 'object' && value !== null && !isEmpty(value)) return `${block(value, 0)}\n`;
  return `${write(value, 0, 0).trimStart()}\n`;
}
