import { paced } from '../paced.js';
import { mapPieces, TextBuilder } from './text-builder.js';
import { FileError, resolvePath } from '../file-system.js';
import type { Output } from '../io.js';
import type { Process, Program } from '../process.js';
import { RegexError, type Regex } from '../../machinery/regex/regex.js';
import type { Match } from '../../machinery/regex/match.js';
import { writerOf } from '../spawn.js';
import { openInput } from './each-input.js';
import { asBytes, fromBytes, holdAll, TextOutput, toBytes } from './lines.js';
import { parseOptions } from './options.js';
import { parseSed, SedError, type Address, type Command } from './sed-parts/script.js';

/** sed [-nErszi[SUFFIX]] [-e SCRIPT|-f FILE]... [SCRIPT] [FILE...] */
export const sed: Program = async process => {
  const suffixes: string[] = [];
  const given = process.args.slice(1).map(arg => {
    const inPlace = /^(-[nErsz]*i|--in-place=?)(.*)$/s.exec(arg);
    if (inPlace === null || arg.startsWith('--expression')) return arg;
    suffixes.push(inPlace[2] ?? '');
    return (inPlace[1] ?? '').startsWith('--') ? '-i' : (inPlace[1] ?? '');
  });
  const options = parseOptions(given, {
    short: 'nErsize:f:u',
    long: {
      quiet: 'n',
      silent: 'n',
      'regexp-extended': 'E',
      expression: 'e:',
      file: 'f:',
      'null-data': 'z',
      unbuffered: 'u',
      separate: 's',
    },
  });
  const files = [...options.operands];
  const scripts = [...options.all('e')];
  for (const name of options.all('f'))
    scripts.push(
      (await process.container.files.read(resolvePath(process.cwd, name))).toString('utf8').replace(/\n$/, ''),
    );
  if (scripts.length === 0) scripts.push(files.shift() ?? '');
  try {
    const source = asBytes(scripts.join('\n'));
    const commands = parseSed(source, options.has('E') || options.has('r'), process.turn);
    const quiet = options.has('n') || source.startsWith('#n\n');
    if (!options.has('i')) {
      const editor = new Editor(process, commands, quiet, process.stdout);
      return await editor.run(files);
    }
    let status = 0;
    for (const name of files) {
      const path = resolvePath(process.cwd, name);
      const chunks: Buffer[] = [];
      const output: Output = {
        write(data) {
          const chunk = Buffer.from(data);
          process.memory.add(chunk.length);
          chunks.push(chunk);
        },
      };
      const editor = new Editor(
        process,
        parseSed(source, options.has('E') || options.has('r'), process.turn),
        quiet,
        output,
      );
      const old = suffixes.at(-1) === '' ? undefined : await process.container.files.read(path);
      status = (await editor.run([name])) || status;
      if (old !== undefined) await process.container.files.write(`${path}${suffixes.at(-1) ?? ''}`, Buffer.from(old));
      if (!editor.missing) await process.container.files.write(path, Buffer.concat(chunks));
    }
    return status;
  } catch (error) {
    if (!(error instanceof SedError || error instanceof RegexError)) throw error;
    await process.stderr.write(`sed: ${error.message}\n`);
    return 1;
  }
};

/** What an addition to the hold space weighs beside its text. */
const HELD_BYTES = 48;

class Editor {
  missing = false;
  private pattern = '';
  private hold = '';
  private line = 0;
  private isLast = false;
  private replaced = false;
  private lastRegex: Regex | undefined;
  private appended: { readonly text?: string; readonly file?: string }[] = [];
  private readonly out: TextOutput;
  private readonly labels = new Map<string, number>();
  private readonly written = new Map<string, Output>();
  private lines: AsyncGenerator<{ readonly line: string; readonly terminated: boolean }> | undefined;
  private ahead: { readonly line: string; readonly terminated: boolean } | undefined;
  private terminated = true;

