import { readLines } from '../io.js';
import type { Program } from '../process.js';
import { forEachInput } from './each-input.js';
import { parseOptions } from './options.js';
import { regexSource } from './regex.js';

export const grep: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'vicnqlohHEFwxsre:m:A:B:C:',
    long: {
      invert: 'v',
      'invert-match': 'v',
      'ignore-case': 'i',
      count: 'c',
      quiet: 'q',
      'only-matching': 'o',
      'line-number': 'n',
      color: 'color',
      'extended-regexp': 'E',
    },
  });
  const files = [...options.operands];
  const patterns = options.all('e').length > 0 ? options.all('e') : [files.shift() ?? ''];
  const extended = options.has('E') || process.args[0] === 'egrep';
  const sources = patterns
    .flatMap(p => p.split('\n'))
    .map(p =>
      options.has('F') || process.args[0] === 'fgrep'
        ? p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        : regexSource(p, extended),
    );
  let source = sources.map(s => `(?:${s})`).join('|');
  if (options.has('w')) source = `\\b(?:${source})\\b`;
  if (options.has('x')) source = `^(?:${source})$`;
  const flags = options.has('i') ? 'gi' : 'g';
  const limit = Number(options.get('m') ?? Infinity);
  const before = Number(options.get('B') ?? options.get('C') ?? 0);
  const after = Number(options.get('A') ?? options.get('C') ?? 0);
  const withName = !options.has('h') && (files.length > 1 || options.has('H'));
  let found = false;
  const status = await forEachInput(process, files, async (input, name) => {
    const prefix = withName ? `${name === '-' ? '(standard input)' : name}:` : '';
    let count = 0;
    let number = 0;
    let trailing = 0;
    const recent: string[] = [];
    for await (const line of readLines(input, process.signal)) {
      number++;
      const matches = [...line.matchAll(new RegExp(source, flags))];
      const hit = matches.length > 0 !== options.has('v');
      const show = (text: string): void | Promise<void> =>
        process.stdout.write(`${prefix}${options.has('n') ? `${number}:` : ''}${text}\n`);
      if (hit) {
        count++;
        found = true;
        if (options.has('q')) return;
        if (options.has('l') || options.has('c')) continue;
        for (const earlier of recent.splice(0)) await process.stdout.write(`${earlier}\n`);
        if (options.has('o')) for (const match of matches) await show(match[0]);
        else await show(line);
        trailing = after;
        if (count >= limit) break;
      } else if (trailing > 0) {
        trailing--;
        await process.stdout.write(`${line}\n`);
      } else if (before > 0) {
        recent.push(line);
        if (recent.length > before) recent.shift();
      }
    }
    if (options.has('c')) await process.stdout.write(`${prefix}${count}\n`);
    if (options.has('l') && count > 0) await process.stdout.write(`${name}\n`);
  });
  return status !== 0 ? 2 : found ? 0 : 1;
};
