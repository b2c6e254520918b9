import { DEVICE_NUMBERS } from '../devices.js';
import { FileError, resolvePath, type FileStat } from '../file-system.js';
import { baseName, joinPath } from '../paths.js';
import type { Process, Program } from '../process.js';
import { humanSize } from './counts.js';
import { accountNames, type AccountNames } from './accounts.js';
import { permissions } from './modes.js';
import { parseOptions, type Options } from './options.js';
import { formatTime } from './times.js';
import { compareVersions } from './versions.js';

interface Shown {
  readonly name: string;
  readonly path: string;
  readonly stat: FileStat;
}

const HALF_YEAR_MS = 180 * 86_400_000;

/** ls [-1AaCxdLHRFplinshgrSXvctu] [-w WIDTH] [FILE...], as BusyBox prints it. */
export const ls: Program = async process => {
  const options = parseOptions(process.args.slice(1), {
    short: 'la1hARdtrCFiLnpSsXxHcugovw:',
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
      // A name that ends in a slash is the directory behind a link.
      const follow = path.endsWith('/') || !(options.has('d') || options.has('F') || isLong(options));
      const followed = follow || options.has('L') || options.has('H');
      const stat = await (followed ? fs.stat(absolute) : fs.linkStat(absolute));
      if (stat === undefined) throw new FileError('ENOENT');
      (stat.kind === 'directory' && !options.has('d') ? directories : files).push({ name: path, path: absolute, stat });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await process.stderr.write(`ls: ${path}: ${error.message}\n`);
      status = 1;
    }
  await lister.print(lister.ordered(files));
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
      if (has('v')) return compareVersions(a.name, b.name);
      if (has('X') && extension(a) !== extension(b)) return extension(a) < extension(b) ? -1 : 1;
      return byName(a, b);
    });
    if (has('r')) sorted.reverse();
    if (!has('gdf')) return sorted;
    const isDirectory = ({ stat }: Shown): boolean => stat.kind === 'directory';
    return [...sorted.filter(isDirectory), ...sorted.filter(each => !isDirectory(each))];
  }

  /** False: it could not be read. */
  async directory(path: string, title: string | undefined, first: boolean): Promise<boolean> {
    const { process, options } = this;
    const { files } = process.container;
    let names: string[];
    let fine = true;
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
      const stat = await (options.has('L') ? files.stat(inner) : files.linkStat(inner));
      if (stat !== undefined) entries.push({ name, path: inner, stat });
      else if (files.isLink(inner)) {
        await process.stderr.write(`ls: ${joinPath(title ?? '.', name)}: No such file or directory\n`);
        fine = false;
      }
    }
    if (isLong(options) || options.has('s')) {
      const total = entries.reduce((sum, { stat }) => sum + blocks(stat), 0);
      const shown = options.has('h') ? humanSize(total * 1024, true).padEnd(HUMAN_WIDTH) : String(total);
      await process.stdout.write(`total ${shown}\n`);
    }
    const ordered = this.ordered(entries);
    await this.print(ordered);
    if (!options.has('R')) return fine;
    for (const { name, path: inner, stat } of ordered)
      if (stat.kind === 'directory' && name !== '.' && name !== '..')
        fine = (await this.directory(inner, joinPath(title ?? path, name), false)) && fine;
    return fine;
  }

  async print(entries: readonly Shown[]): Promise<void> {
    if (entries.length === 0) return;
    const { process, options } = this;
    const inColumns = options.has('C') || options.has('x') || (process.tty && !options.has('1'));
    const text = isLong(options)
      ? (await this.longLines(entries)).join('')
      : inColumns
        ? this.columns(entries)
        : entries.map(entry => `${this.short(entry)}\n`).join('');
    await process.stdout.write(text);
  }

  private columns(entries: readonly Shown[]): string {
    const { process, options } = this;
    const room = Number(options.get('w') ?? (process.terminal?.columns ?? 80) - 1);
    const longest = entries.reduce((most, { name }) => Math.max(most, name.length), 0);
    const width = longest + 2 + (options.has('s') ? 5 : 0) + (options.has('i') ? 8 : 0);
    const columns = Math.max(1, Math.floor((Number.isFinite(room) ? room : 0) / width));
    const rows = Math.ceil(entries.length / columns);
    let text = '';
    for (let row = 0; row < rows; row++) {
      let line = '';
      let stop = 0;
      for (let column = 0; column < columns; column++) {
        const entry = entries[options.has('x') ? row * columns + column : row + column * rows];
        if (entry === undefined) continue;
        line = line.padEnd(stop) + this.short(entry);
        stop += width;
      }
      text += `${line}\n`;
    }
    return text;
  }

  /** What stands for a kind of file behind its name. */
  private mark({ stat }: Pick<Shown, 'stat'>): string {
    if (!this.options.has('F') && !this.options.has('p')) return '';
    if (stat.kind === 'directory') return '/';
    if (!this.options.has('F')) return '';
    if (stat.kind === 'link') return '@';
    if (stat.type === 'fifo') return '|';
    return stat.type === 'regular' && (stat.mode & 0o111) !== 0 ? '*' : '';
  }

  private numbers({ stat }: Shown): string {
    const { has } = this.options;
    return (has('i') ? `${String(stat.inode).padStart(7)} ` : '') + (has('s') ? `${blocksText(stat)} ` : '');
  }

  private short(entry: Shown): string {
    return this.numbers(entry) + entry.name + this.mark(entry);
  }

  private async longLines(entries: readonly Shown[]): Promise<string[]> {
    const lines: string[] = [];
    for (const entry of entries) lines.push(this.line(entry, await this.target(entry)));
    return lines;
  }

  /** Where a link leads, marked for what is there. */
  private async target({ path, stat }: Shown): Promise<string | undefined> {
    if (stat.target === undefined) return undefined;
    const marked = this.options.has('F') || this.options.has('p');
    const there = marked ? await this.process.container.files.stat(path) : undefined;
    return ` -> ${stat.target}${there === undefined ? '' : this.mark({ stat: there })}`;
  }

  private line(entry: Shown, target: string | undefined): string {
    const { has } = this.options;
    const { stat, path, name } = entry;
    const owner = has('n') ? String(stat.uid) : this.names.user(stat.uid);
    const group = has('n') ? String(stat.gid) : this.names.group(stat.gid);
    const device = stat.device === undefined ? undefined : (DEVICE_NUMBERS[baseName(path)] ?? [0, 0]);
    const length =
      device !== undefined
        ? `${String(device[0]).padStart(4)},${String(device[1]).padStart(4)}`
        : has('h')
          ? humanSize(stat.size).padStart(HUMAN_WIDTH)
          : String(stat.size).padStart(9);
    const now = this.process.container.clock.now();
    const time = stat.mtime ?? now;
    const format = has('full-time')
      ? '%Y-%m-%d %H:%M:%S %z'
      : now - time > HALF_YEAR_MS || time > now + 60_000
        ? '%b %e  %Y'
        : '%b %e %H:%M';
    const owners = [...(has('g') ? [] : [owner]), ...(has('o') ? [] : [group])].map(each => `${each.padEnd(8)} `);
    const mode = permissions(stat.mode, stat.type);
    return `${this.numbers(entry)}${mode} ${String(stat.names).padStart(4)} ${owners.join('')}${length} ${formatTime(format, time)} ${name}${target ?? this.mark(entry)}\n`;
  }
}

const isLong = ({ has }: Options): boolean => has('l') || has('n') || has('g') || has('o') || has('full-time');

/** BusyBox's HUMAN_READABLE_MAX_WIDTH. */
const HUMAN_WIDTH = 7;

const blocksText = (stat: FileStat): string => String(blocks(stat)).padStart(6);

const blocks = ({ kind, size }: FileStat): number =>
  kind === 'directory' ? 4 : kind === 'link' ? 0 : Math.ceil(size / 4096) * 4;