  constructor(
    private readonly process: Process,
    private readonly commands: readonly Command[],
    private readonly quiet: boolean,
    output: Output,
  ) {
    this.out = new TextOutput(output);
    commands.forEach((command, i) => {
      if (command.name === ':') this.labels.set(command.text, i);
    });
    for (const { name, text } of commands)
      if ((name === 'b' || name === 't' || name === 'T') && text !== '' && !this.labels.has(text))
        throw new SedError(`can't find label for jump to '${text}'`);
  }

  async run(files: readonly string[]): Promise<number> {
    this.lines = this.allLines(files.length === 0 ? ['-'] : files);
    let exit: number | undefined;
    if (await this.read())
      do exit = await this.cycle();
      while (exit === undefined && (await this.read()));
    await this.out.flush();
    return exit ?? (this.missing ? 1 : 0);
  }

  /** Lines of all files one after the other, one ahead: "$" is the very last. */
  private async *allLines(files: readonly string[]): AsyncGenerator<{ line: string; terminated: boolean }> {
    const { process } = this;
    for (const name of files) {
      let input = process.stdin;
      if (name !== '-')
        try {
          if (process.container.files.kind(resolvePath(process.cwd, name)) === 'directory')
            throw new FileError('EISDIR');
          input = await openInput(process, name);
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
          await process.stderr.write(`sed: ${name}: ${error.message}\n`);
          this.missing = true;
          continue;
        }
      let parts: string[] = [];
      for (
        let chunk = await input.read(process.signal);
        chunk !== undefined;
        chunk = await input.read(process.signal)
      ) {
        const pieces = fromBytes(chunk).split('\n');
        for (const [i, piece] of pieces.entries()) {
          if (i === pieces.length - 1) {
            if (piece !== '') {
              process.memory.add(piece.length);
              parts.push(piece);
            }
            break;
          }
          parts.push(piece);
          const line = parts.length === 1 ? piece : parts.join('');
          if (parts.length > 1) process.memory.remove(line.length - piece.length);
          parts = [];
          yield { line, terminated: true };
        }
        await this.out.flush();
      }
      if (parts.length > 0) {
        const line = parts.join('');
        process.memory.remove(line.length);
        yield { line, terminated: false };
      }
    }
  }

  private async next(): Promise<Editor['ahead']> {
    const found = await this.lines?.next();
    return found?.done === true ? undefined : found?.value;
  }

  /** Reads the next line. False: there is none. */
  private async read(append = false): Promise<boolean> {
    const wait = this.process.turn();
    if (wait !== undefined) await wait;
    const current = this.ahead ?? (this.line === 0 ? await this.next() : undefined);
    if (current === undefined) return false;
    this.ahead = await this.next();
    this.line++;
    this.isLast = this.ahead === undefined;
    this.terminated = current.terminated;
    this.setPattern(append ? `${this.pattern}\n${current.line}` : current.line);
    return true;
  }

  private setPattern(text: string): void {
    const growth = text.length - this.pattern.length;
    if (growth > 4096) {
      this.process.memory.add(text.length);
      this.process.memory.remove(text.length);
    }
    this.pattern = text;
  }

  private async selects(command: Command): Promise<boolean> {
    const { from, to } = command;
    if (from === undefined) return true;
    if (to === undefined) return this.at(from);
    if (command.active !== undefined) {
      const ended = to.kind === 'regex' ? await this.at(to) : this.line >= command.active;
      if (ended) command.active = undefined;
      // A range whose last line has gone by holds for none but its first.
      return to.kind !== 'line' || this.line <= to.line;
    }
    const zero = from.kind === 'line' && from.line === 0 && this.line === 1;
    if (!zero && !(await this.at(from))) return false;
    if (to.kind === 'line' && to.line <= this.line) return true;
    if (to.kind === 'last' && this.isLast) return true;
    if (zero && to.kind === 'regex' && (await this.at(to))) return true;
    command.active = to.kind === 'line' ? to.line : to.kind === 'plus' ? this.line + to.count : Infinity;
    if (to.kind === 'plus' && to.count === 0) command.active = undefined;
    return true;
  }

