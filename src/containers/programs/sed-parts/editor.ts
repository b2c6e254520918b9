import type { Regex } from '../../../machinery/regex/regex.js';
import type { Output } from '../../io.js';
import { paced } from '../../paced.js';
import type { Process } from '../../process.js';
import { mapPieces, TextBuilder } from '../text-builder.js';
import { EditorOutput } from './editor-output.js';
import { inputLines, type InputLine } from './input-lines.js';
import { expand } from './replacement.js';
import { SedError, type Address, type Command } from './script.js';
import { visible } from './visible.js';

/** What an addition to the hold space weighs beside its text. */
const HELD_BYTES = 48;

/** The script at work on the lines of files. */
export class Editor {
  missing = false;
  private pattern = '';
  private hold = '';
  private line = 0;
  private isLast = false;
  private replaced = false;
  private lastRegex: Regex | undefined;
  private readonly out: EditorOutput;
  private readonly labels = new Map<string, number>();
  private lines: AsyncGenerator<InputLine> | undefined;
  private ahead: InputLine | undefined;
  private terminated = true;

  constructor(
    private readonly process: Process,
    private readonly commands: readonly Command[],
    private readonly quiet: boolean,
    output: Output,
  ) {
    this.out = new EditorOutput(process, output);
    commands.forEach((command, i) => {
      if (command.name === ':') this.labels.set(command.text, i);
    });
    for (const { name, text } of commands)
      if ((name === 'b' || name === 't' || name === 'T') && text !== '' && !this.labels.has(text))
        throw new SedError(`can't find label for jump to '${text}'`);
  }

  async run(files: readonly string[]): Promise<number> {
    this.lines = inputLines(this.process, files.length === 0 ? ['-'] : files, {
      missing: () => void (this.missing = true),
      drained: () => this.out.flush(),
    });
    let exit: number | undefined;
    if (await this.read())
      do exit = await this.cycle();
      while (exit === undefined && (await this.read()));
    await this.out.flush();
    return exit ?? (this.missing ? 1 : 0);
  }

  /** One line ahead of the one at hand: "$" is the very last. */
  private async next(): Promise<InputLine | undefined> {
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

  private async endCycle(): Promise<void> {
    if (!this.quiet) await this.out.line(this.pattern, this.terminated || !this.isLast);
    await this.out.flushAppended();
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
          await this.out.line(this.pattern);
          break;
        case 'P':
          await this.out.line(this.pattern.split('\n', 1)[0] ?? '');
          break;
        case 'd':
          await this.out.flushAppended();
          return undefined;
        case 'D': {
          const newline = this.pattern.indexOf('\n');
          await this.out.flushAppended();
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
          await this.out.flushAppended();
          if (!(await this.read(true))) {
            if (!this.quiet) await this.out.line(this.pattern, this.terminated);
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
          await this.out.line(String(this.line));
          break;
        case 'l':
          await this.out.line(`${visible(this.pattern)}$`);
          break;
        case 'a':
          this.out.append({ text: command.text });
          break;
        case 'i':
          await this.out.write(command.text);
          break;
        case 'c':
          if (command.to === undefined || command.negated || command.active === undefined)
            await this.out.write(command.text);
          await this.out.flushAppended();
          return undefined;
        case 'r':
          this.out.append({ file: command.text });
          break;
        case 'w':
          await this.out.toFile(command.text, this.pattern);
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
    if (print) await this.out.line(this.pattern);
    if (file !== undefined) await this.out.toFile(file, this.pattern);
  }
}
