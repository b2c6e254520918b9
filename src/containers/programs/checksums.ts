import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { parseOptions } from './options.js';

const table = (polynomial: number, reflected: boolean): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, n) => {
    let value = reflected ? n : n << 24;
    for (let bit = 0; bit < 8; bit++)
      value = reflected
        ? value & 1
          ? (value >>> 1) ^ polynomial
          : value >>> 1
        : value & 0x80000000
          ? (value << 1) ^ polynomial
          : value << 1;
    return value >>> 0;
  });
const FORWARD = table(0x04c11db7, false);
const REFLECTED = table(0xedb88320, true);

/** cksum [FILE...] */
export const cksum: Program = process =>
  forEachInput(process, process.args.slice(1), async (input, name) => {
    let [crc, length] = [0, 0];
    const next = (byte: number): void => void (crc = ((crc << 8) ^ (FORWARD[((crc >>> 24) ^ byte) & 255] ?? 0)) >>> 0);
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      chunk.forEach(next);
      length += chunk.length;
    }
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) next(rest & 255);
    await process.stdout.write(`${~crc >>> 0} ${length}${name === '-' ? '' : ` ${name}`}\n`);
  });

/** crc32 FILE... */
export const crc32: Program = process =>
  forEachInput(process, process.args.slice(1), async (input, name) => {
    let crc = 0xffffffff;
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal))
      for (const byte of chunk) crc = (crc >>> 8) ^ (REFLECTED[(crc ^ byte) & 255] ?? 0);
    await process.stdout.write(`${(~crc >>> 0).toString(16).padStart(8, '0')}${name === '-' ? '' : `\t${name}`}\n`);
  });

/** sum [-rs] [FILE...] */
export const sum: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'rs' });
  return forEachInput(process, operands, async (input, name) => {
    let [value, length] = [0, 0];
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      length += chunk.length;
      for (const byte of chunk)
        value = has('s') ? (value + byte) >>> 0 : ((value >> 1) + ((value & 1) << 15) + byte) & 0xffff;
    }
    if (has('s')) {
      const folded = (value & 0xffff) + (value >>> 16);
      await process.stdout.write(
        `${(folded & 0xffff) + (folded >>> 16)} ${Math.ceil(length / 512)}${name === '-' ? '' : ` ${name}`}\n`,
      );
    } else
      await process.stdout.write(
        `${String(value).padStart(5, '0')} ${String(Math.ceil(length / 1024)).padStart(5)}${operands.length > 1 ? ` ${name}` : ''}\n`,
      );
  });
};