  private async at(address: Address): Promise<boolean> {
    switch (address.kind) {
      case 'line':
        return this.line === address.line;
      case 'last':
        return this.isLast;
      case 'step':
        return address.step === 0
          ? this.line === address.first
          : this.line >= address.first && (this.line - address.first) % address.step === 0;
      case 'plus':
        return false;
      case 'regex':
        return this.regex(address.regex).test(this.pattern);
    }
  }

  private regex(given: Regex | undefined): Regex {
    const regex = given ?? this.lastRegex;
    if (regex === undefined) throw new SedError('no previous regexp');
    this.lastRegex = regex;
    return regex;
  }

  private async print(text: string, terminated = true): Promise<void> {
    await this.out.write(terminated ? `${text}\n` : text);
  }

  private async endCycle(): Promise<void> {
    if (!this.quiet) await this.print(this.pattern, this.terminated || !this.isLast);
    await this.flushAppended();
  }

  private async flushAppended(): Promise<void> {
    const waiting = this.appended;
    this.appended = [];
    for (const { text, file } of waiting) {
      if (text !== undefined) await this.out.write(text);
      if (file === undefined) continue;
      const path = resolvePath(this.process.cwd, file);
      if (file === '/dev/stdin') await this.out.write(fromBytes(await holdAll(this.process, this.process.stdin)));
      else if (this.process.container.files.kind(path) === 'file')
        await this.out.write(fromBytes(await this.process.container.files.read(path)));
    }
  }

  private async file(name: string): Promise<Output> {
    const open = this.written.get(name);
    if (open !== undefined) return open;
    const { process } = this;
    const output =
      name === '/dev/stdout'
        ? process.stdout
        : writerOf(await process.container.files.openWrite(resolvePath(process.cwd, name)), process.turn);
    this.written.set(name, output);
    return output;
  }

  /** Runs the script on the pattern space. A number: the exit status with which to quit. */
  private async cycle(): Promise<number | undefined> {
    let steps = 0;
    for (let at = 0; at < this.commands.length; at++) {
      const command = this.commands[at];
      if (command === undefined) break;
      if (++steps % 64 === 0) await this.process.turn();
      if ((await this.selects(command)) === command.negated) {
        if (command.name === '{') at = command.end - 1;
        continue;
      }
      switch (command.name) {
        case 's':
          await this.substitute(command);
          break;
        case 'y': {
          const { map } = command;
          const changed = (piece: string): string => [...piece].map(c => map?.get(c) ?? c).join('');
          this.pattern = await paced(mapPieces(this.pattern, changed), this.process.turn);
          break;
        }
        case 'p':
          await this.print(this.pattern);
          break;
        case 'P':
          await this.print(this.pattern.split('\n', 1)[0] ?? '');
          break;
        case 'd':
          await this.flushAppended();
          return undefined;
        case 'D': {
          const newline = this.pattern.indexOf('\n');
          await this.flushAppended();
          if (newline < 0) return undefined;
          this.pattern = this.pattern.slice(newline + 1);
          at = -1;
          break;
        }
        case 'n':
          if (this.isLast && this.ahead === undefined) {
            await this.endCycle();
            return 0;
          }
          await this.endCycle();
          if (!(await this.read())) return 0;
          break;
        case 'N':
          await this.flushAppended();
          if (!(await this.read(true))) {
            if (!this.quiet) await this.print(this.pattern, this.terminated);
            return 0;
          }
          break;
        case 'g':
          this.setPattern(this.hold);
          break;
        case 'G':
          this.setPattern(`${this.pattern}\n${this.hold}`);
          break;
        case 'h':
          this.hold = this.pattern;
          break;
        case 'H': {
          const joined = `${this.hold}\n${this.pattern}`;
          this.process.memory.add(this.pattern.length + HELD_BYTES);
          this.hold = joined;
          break;
        }
        case 'x':
          [this.pattern, this.hold] = [this.hold, this.pattern];
          break;
        case '=':
          await this.print(String(this.line));
          break;
        case 'l':
          await this.print(`${visible(this.pattern)}$`);
          break;
        case 'a':
          this.appended.push({ text: command.text });
          break;
        case 'i':
          await this.out.write(command.text);
          break;
        case 'c':
          if (command.to === undefined || command.negated || command.active === undefined)
            await this.out.write(command.text);
          await this.flushAppended();
          return undefined;
        case 'r':
          this.appended.push({ file: command.text });
          break;
        case 'w':
          await (await this.file(command.text)).write(toBytes(`${this.pattern}\n`));
          break;
        case 'q':
          await this.endCycle();
          return Number(command.text === '' ? 0 : command.text);
        case 'Q':
          return Number(command.text === '' ? 0 : command.text);
        case 'b':
          at = command.text === '' ? this.commands.length : (this.labels.get(command.text) ?? at);
          break;
        case 't':
        case 'T':
          if (this.replaced === (command.name === 't'))
            at = command.text === '' ? this.commands.length : (this.labels.get(command.text) ?? at);
          this.replaced = false;
          break;
        default:
      }
    }
    this.replaced = false;
    await this.endCycle();
    return undefined;
  }

