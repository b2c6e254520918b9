import type { Program } from '../process.js';
import { parseOptions } from './options.js';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** The lines of one month, 20 characters each. */
function monthLines(year: number, month: number, withYear: boolean): string[] {
  const title = withYear ? `${MONTHS[month] ?? ''} ${year}` : (MONTHS[month] ?? '');
  const left = ' '.repeat(Math.floor((20 - title.length) / 2));
  const first = new Date(Date.UTC(year, month, 1));
  if (year < 100) first.setUTCFullYear(year, month, 1);
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const cells = [
    ...new Array<string>(first.getUTCDay()).fill('  '),
    ...Array.from({ length: days }, (_, i) => String(i + 1).padStart(2)),
  ];
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += 7) rows.push(cells.slice(at, at + 7).join(' '));
  while (rows.length < 6) rows.push(' '.repeat(21));
  return [left + title, 'Su Mo Tu We Th Fr Sa', ...rows];
}

/** cal [-y] [[MONTH] YEAR] */
export const cal: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'yjm' });
  const now = new Date(process.container.clock.now());
  const numbers = operands.map(Number);
  const year = numbers.at(-1) ?? now.getUTCFullYear();
  const month = numbers.length > 1 ? (numbers[0] ?? 1) - 1 : now.getUTCMonth();
  if (!(year >= 1 && year <= 9999) || !(month >= 0 && month < 12)) {
    await process.stderr.write(`cal: number ${operands.join(' ')} is not in 1..9999 range\n`);
    return 1;
  }
  if (!has('y') && numbers.length !== 1) {
    await process.stdout.write(`${monthLines(year, month, true).join('\n')}\n`);
    return 0;
  }
  let text = `${' '.repeat(30)}${year}\n\n`;
  for (let quarter = 0; quarter < 12; quarter += 3) {
    const columns = [0, 1, 2].map(i => monthLines(year, quarter + i, false));
    for (let row = 0; row < 8; row++)
      text += `${columns
        .map(lines => (lines[row] ?? '').padEnd(20))
        .join('   ')
        .trimEnd()}\n`;
  }
  await process.stdout.write(text);
  return 0;
};
