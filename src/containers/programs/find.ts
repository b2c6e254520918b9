import { FileError, resolvePath } from '../file-system.js';
import type { FileStat } from '../file-system.js';
import { baseName } from '../paths.js';
import type { Process, Program } from '../process.js';
import { compileRegex } from '../../machinery/regex/regex.js';
import { compilePattern, matchesSteps } from '../shell/pattern.js';
import { accountNames } from './accounts.js';
import { permissions } from './modes.js';
import { runOther } from './run-other.js';
import { walk } from './walk.js';

interface Found {
  readonly path: string;
  readonly start: string;
  readonly stat: FileStat;
  depth: number;
}

type Test = (found: Found) => boolean | Promise<boolean>;

const DAY_MS = 86_400_000;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 512,
  b: 512,
  c: 1,
  w: 2,
  k: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};
const TYPES: Readonly<Record<string, FileStat['type']>> = {
  f: 'regular',
  d: 'directory',
  l: 'link',
  c: 'character',
  p: 'fifo',
};

/** "+5": more than; "-5": less than; "5": just. */
const compare = (text: string, value: number): boolean => {
  const number = Number(text.replace(/^[-+]/, ''));
  if (text.startsWith('+')) return value > number;
  return text.startsWith('-') ? value < number : value === number;
};

/** find [PATH...] [EXPRESSION] */
export const find: Program = async process => {
  const args = process.args.slice(1);
  while (args[0] === '-L' || args[0] === '-H' || args[0] === '-P') args.shift();
  const cut = args.findIndex(arg => arg.startsWith('-') || arg === '(' || arg === '!');
  const starts = cut < 0 ? args : args.slice(0, cut);
  const expression = new Expression(process, cut < 0 ? [] : args.slice(cut));
  const test = await expression.parse();
  const { files } = process.container;
  let status = 0;
  const complain = async (path: string, error: FileError): Promise<void> => {
    await process.stderr.write(`find: ${path}: ${error.message}\n`);
    status = 1;
  };
  for (const start of starts.length === 0 ? ['.'] : starts) {
    if (files.kind(resolvePath(process.cwd, start)) === undefined && !files.isLink(resolvePath(process.cwd, start))) {
      await complain(start, new FileError('ENOENT'));
      continue;
    }
    const slashes = (path: string): number => path.split('/').length;
    const base = slashes(start.endsWith('/') ? start.slice(0, -1) : start);
    const enter = (path: string): boolean => {
      const depth = path === start ? 0 : slashes(path) - base;
      return depth < expression.maxDepth && expression.pruned !== path;
    };
    for await (const path of walk(process, start, { complain, enter, deepFirst: expression.deepFirst })) {
      const stat = await files.linkStat(resolvePath(process.cwd, path));
      if (stat === undefined) continue;
      const depth = path === start ? 0 : slashes(path) - base;
      if (depth >= expression.minDepth) await test({ path, start, stat, depth });
      if (expression.quit) break;
    }
    if (expression.quit) break;
  }
  await expression.finish();
  return status === 0 ? expression.status : status;
};

class Expression {
  maxDepth = Infinity;
  minDepth = 0;
  deepFirst = false;
  quit = false;
  status = 0;
  pruned: string | undefined;
  private at = 0;
  private depth = 0;
  private acts = false;
  private readonly batches: { readonly command: readonly string[]; paths: string[]; size: number }[] = [];

  constructor(
    private readonly process: Process,
    private readonly words: readonly string[],
  ) {}

  async parse(): Promise<Test> {
    const test = this.words.length === 0 ? (): boolean => true : await this.either();
    if (this.at < this.words.length) throw new Error(`unrecognized: ${this.words[this.at] ?? ''}`);
    if (this.acts) return test;
    return async found => (await test(found)) && this.print(found.path, '\n');
  }

  async finish(): Promise<void> {
    for (const batch of this.batches) await this.flush(batch);
  }

  private async print(path: string, end: string): Promise<boolean> {
    await this.process.stdout.write(`${path}${end}`);
    return true;
  }

  private async either(): Promise<Test> {
    let test = await this.both();
    while (this.words[this.at] === '-o' || this.words[this.at] === '-or') {
      this.at++;
      const [left, right] = [test, await this.both()];
      test = async found => (await left(found)) || right(found);
    }
    return test;
  }

  private async both(): Promise<Test> {
    let test = await this.primary();
    for (;;) {
      const word = this.words[this.at];
      if (word === undefined || word === '-o' || word === '-or' || word === ')') return test;
      if (word === '-a' || word === '-and') this.at++;
      const [left, right] = [test, await this.primary()];
      test = async found => (await left(found)) && right(found);
    }
  }

  private next(name: string): string {
    const word = this.words[this.at++];
    if (word === undefined) throw new Error(`${name}: requires an argument`);
    return word;
  }

  private async primary(): Promise<Test> {
    if (++this.depth > 200) throw new Error('expression nested too deeply');
    const test = await this.primaryHere();
    this.depth--;
    return test;
  }

