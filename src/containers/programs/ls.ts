import { DEVICE_NUMBERS } from '../devices.js';
import { FileError, resolvePath, type FileStat } from '../file-system.js';
import { baseName, joinPath } from '../paths.js';
import type { Process, Program } from '../process.js';
import { humanSize } from './counts.js';
import { accountNames, type AccountNames } from './accounts.js';
import { permissions } from './modes.js';
import { parseOptions, type Options } from './options.js';
import { formatTime } from './times.js';

interface Shown {
  readonly name: string;
  readonly path: string;
  readonly stat: FileStat;
}

const HALF_YEAR_MS = 180 * 86_400_000;

/** ls [-1AaCdFhilLnpRrSstX] [FILE...] */
export const ls: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'la1hARdtrCFiLnpSsXxHcugoQw:T:',
    long: {
      all: 'a',
      'almost-all': 'A',
      'full-time': 'full-time',
      color: 'color',
      'group-directories-first': 'gdf',
      human: 'h',
    },
  });
  const names = await accountNames(process);
  const paths = options.operands.length === 0 ? ['.'] : options.operands;
  const lister = new Lister(process, options, names);
  let status = 0;
  const files: Shown[] = [];
  const directories: Shown[] = [];
  for (const path of paths)
    try {
      const absolute = resolvePath(process.cwd, path);
      const { files: fs } = process.container;
      const follow = !options.has('l') && !options.has('d') && !options.has('F');
      const link = await fs.linkStat(absolute);
      const stat = follow || options.has('L') || options.has('H') ? ((await fs.stat(absolute)) ?? link) : link;
      if (stat === undefined) throw new FileError('ENOENT');
      (stat.kind === 'directory' && !options.has('d') ? directories : files).push({ name: path, path: absolute, stat });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`ls: ${path}: ${error.message}\n`);
      status = 1;
    }
  await lister.print(files);
  let first = files.length === 0;
  for (const { name, path } of lister.ordered(directories)) {
    const title = paths.length > 1 || options.has('R') ? name : undefined;
    if (!(await lister.directory(path, title, first))) status = 1;
    first = false;
  }
  return status;
};

class Lister {
  constructor(
    private readonly process: Process,
    private readonly options: Options,
    private readonly names: AccountNames,
  ) {}

  ordered(entries: readonly Shown[]): Shown[] {
    const { has } = this.options;
    const time = ({ stat }: Shown): number => stat.mtime ?? 0;
    const extension = ({ name }: Shown): string => (name.includes('.') ? name.slice(name.lastIndexOf('.')) : '');
    const byName = (a: Shown, b: Shown): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    const sorted = [...entries].sort((a, b) => {
      if (has('S') && a.stat.size !== b.stat.size) return b.stat.size - a.stat.size;
      if (has('t') && time(a) !== time(b)) return time(b) - time(a);
      if (has('X') && extension(a) !== extension(b)) return extension(a) < extension(b) ? -1 : 1;
      return byName(a, b);
    });
    return has('r') ? sorted.reverse() : sorted;
  }

  /** False: it could not be read. */
  async directory(path: string, title: string | undefined, first: boolean): Promise<boolean> {
    const { process, options } = this;
    const { files } = process.container;
    let names: string[];
    try {
      names = files.list(path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`ls: can't open '${title ?? path}': ${error.message}\n`);
      return false;
    }
    if (title !== undefined) await process.stdout.write(`${first ? '' : '\n'}${title}:\n`);
    const wanted = names.filter(name => options.has('a') || options.has('A') || !name.startsWith('.'));
    if (options.has('a')) wanted.unshift('.', '..');
    const entries: Shown[] = [];
    for (const name of wanted) {
      const wait = process.turn();
      if (wait !== undefined) await wait;
      const inner = resolvePath(path, name);
      const stat = (options.has('L') ? await files.stat(inner) : undefined) ?? (await files.linkStat(inner));
      if (stat !== undefined) entries.push({ name, path: inner, stat });
    }
    if (options.has('l') || options.has('s'))
      await process.stdout.write(`total ${entries.reduce((sum, { stat }) => sum + blocks(stat), 0)}\n`);
    const ordered = this.ordered(entries);
    await this.print(ordered);
    if (!options.has('R')) return true;
    let fine = true;
    for (const { name, path: inner, stat } of ordered)
      if (stat.kind === 'directory' && name !== '.' && name !== '..')
        fine = (await this.directory(inner, joinPath(title ?? path, name), false)) && fine;
    return fine;
  }

  async print(entries: readonly Shown[]): Promise<void> {
    if (entries.length === 0) return;
    const { process, options } = this;
    let text = '';
    if (!options.has('l') && !options.has('1') && process.tty && !options.has('n')) {
      const shown = entries.map(entry => this.name(entry));
      const width = Math.max(...shown.map(name => name.length)) + 2;
      const columns = Math.max(1, Math.floor((process.terminal?.columns ?? 80) / width));
      const rows = Math.ceil(shown.length / columns);
      for (let row = 0; row < rows; row++) {
        let line = '';
        for (let at = row; at < shown.length; at += rows)
          line += (shown[at] ?? '').padEnd(at + rows < shown.length ? width : 0);
        text += `${line}\n`;
      }
    } else for (const entry of entries) text += this.line(entry);
    await process.stdout.write(text);
  }

  private name({ name, stat }: Shown): string {
    if (!this.options.has('F') && !this.options.has('p')) return name;
    if (stat.kind === 'directory') return `${name}/`;
    if (!this.options.has('F')) return name;
    if (stat.kind === 'link') return `${name}@`;
    if (stat.type === 'fifo') return `${name}|`;
    return (stat.mode & 0o111) === 0 ? name : `${name}*`;
  }

  private line(entry: Shown): string {
    const { has } = this.options;
    const { stat, path } = entry;
    const inode = has('i') ? `${String(stat.inode).padStart(7)} ` : '';
    const size = has('s') ? `${String(blocks(stat)).padStart(6)} ` : '';
    if (!has('l') && !has('n') && !has('g') && !has('o')) return `${inode}${size}${this.name(entry)}\n`;
    const owner = has('n') ? String(stat.uid) : this.names.user(stat.uid);
    const group = has('n') ? String(stat.gid) : this.names.group(stat.gid);
    const numbers = stat.device === undefined ? undefined : (DEVICE_NUMBERS[baseName(path)] ?? [0, 0]);
    const length =
      numbers === undefined
        ? (has('h') ? humanSize(stat.size) : String(stat.size)).padStart(9)
        : `${String(numbers[0]).padStart(4)},${String(numbers[1]).padStart(4)}`;
    const now = this.process.container.clock.now();
    const time = stat.mtime ?? now;
    const format = has('full-time')
      ? '%Y-%m-%d %H:%M:%S %z'
      : now - time > HALF_YEAR_MS || time > now + 60_000
        ? '%b %e  %Y'
        : '%b %e %H:%M';
    const target = stat.target === undefined ? '' : ` -> ${stat.target}`;
    return `${inode}${size}${permissions(stat.mode, stat.type)} ${String(stat.names).padStart(4)} ${owner.padEnd(8)} ${group.padEnd(8)} ${length} ${formatTime(format, time)} ${this.name(entry)}${target}\n`;
  }
}

const blocks = ({ kind, size }: FileStat): number =>
  kind === 'directory' ? 4 : kind === 'link' ? 0 : Math.ceil(size / 4096) * 4;
