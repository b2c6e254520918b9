import { FileError, resolvePath } from '../file-system.js';
import { baseName, joinPath } from '../paths.js';
import type { Process, Program } from '../process.js';
import { openInput } from './each-input.js';
import { asText, fromBytes, holdAll } from './lines.js';
import { parseOptions, type Options } from './options.js';

/** Lines that are the same, as pairs of places, by the greedy way of Myers; too much difference is all of it. */
interface Edit {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

const MAX_DISTANCE = 3000;

async function edits(process: Process, a: readonly string[], b: readonly string[]): Promise<Edit[]> {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const [n, m] = [endA - start, endB - start];
  const whole: Edit[] = n === 0 && m === 0 ? [] : [{ from: [start, endA], to: [start, endB] }];
  if (n === 0 || m === 0) return whole;
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= n + m; d++) {
    if (d > MAX_DISTANCE) return whole;
    process.memory.add(reach.size * 16);
    process.memory.remove(reach.size * 16);
    const next = new Map<number, number>(reach);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < n && y < m && a[start + x] === b[start + y]) {
        x++;
        y++;
      }
      next.set(k, x);
      if (x >= n && y >= m) {
        trace.push(reach);
        return backwards(trace, n, m, start);
      }
    }
    trace.push(reach);
    reach = next;
    await process.turn(1 + (d >> 4));
  }
  return whole;
}

/** The changes on the shortest way, joined where they touch. */
function backwards(trace: readonly Map<number, number>[], n: number, m: number, start: number): Edit[] {
  const list: { from: [number, number]; to: [number, number] }[] = [];
  let [x, y] = [n, m];
  for (let d = trace.length - 1; d > 0; d--) {
    const reach = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const before = down ? k + 1 : k - 1;
    const px = reach.get(before) ?? 0;
    const py = px - before;
    const [cx, cy] = down ? [px, py + 1] : [px + 1, py];
    const last = list.at(-1);
    if (last !== undefined && last.from[0] === start + cx && last.to[0] === start + cy) {
      last.from[0] = start + px;
      last.to[0] = start + py;
    } else list.push({ from: [start + px, start + cx], to: [start + py, start + cy] });
    [x, y] = [px, py];
  }
  return list.reverse();
}

/** diff [-abBiNqrsTtuw] [-U LINES] [-L LABEL] FILE FILE */
export const diff: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'abBdiNqrsTtuwU:L:S:',
    long: {
      unified: 'u',
      brief: 'q',
      recursive: 'r',
      'ignore-case': 'i',
      'ignore-all-space': 'w',
      'ignore-space-change': 'b',
      'new-file': 'N',
      label: 'L:',
      'report-identical-files': 's',
      color: 'color',
    },
  });
  const [left, right] = options.operands;
  if (left === undefined || right === undefined) {
    await process.stderr.write('diff: usage: diff [-abBdiNqrTstw] [-L LABEL] [-U LINES] FILE1 FILE2\n');
    return 2;
  }
  try {
    return await compare(process, options, left, right, 0);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await process.stderr.write(`diff: ${error.message}\n`);
    return 2;
  }
};

async function compare(
  process: Process,
  options: Options,
  left: string,
  right: string,
  depth: number,
): Promise<number> {
  const { files } = process.container;
  const kind = (name: string) => (name === '-' ? 'file' : files.kind(resolvePath(process.cwd, name)));
  const [a, b] = [kind(left), kind(right)];
  if (a === 'directory' && b === 'directory') return directories(process, options, left, right, depth);
  if (a === 'directory')
    return compare(process, options, `${left.replace(/\/$/, '')}/${baseName(right)}`, right, depth);
  if (b === 'directory') return compare(process, options, left, `${right.replace(/\/$/, '')}/${baseName(left)}`, depth);
  for (const [name, what] of [
    [left, a],
    [right, b],
  ] as const)
    if (what === undefined && !options.has('N')) {
      await process.stderr.write(`diff: can't stat '${name}': No such file or directory\n`);
      return 2;
    }
  return texts(process, options, left, right, depth > 0);
}