  private async primaryHere(): Promise<Test> {
    const { process } = this;
    const { files, clock } = process.container;
    const word = this.next('find');
    const value = (): string => this.next(word);
    const named = (pattern: string, text: (found: Found) => string, fold = false): Test => {
      const steps = compilePattern([{ text: fold ? pattern.toLowerCase() : pattern, quoted: false }]);
      return found => matchesSteps(steps, fold ? text(found).toLowerCase() : text(found));
    };
    const age = (found: Found): number => clock.now() - (found.stat.mtime ?? 0);
    switch (word) {
      case '(': {
        const test = await this.either();
        if (this.next('(') !== ')') throw new Error('unmatched (');
        return test;
      }
      case '!':
      case '-not': {
        const test = await this.primary();
        return async found => !(await test(found));
      }
      case '-true':
      case '-noleaf':
      case '-xdev':
      case '-mount':
      case '-follow':
        return () => true;
      case '-false':
        return () => false;
      case '-name':
        return named(value(), found => baseName(found.path));
      case '-iname':
        return named(value(), found => baseName(found.path), true);
      case '-path':
      case '-wholename':
        return named(value(), found => found.path);
      case '-ipath':
        return named(value(), found => found.path, true);
      case '-regex': {
        const regex = compileRegex(`^(${value()})$`, { extended: true }, process.turn);
        return async found => regex.test(found.path);
      }
      case '-type': {
        const types = value()
          .split(',')
          .map(letter => TYPES[letter]);
        return found => types.includes(found.stat.type);
      }
      case '-size': {
        const [, sign = '', number = '', unit = ''] = /^([-+]?)(\d{1,15})([bcwkMG]?)$/.exec(value()) ?? [];
        if (number === '') throw new Error('invalid -size');
        return found => compare(sign + number, Math.ceil(found.stat.size / (SIZE_UNITS[unit] ?? 512)));
      }
      case '-empty':
        return found =>
          found.stat.kind === 'directory'
            ? files.list(resolvePath(process.cwd, found.path)).length === 0
            : found.stat.type === 'regular' && found.stat.size === 0;
      case '-newer': {
        const other = await files.stat(resolvePath(process.cwd, value()));
        if (other === undefined) throw new FileError('ENOENT');
        return found => (found.stat.mtime ?? 0) > (other.mtime ?? 0);
      }
      case '-mtime':
      case '-atime':
      case '-ctime': {
        const days = value();
        return found => compare(days, Math.floor(age(found) / DAY_MS));
      }
      case '-mmin':
      case '-amin':
      case '-cmin': {
        const minutes = value();
        return found => compare(minutes, Math.floor(age(found) / 60_000));
      }
      case '-links': {
        const count = value();
        return found => compare(count, found.stat.names);
      }
      case '-inum': {
        const inode = Number(value());
        return found => found.stat.inode === inode;
      }
      case '-perm': {
        const text = value();
        const mode = parseInt(text.replace(/^[-/+]/, ''), 8);
        if (Number.isNaN(mode)) throw new Error(`invalid mode '${text}'`);
        return ({ stat }) => {
          if (text.startsWith('-')) return (stat.mode & mode) === mode;
          return text.startsWith('/') || text.startsWith('+')
            ? (stat.mode & mode) !== 0
            : (stat.mode & 0o7777) === mode;
        };
      }
      case '-user':
      case '-group': {
        const names = await accountNames(process);
        const name = value();
        const id = word === '-user' ? names.uid(name) : names.gid(name);
        if (id === undefined) throw new Error(`unknown ${word.slice(1)} ${name}`);
        return ({ stat }) => (word === '-user' ? stat.uid : stat.gid) === id;
      }
      case '-maxdepth':
        this.maxDepth = Number(value());
        return () => true;
      case '-mindepth':
        this.minDepth = Number(value());
        return () => true;
      case '-depth':
        this.deepFirst = true;
        return () => true;
      case '-prune':
        return found => {
          this.pruned = found.path;
          return true;
        };
      case '-quit':
        return () => {
          this.quit = true;
          return false;
        };
      case '-print':
        this.acts = true;
        return found => this.print(found.path, '\n');
      case '-print0':
        this.acts = true;
        return found => this.print(found.path, '\0');
      case '-ls':
        this.acts = true;
        return ({ stat, path }) =>
          this.print(
            `${String(stat.inode).padStart(7)} ${String(Math.ceil(stat.size / 1024)).padStart(6)} ${permissions(stat.mode, stat.type)} ${stat.names} ${stat.uid} ${stat.gid} ${String(stat.size).padStart(9)} ${path}`,
            '\n',
          );
      case '-delete':
        this.acts = this.deepFirst = true;
        return ({ path }) => {
          if (path !== '.') files.remove(resolvePath(process.cwd, path));
          return true;
        };
      case '-exec':
      case '-ok':
        return this.exec();
      default:
        throw new Error(`unrecognized: ${word}`);
    }
  }

  private exec(): Test {
    this.acts = true;
    const command: string[] = [];
    let word = this.next('-exec');
    for (; word !== ';' && !(word === '+' && command.at(-1) === '{}'); word = this.next('-exec')) command.push(word);
    if (word === ';')
      return async ({ path }) =>
        (await runOther(
          this.process,
          command.map(part => part.replaceAll('{}', path)),
        )) === 0;
    const batch = { command: command.slice(0, -1), paths: [] as string[], size: 0 };
    this.batches.push(batch);
    return async ({ path }) => {
      batch.paths.push(path);
      batch.size += path.length + 1;
      if (batch.size > 65_536) await this.flush(batch);
      return true;
    };
  }

  private async flush(batch: { readonly command: readonly string[]; paths: string[]; size: number }): Promise<void> {
    if (batch.paths.length === 0) return;
    const { paths } = batch;
    batch.paths = [];
    batch.size = 0;
    if ((await runOther(this.process, [...batch.command, ...paths])) !== 0) this.status = 1;
  }
}
