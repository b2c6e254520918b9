import type { Program } from '../process.js';
import { asText } from './lines.js';
import { byteName } from './byte-names.js';
import { parseCount } from './counts.js';
import { concatenated, groups } from './dump.js';
import { parseOptions } from './options.js';

interface Format {
  readonly size: number;
  readonly width: number;
  readonly show: (bytes: Buffer, at: number) => string;
}

const CONTROL =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  );
const WIDTHS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  // Characters for 1, 2, 4 and 8 bytes.
  o: [3, 6, 11, 22],
  x: [2, 4, 8, 16],
  u: [3, 5, 10, 20],
  d: [4, 6, 11, 20],
};

function integer(kind: string, size: number): Format {
  const index = Math.log2(size);
  const digits = WIDTHS[kind]?.[index] ?? 3;
  const radix = kind === 'o' ? 8 : kind === 'x' ? 16 : 10;
  const show = (bytes: Buffer, at: number): string => {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
    if (kind === 'd') value = BigInt.asIntN(size * 8, value);
    const text = value.toString(radix);
    return radix === 10 ? text.padStart(digits) : text.padStart(digits, '0');
  };
  return { size, width: digits + 1, show };
}
const character: Format = {
  size: 1,
  width: 4,
  show: (bytes, at) => byteName(bytes[at] ?? 0),
};
const named: Format = {
  size: 1,
  width: 4,
  show(bytes, at) {
    const byte = (bytes[at] ?? 0) & 127;
    return (byte === 127 ? 'del' : (CONTROL[byte] ?? String.fromCharCode(byte))).padStart(3);
  },
};
const floating = (size: 4 | 8): Format => ({
  size,
  width: size === 4 ? 16 : 25,
  show: (bytes, at) =>
    (size === 4 ? Number(bytes.readFloatLE(at).toPrecision(8)) : bytes.readDoubleLE(at))
      .toString()
      .padStart(size === 4 ? 15 : 24),
});

const SIZES: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8, F: 4, D: 8 };

/** "x1z", "o2", "c": formats in a row. @throws Error */
function formats(text: string): Format[] {
  const list: Format[] = [];
  const type = /([acdfoux])(\d{1,2}|[CSILFD])?z?/y;
  while (type.lastIndex < text.length) {
    const found = type.exec(text);
    if (found === null) throw new Error(`invalid type string '${text}'`);
    const [, kind = 'o', given] = found;
    const size = given === undefined ? (kind === 'f' ? 8 : 4) : (SIZES[given] ?? Number(given));
    if (kind === 'a' || kind === 'c') list.push(kind === 'a' ? named : character);
    else if (![1, 2, 4, 8].includes(size)) throw new Error(`invalid type string '${text}'`);
    else list.push(kind === 'f' ? floating(size === 4 ? 4 : 8) : integer(kind, size));
  }
  return list;
}

const OLD: Readonly<Record<string, string>> = {
  a: 'a',
  b: 'o1',
  c: 'c',
  d: 'u2',
  o: 'o2',
  x: 'x2',
  i: 'd4',
  l: 'd8',
  s: 'd2',
  h: 'x2',
  O: 'o4',
  D: 'u4',
  H: 'x4',
  X: 'x4',
};

/** od [-abcdosxv] [-A RADIX] [-t TYPE] [-N COUNT] [-j SKIP] [-w[WIDTH]] [FILE...] */
export const od: Program = async process => {
  const args = process.args
    .slice(1)
    .map(arg => (arg === '-w' ? '--width=32' : /^-w\d+$/.test(arg) ? `--width=${arg.slice(2)}` : arg));
  const options = parseOptions(args, {
    short: 'abcdosxhilOXHDvA:t:N:j:',
    long: {
      width: 'width:',
      'address-radix': 'A:',
      format: 't:',
      'read-bytes': 'N:',
      'skip-bytes': 'j:',
      'output-duplicates': 'v',
    },
  });
  const chosen: Format[] = [];
  for (const letter of Object.keys(OLD)) if (options.has(letter)) chosen.push(...formats(OLD[letter] ?? 'o2'));
  for (const text of options.all('t')) chosen.push(...formats(text));
  if (chosen.length === 0) chosen.push(integer('o', 2));
  const radix = options.get('A') ?? 'o';
  const address = (at: number): string =>
    radix === 'n'
      ? ''
      : radix === 'd'
        ? String(at).padStart(7, '0')
        : at.toString(radix === 'x' ? 16 : 8).padStart(radix === 'x' ? 6 : 7, '0');
  const width = Math.max(1, Number(options.get('width') ?? 16));
  const { input, status } = concatenated(
    process,
    options.operands.map(name => (name === '-' ? '-' : asText(name))),
  );
  let previous: Buffer | undefined;
  let starred = false;
  let end = 0;
  for await (const { bytes, at } of groups(
    process,
    input,
    width,
    parseCount(options.get('j') ?? '0'),
    parseCountOrAll(options.get('N')),
  )) {
    end = at + bytes.length;
    if (previous !== undefined && !options.has('v') && bytes.length === width && bytes.equals(previous)) {
      if (!starred) await process.stdout.write('*\n');
      starred = true;
      continue;
    }
    starred = false;
    previous = Buffer.from(bytes);
    const padded = Buffer.concat([bytes, Buffer.alloc(8)]);
    let text = '';
    for (const [row, format] of chosen.entries()) {
      let line = row === 0 ? address(at) : ' '.repeat(address(at).length);
      for (let i = 0; i < bytes.length; i += format.size) line += ` ${format.show(padded, i)}`;
      text += `${line}\n`;
    }
    await process.stdout.write(text);
  }
  if (radix !== 'n') await process.stdout.write(`${address(end)}\n`);
  return status();
};

const parseCountOrAll = (text: string | undefined): number => (text === undefined ? Infinity : parseCount(text));