async function directories(
  process: Process,
  options: Options,
  left: string,
  right: string,
  depth: number,
): Promise<number> {
  const { files } = process.container;
  const list = (name: string): string[] => files.list(resolvePath(process.cwd, name));
  const [a, b] = [new Set(list(left)), new Set(list(right))];
  let status = 0;
  for (const name of [...new Set([...a, ...b])].sort()) {
    const [one, other] = [joinPath(left.replace(/\/$/, ''), name), joinPath(right.replace(/\/$/, ''), name)];
    if (!options.has('N') && (!a.has(name) || !b.has(name))) {
      await process.stdout.write(`Only in ${a.has(name) ? left : right}: ${name}\n`);
      status = 1;
      continue;
    }
    const isDirectory = [one, other].every(path => files.kind(resolvePath(process.cwd, path)) === 'directory');
    if (isDirectory && !options.has('r')) {
      await process.stdout.write(`Common subdirectories: ${one} and ${other}\n`);
      continue;
    }
    if (depth > 100) continue;
    status = Math.max(status, await compare(process, options, one, other, depth + 1));
  }
  return status;
}

async function texts(
  process: Process,
  options: Options,
  left: string,
  right: string,
  showNames: boolean,
): Promise<number> {
  const { files } = process.container;
  const read = async (name: string): Promise<string> => {
    if (name !== '-' && files.kind(resolvePath(process.cwd, name)) === undefined) return '';
    return fromBytes(await holdAll(process, name === '-' ? process.stdin : await openInput(process, name)));
  };
  const [one, other] = [await read(left), await read(right)];
  const lines = (text: string): string[] => {
    const list = text.split('\n');
    const last = list.pop() ?? '';
    if (last !== '') list.push(`${last}\n\\ No newline at end of file`);
    return list;
  };
  const key = (line: string): string => {
    let text = options.has('i') ? line.toLowerCase() : line;
    if (options.has('w')) text = text.replace(/[ \t]/g, '');
    else if (options.has('b')) text = text.replace(/[ \t]+/g, ' ').trimEnd();
    return text;
  };
  const [a, b] = [lines(one), lines(other)];
  const changes = await edits(process, a.map(key), b.map(key));
  if (changes.length === 0) {
    if (options.has('s')) await process.stdout.write(`Files ${left} and ${right} are identical\n`);
    return 0;
  }
  if (options.has('q')) {
    await process.stdout.write(`Files ${left} and ${right} differ\n`);
    return 1;
  }
  if (showNames && options.has('r'))
    await process.stdout.write(`diff ${options.has('u') ? '-u ' : ''}${left} ${right}\n`);
  const labels = options.all('L');
  // BusyBox's diff is always a unified one.
  await process.stdout.write(`--- ${labels[0] ?? left}\n+++ ${labels[1] ?? right}\n`);
  for (const hunk of hunks(changes, Number(options.get('U') ?? 3))) {
    const [first, last] = [hunk[0], hunk.at(-1)];
    if (first === undefined || last === undefined) continue;
    const context = Number(options.get('U') ?? 3);
    const from = Math.max(0, first.from[0] - context);
    const to = Math.min(a.length, last.from[1] + context);
    const shift = first.to[0] - first.from[0];
    const start = from + shift;
    const end = to + (last.to[1] - last.from[1]);
    const span = (begin: number, stop: number): string =>
      stop - begin === 1 ? String(begin + 1) : `${stop === begin ? begin : begin + 1},${stop - begin}`;
    let text = `@@ -${span(from, to)} +${span(start, end)} @@\n`;
    let at = from;
    for (const { from: removed, to: added } of hunk) {
      while (at < removed[0]) text += ` ${a[at++] ?? ''}\n`;
      for (; at < removed[1]; at++) text += `-${a[at] ?? ''}\n`;
      for (let i = added[0]; i < added[1]; i++) text += `+${b[i] ?? ''}\n`;
    }
    while (at < to) text += ` ${a[at++] ?? ''}\n`;
    await process.stdout.write(asText(text));
  }
  return 1;
}

/** Changes whose surroundings touch belong together. */
function hunks(changes: readonly Edit[], context: number): Edit[][] {
  const list: Edit[][] = [];
  for (const change of changes) {
    const last = list.at(-1)?.at(-1);
    if (last !== undefined && change.from[0] - last.from[1] <= context * 2) list.at(-1)?.push(change);
    else list.push([change]);
  }
  return list;
}
