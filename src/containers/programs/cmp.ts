import type { Process, Program } from '../process.js';
import { parseCount } from './counts.js';
import { openInput } from './each-input.js';
import { asBytes, eachLine, HeldLines, TextOutput } from './lines.js';
import { parseOptions } from './options.js';

const open = (process: Process, name: string) =>
  name === '-' ? Promise.resolve(process.stdin) : openInput(process, name);

/** cmp [-ls] [-n BYTES] FILE [FILE] */
export const cmp: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'lsn:',
    long: { silent: 's', quiet: 's', verbose: 'l', bytes: 'n:' },
  });
  const [left = '-', right = '-'] = operands;
  const [a, b] = [await open(process, left), await open(process, right)];
  let [restA, restB]: Buffer[] = [Buffer.alloc(0), Buffer.alloc(0)];
  let [at, line, status] = [0, 1, 0];
  let remaining = get('n') === undefined ? Infinity : parseCount(get('n') ?? '0');
  while (remaining > 0) {
    if (restA === undefined || restB === undefined) break;
    if (restA.length === 0) restA = (await a.read(process.signal)) ?? Buffer.alloc(0);
    if (restB.length === 0) restB = (await b.read(process.signal)) ?? Buffer.alloc(0);
    if (restA.length === 0 || restB.length === 0) {
      if (restA.length === restB.length) return status;
      if (!has('s')) await process.stderr.write(`cmp: EOF on ${restA.length === 0 ? left : right}\n`);
      return 1;
    }
    const length = Math.min(restA.length, restB.length, remaining);
    for (let i = 0; i < length; i++) {
      at++;
      const [x = 0, y = 0] = [restA[i], restB[i]];
      if (x !== y) {
        status = 1;
        if (has('s')) return 1;
        if (!has('l')) {
          await process.stdout.write(`${left} ${right} differ: char ${at}, line ${line}\n`);
          return 1;
        }
        await process.stdout.write(
          `${String(at).padStart(4)} ${x.toString(8).padStart(3)} ${y.toString(8).padStart(3)}\n`,
        );
      }
      if (x === 10) line++;
    }
    restA = restA.subarray(length);
    restB = restB.subarray(length);
    remaining -= length;
  }
  return status;
};

/** comm [-123] FILE FILE: of two sorted files, what is in one, the other, both. */
export const comm: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: '123' });
  const lists: HeldLines[] = [];
  for (const name of operands.slice(0, 2)) {
    const held = new HeldLines(process);
    await eachLine(process, await open(process, name), line => held.push(line));
    lists.push(held);
  }
  const [a = [], b = []] = lists.map(held => held.lines);
  const indent = (column: number): string => '\t'.repeat([1, 2].filter(c => c < column && !has(String(c))).length);
  const out = new TextOutput(process.stdout);
  const show = async (column: number, line: string): Promise<void> => {
    if (!has(String(column))) await out.write(`${indent(column)}${line}\n`);
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    if (y === undefined || (x !== undefined && x < y)) {
      await show(1, x ?? '');
      i++;
    } else if (x === undefined || y < x) {
      await show(2, y);
      j++;
    } else {
      await show(3, x);
      i++;
      j++;
    }
    if ((i + j) % 256 === 0) await process.turn();
  }
  await out.flush();
  return 0;
};

/** paste [-s] [-d DELIMITERS] [FILE...] */
export const paste: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'sd:',
    long: { serial: 's', delimiters: 'd:' },
  });
  const delimiters = [...asBytes((get('d') ?? '\t').replaceAll('\\t', '\t').replaceAll('\\n', '\n'))];
  const glue = (i: number): string => delimiters[i % Math.max(1, delimiters.length)] ?? '';
  const names = operands.length === 0 ? ['-'] : operands;
  const out = new TextOutput(process.stdout);
  const lists: string[][] = [];
  const shared = names.filter(name => name === '-').length;
  if (!has('s') && shared > 1) {
    // Several "-" take lines of stdin in turn.
    let row: string[] = [];
    await eachLine(
      process,
      process.stdin,
      line => {
        row.push(line);
        if (row.length < names.length) return undefined;
        const text = row.reduce((all, cell, i) => (i === 0 ? cell : all + glue(i - 1) + cell), '');
        row = [];
        return out.write(`${text}\n`);
      },
      out,
    );
    if (row.length > 0)
      await out.write(
        `${[...row, ...new Array<string>(names.length - row.length).fill('')].reduce((all, cell, i) => (i === 0 ? cell : all + glue(i - 1) + cell), '')}\n`,
      );
    await out.flush();
    return 0;
  }
  for (const name of names) {
    const held = new HeldLines(process);
    await eachLine(process, await open(process, name), line => held.push(line));
    lists.push(held.lines);
  }
  if (has('s'))
    for (const list of lists)
      await out.write(`${list.reduce((all, cell, i) => (i === 0 ? cell : all + glue(i - 1) + cell), '')}\n`);
  else {
    const rows = Math.max(...lists.map(list => list.length));
    for (let row = 0; row < rows; row++)
      await out.write(
        `${lists.reduce((all, list, i) => all + (i === 0 ? '' : glue(i - 1)) + (list[row] ?? ''), '')}\n`,
      );
  }
  await out.flush();
  return 0;
};
