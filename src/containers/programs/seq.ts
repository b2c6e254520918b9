import type { Program } from '../process.js';
import { TextOutput } from './lines.js';
import { parseOptions } from './options.js';

const decimals = (text: string): number => (/\.(\d+)/.exec(text)?.[1] ?? '').length;

/** seq [-w] [-s SEPARATOR] [FIRST [STEP]] LAST */
export const seq: Program = async process => {
  const args = process.args.slice(1);
  // A negative number is no option.
  const numbersFrom = args.findIndex(arg => /^-?[.\d]/.test(arg) && !/^-[sw]/.test(arg));
  const optionsPart = numbersFrom < 0 ? args : args.slice(0, numbersFrom);
  const lastOption = optionsPart.at(-1);
  const cut = lastOption === '-s' ? numbersFrom + 1 : numbersFrom;
  const { has, get } = parseOptions(numbersFrom < 0 ? args : args.slice(0, cut), { short: 'ws:' });
  const words = numbersFrom < 0 ? [] : args.slice(cut);
  const numbers = words.map(Number);
  const bad = words.find((_, i) => Number.isNaN(numbers[i]));
  if (bad !== undefined || numbers.length === 0 || numbers.length > 3) {
    await process.stderr.write(
      bad === undefined ? 'seq: usage: seq [-w] [-s SEP] [FIRST [INC]] LAST\n' : `seq: invalid number '${bad}'\n`,
    );
    return 1;
  }
  const last = numbers.at(-1) ?? 0;
  const first = numbers.length > 1 ? (numbers[0] ?? 1) : 1;
  const step = numbers.length > 2 ? (numbers[1] ?? 1) : 1;
  const digits = Math.max(...words.map(decimals));
  const format = (n: number): string => (digits > 0 ? n.toFixed(digits) : String(n));
  const width = has('w') ? Math.max(format(first).length, format(last).length) : 0;
  const padded = (n: number): string => {
    const text = format(n);
    return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
  };
  const separator = get('s') ?? '\n';
  const out = new TextOutput(process.stdout);
  let any = false;
  for (let i = 0; ; i++) {
    const n = first + i * step;
    if (step >= 0 ? n > last + Number.EPSILON * 8 : n < last - Number.EPSILON * 8) break;
    const wait = out.write(any ? separator + padded(n) : padded(n));
    any = true;
    if (wait !== undefined) await wait;
    if (i % 256 === 0) await process.turn();
  }
  if (any) await out.write('\n');
  await out.flush();
  return 0;
};
