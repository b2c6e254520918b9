import type { Process, Program } from '../process.js';
import { byteName, isPrintable } from './byte-names.js';
import { parseCount } from './counts.js';
import { concatenated, groups } from './dump.js';
import { parseOptions } from './options.js';

const printable = (bytes: Buffer): string => {
  let text = '';
  for (const byte of bytes) text += isPrintable(byte) ? String.fromCharCode(byte) : '.';
  return text;
};
const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

async function dump(
  process: Process,
  names: readonly string[],
  skip: number,
  limit: number,
  all: boolean,
  line: (bytes: Buffer, at: number) => string,
  last: (at: number) => string,
): Promise<number> {
  const { input, status } = concatenated(process, names);
  let previous: Buffer | undefined;
  let starred = false;
  let end: number | undefined;
  for await (const { bytes, at } of groups(process, input, 16, skip, limit)) {
    end = at + bytes.length;
    if (!all && bytes.length === 16 && previous?.equals(bytes) === true) {
      if (!starred) await process.stdout.write('*\n');
      starred = true;
      continue;
    }
    starred = false;
    previous = Buffer.from(bytes);
    await process.stdout.write(line(bytes, at));
  }
  if (end !== undefined) await process.stdout.write(last(end));
  return status();
}

const canonical = (bytes: Buffer, at: number): string => {
  const pairs = Array.from({ length: 16 }, (_, i) => {
    const byte = bytes[i];
    return byte === undefined ? '  ' : hex(byte, 2);
  });
  return `${hex(at, 8)}  ${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}  |${printable(bytes)}|\n`;
};

/** hexdump [-bcCdoxv] [-n LENGTH] [-s SKIP] [FILE...] */
export const hexdump: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'bcCdoxvn:s:e:f:', long: { canonical: 'C' } });
  if (options.has('e') || options.has('f')) {
    await process.stderr.write('hexdump: not simulated here: format strings (-e, -f)\n');
    return 1;
  }
  const skip = parseCount(options.get('s') ?? '0');
  const limit = options.get('n') === undefined ? Infinity : parseCount(options.get('n') ?? '0');
  const all = options.has('v');
  const { operands } = options;
  if (options.has('C') || process.args[0]?.endsWith('hd') === true)
    return dump(process, operands, skip, limit, all, canonical, at => `${hex(at, 8)}\n`);
  const words =
    (width: number, show: (value: number) => string) =>
    (bytes: Buffer, at: number): string => {
      let text = hex(at, 7);
      for (let i = 0; i < bytes.length; i += 2)
        text += ' '.repeat(width) + show((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8));
      return `${text.padEnd(7 + 8 * (width + show(0).length))}\n`;
    };
  const single =
    (show: (byte: number) => string) =>
    (bytes: Buffer, at: number): string =>
      `${(hex(at, 7) + [...bytes].map(byte => ` ${show(byte)}`).join('')).padEnd(7 + 16 * 4)}\n`;
  const line = options.has('b')
    ? single(byte => byte.toString(8).padStart(3, '0'))
    : options.has('c')
      ? single(byteName)
      : options.has('d')
        ? words(3, value => String(value).padStart(5, '0'))
        : options.has('o')
          ? words(2, value => value.toString(8).padStart(6, '0'))
          : options.has('x')
            ? words(4, value => hex(value, 4))
            : words(1, value => hex(value, 4));
  return dump(process, operands, skip, limit, all, line, at => `${hex(at, 7)}\n`);
};

/** xxd [-pri] [-g BYTES] [-c COLUMNS] [-l LENGTH] [-s SKIP] [-u] [FILE] */
export const xxd: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'pruig:c:l:s:o:' });
  const plain = options.has('p');
  const columns = Math.min(256, Math.max(1, parseCount(options.get('c') ?? (plain ? '30' : '16'))));
  const group = parseCount(options.get('g') ?? '2');
  const { input, status } = concatenated(process, options.operands.slice(0, 1));
  if (options.has('r')) {
    let rest = '';
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = (lines.pop() ?? '').slice(-65_536);
      for (const line of lines) await process.stdout.write(fromHex(line, plain));
    }
    await process.stdout.write(fromHex(rest, plain));
    return status();
  }
  const show = (byte: number): string => (options.has('u') ? hex(byte, 2).toUpperCase() : hex(byte, 2));
  const limit = options.get('l') === undefined ? Infinity : parseCount(options.get('l') ?? '0');
  for await (const { bytes, at } of groups(process, input, columns, parseCount(options.get('s') ?? '0'), limit)) {
    const pairs = [...bytes].map(show);
    if (plain) {
      await process.stdout.write(`${pairs.join('')}\n`);
      continue;
    }
    let text = '';
    for (let i = 0; i < columns; i++) text += (pairs[i] ?? '  ') + (group > 0 && (i + 1) % group === 0 ? ' ' : '');
    await process.stdout.write(`${hex(at, 8)}: ${text.trimEnd() === '' ? '' : text} ${printable(bytes)}\n`);
  }
  return status();
};

const fromHex = (line: string, plain: boolean): Buffer => {
  const digits = plain
    ? line
    : (/^[0-9a-fA-F]{1,16}:? ?([0-9a-fA-F ]*?)(?: {2}|$)/.exec(line.slice(0, 1024))?.[1] ?? '');
  return Buffer.from(digits.replace(/\s/g, ''), 'hex');
};