  private async substitute({ substitution }: Command): Promise<void> {
    if (substitution === undefined) return;
    const { global, nth, print, replacement, file } = substitution;
    const regex = this.regex(substitution.regex);
    const text = this.pattern;
    const parts = new TextBuilder();
    let done = 0;
    let count = 0;
    let size = 0;
    let any = false;
    for (let from = 0; from <= text.length;) {
      const found = regex.exec(text, from);
      const match = found instanceof Promise ? await found : found;
      if (match === undefined) break;
      // An empty match right behind another is none.
      if (match.end === match.start && match.start === done && count > 0 && any) {
        from = match.start + 1;
        continue;
      }
      if (++count >= nth) {
        const made = expand(replacement, text, match);
        size += made.length;
        if (size > 65536) {
          this.process.memory.add(size);
          this.process.memory.remove(size);
        }
        parts.push(text.slice(done, match.start), made);
        done = match.end;
        any = true;
        if (!global) break;
      }
      from = match.end > match.start ? match.end : match.end + 1;
      if (count % 64 === 0) await this.process.turn();
    }
    if (!any) return;
    parts.push(text.slice(done));
    this.setPattern(parts.text());
    this.replaced = true;
    if (print) await this.print(this.pattern);
    if (file !== undefined) await (await this.file(file)).write(toBytes(`${this.pattern}\n`));
  }
}

function expand(
  replacement: NonNullable<Command['substitution']>['replacement'],
  text: string,
  { groups }: Match,
): string {
  let out = '';
  let fold = '';
  let once = '';
  const put = (piece: string): void => {
    let shown = fold === 'U' ? piece.toUpperCase() : fold === 'L' ? piece.toLowerCase() : piece;
    if (once !== '' && shown !== '') {
      const head = shown.slice(0, 1);
      shown = (once === 'u' ? head.toUpperCase() : head.toLowerCase()) + shown.slice(1);
      once = '';
    }
    out += shown;
  };
  for (const part of replacement)
    if ('text' in part) put(part.text);
    else if ('group' in part) {
      const [start = -1, end = -1] = [groups[part.group * 2], groups[part.group * 2 + 1]];
      if (start >= 0) put(text.slice(start, end));
    } else if (part.fold === 'u' || part.fold === 'l') once = part.fold;
    else fold = part.fold === 'E' ? '' : part.fold;
  return out;
}

const visible = (text: string): string =>
  text.replace(/[\\\x00-\x1f\x7f-\xff]/g, c => {
    const known: Readonly<Record<string, string>> = {
      '\\': '\\\\',
      '\x07': '\\a',
      '\b': '\\b',
      '\f': '\\f',
      '\n': '\\n',
      '\r': '\\r',
      '\t': '\\t',
      '\v': '\\v',
    };
    return known[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
