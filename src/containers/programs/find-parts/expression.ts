import { resolvePath } from '../../file-system.js';
import type { Process } from '../../process.js';
import { permissions } from '../modes.js';
import { Commands } from './exec.js';
import { fileTest } from './file-tests.js';
import type { Test } from './found.js';

/** What find is asked to do: a grammar of tests and actions, and how far it is to look. */
export class Expression {
  maxDepth = Infinity;
  minDepth = 0;
  deepFirst = false;
  quit = false;
  pruned: string | undefined;
  private at = 0;
  private depth = 0;
  private acts = false;
  readonly commands: Commands;

  constructor(
    private readonly process: Process,
    private readonly words: readonly string[],
  ) {
    this.commands = new Commands(process);
  }

  async parse(): Promise<Test> {
    const test = this.words.length === 0 ? (): boolean => true : await this.either();
    if (this.at < this.words.length) throw new Error(`unrecognized: ${this.words[this.at] ?? ''}`);
    if (this.acts) return test;
    return async found => (await test(found)) && this.print(found.path, '\n');
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
    const { files } = process.container;
    const word = this.next('find');
    const value = (): string => this.next(word);
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
        this.acts = true;
        return this.commands.exec(() => this.next('-exec'));
      default: {
        const test = await fileTest(word, value, process);
        if (test === undefined) throw new Error(`unrecognized: ${word}`);
        return test;
      }
    }
  }
}
