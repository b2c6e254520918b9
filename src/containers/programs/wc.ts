import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { parseOptions } from './options.js';

const COLUMNS = ['l', 'w', 'm', 'c', 'L'] as const;

/** wc [-lwcmL] [FILE...] */
export const wc: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'lwcmL',
    long: { lines: 'l', words: 'w', bytes: 'c', chars: 'm', 'max-line-length': 'L' },
  });
  const some = COLUMNS.some(has);
  const wanted = COLUMNS.filter(column => (some ? has(column) : column !== 'm' && column !== 'L'));
  const total = new Map<string, number>();
  const print = (counts: ReadonlyMap<string, number>, name: string): void | Promise<void> => {
    const shown = wanted.map(column => counts.get(column) ?? 0);
    const text = shown.length === 1 ? String(shown[0]) : shown.map(n => String(n).padStart(9)).join(' ');
    return process.stdout.write(`${text}${name === '' ? '' : ` ${name}`}\n`);
  };
  const status = await forEachInput(process, operands, async (input, name) => {
    let [lines, words, bytes, widest, width] = [0, 0, 0, 0, 0];
    let inWord = false;
    for (let chunk = await input.read(process.signal); chunk !== undefined; chunk = await input.read(process.signal)) {
      bytes += chunk.length;
      if (wanted.length === 1 && (wanted[0] === 'l' || wanted[0] === 'c')) {
        if (wanted[0] === 'l') for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
        continue;
      }
      for (const byte of chunk) {
        const blank = byte === 32 || (byte >= 9 && byte <= 13);
        if (byte === 10) {
          lines++;
          width = 0;
        } else if (byte === 9) width += 8 - (width % 8);
        else if (byte >= 32) width++;
        if (width > widest) widest = width;
        if (!blank && !inWord) words++;
        inWord = !blank;
      }
    }
    const counts = new Map<string, number>([
      ['l', lines],
      ['w', words],
      ['m', bytes],
      ['c', bytes],
      ['L', widest],
    ]);
    for (const [column, n] of counts)
      total.set(column, column === 'L' ? Math.max(total.get(column) ?? 0, n) : (total.get(column) ?? 0) + n);
    await print(counts, operands.length === 0 ? '' : name);
  });
  if (operands.length > 1) await print(total, 'total');
  return status;
};
