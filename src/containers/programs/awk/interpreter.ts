import { resolvePath } from '../../file-system.js';
import { createPipe, emptyInput, type Output, type Pipe } from '../../io.js';
import { Killed, type Process } from '../../process.js';
import { compileRegex, type Regex } from '../../../machinery/regex/regex.js';
import { readerOf, spawn, writerOf, type Child } from '../../spawn.js';
import { openInput } from '../each-input.js';
import { asBytes, asText, TextOutput } from '../lines.js';
import { callBuiltin } from './builtins.js';
import { RecordReader, type Separator } from './records.js';
import {
  AwkError,
  type AwkFunction,
  type AwkProgram,
  type Expression,
  type LValue,
  type Redirection,
  type Rule,
  type Statement,
} from './syntax.js';
import { atOnce, type Steps } from '../../../machinery/steps.js';
import { paced } from '../../paced.js';
import { characters, fieldsBetween, fieldsBetweenBlanks, LONG_TEXT } from './fields.js';
import { AwkArray, compareValues, fromOutside, isTrue, toNumber, toText, type Value } from './values.js';

export type Maybe<T> = T | Promise<T>;
/** Goes on with a value, at once where it is there. */
export const then = <T, R>(value: Maybe<T>, next: (value: T) => Maybe<R>): Maybe<R> =>
  value instanceof Promise ? value.then(next) : next(value);

type Jump = 'break' | 'continue' | 'next' | 'nextfile' | 'return' | 'exit' | undefined;

interface Sink {
  readonly out: TextOutput;
  readonly close: () => Promise<number>;
}
interface Source {
  readonly reader: RecordReader;
  readonly close: () => Promise<number>;
}

const SUBSEP = '\x1c';
const MAX_CALLS = 2000;
const CALL_BYTES = 2048;
const MAX_CACHED = 256;
const MAX_FIELDS = 1_000_000;
/** A string that is longer is paid for before it is made. */
const LARGE = 4096;

/** Runs an awk program over the records of its inputs. */
export class Interpreter {
  readonly globals = new Map<string, Value | AwkArray>();
  private readonly frames: Map<string, Value | AwkArray>[] = [];
  private fields: string[] = [];
  private record = '';
  /** $0 has not been cut into fields, or fields have changed and $0 is not made anew. */
  private state: 'uncut' | 'whole' | 'changed' = 'whole';
  private readonly regexes = new Map<string, Regex>();
  private readonly sinks = new Map<string, Sink>();
  private readonly sources = new Map<string, Source>();
  private readonly ranges = new Set<Rule>();
  readonly out: TextOutput;
  private result: Value;
  private exitCode = 0;
  private calls = 0;
  private main: RecordReader | undefined;
  private nextArgument = 1;
  private usedInput = false;
  seed = 0;
  random: () => number;

  constructor(
    readonly process: Process,
    private readonly program: AwkProgram,
  ) {
    this.out = new TextOutput(process.stdout);
    this.random = process.container.random;
    for (const [name, value] of [
      ['FS', ' '],
      ['OFS', ' '],
      ['ORS', '\n'],
      ['RS', '\n'],
      ['CONVFMT', '%.6g'],
      ['OFMT', '%.6g'],
      ['SUBSEP', SUBSEP],
      ['NR', 0],
      ['FNR', 0],
      ['NF', 0],
      ['RSTART', 0],
      ['RLENGTH', -1],
      ['FILENAME', ''],
    ] as const)
      this.globals.set(name, value);
  }

  get convert(): string {
    return toText(this.globals.get('CONVFMT') as Value, '%.6g');
  }
  text(value: Value): string {
    return toText(value, this.convert);
  }
  newArray(): AwkArray {
    return new AwkArray(this.process.memory);
  }
  /** Asks whether so many bytes may be held. @throws Killed */
  pay(bytes: number): void {
    if (bytes < LARGE) return;
    this.process.memory.add(bytes);
    this.process.memory.remove(bytes);
  }

  async run(): Promise<number> {
    const { rules } = this.program;
    let jump: Jump;
    try {
      for (const { pattern, action } of rules) {
        if (pattern !== 'BEGIN' || action === undefined) continue;
        jump = await this.perform(action);
        if (jump === 'exit') break;
      }
      const others = rules.filter(({ pattern }) => pattern !== 'BEGIN');
      if (jump !== 'exit' && others.length > 0) {
        while ((await this.readMain()) !== undefined) {
          jump = await this.rules(others);
          if (jump === 'exit') break;
          if (jump === 'nextfile') this.main = undefined;
        }
      }
      if (jump !== 'exit' || others.some(({ pattern }) => pattern === 'END'))
        for (const { pattern, action } of rules)
          if (pattern === 'END' && action !== undefined && (await this.perform(action)) === 'exit') break;
    } finally {
      await this.flush();
    }
    for (const name of [...this.sinks.keys()]) await this.close(name);
    for (const name of [...this.sources.keys()]) await this.close(name);
    return this.exitCode;
  }

  private async rules(rules: readonly Rule[]): Promise<Jump> {
    for (const rule of rules) {
      const selected = this.selects(rule);
      if (!(selected instanceof Promise ? await selected : selected)) continue;
      if (rule.action === undefined) {
        const wait = this.out.write(this.getRecord() + this.text(this.globals.get('ORS') as Value));
        if (wait !== undefined) await wait;
        continue;
      }
      const jump = await this.perform(rule.action);
      if (jump === 'next' || jump === 'nextfile' || jump === 'exit') return jump;
    }
    return undefined;
  }

  /** A whole action, whatever it is left by. */
  private async perform(action: Statement): Promise<Jump> {
    try {
      return await this.execute(action);
    } catch (error) {
      if (error instanceof Unwind) return error.jump;
      throw error;
    }
  }

  private selects(rule: Rule): Maybe<boolean> {
    const { pattern } = rule;
    if (pattern === undefined) return true;
    if (typeof pattern === 'string') return false;
    const [first, last] = pattern;
    if (first === undefined) return true;
    if (last === undefined) return then(this.evaluate(first), isTrue);
    const ends = (): Maybe<boolean> =>
      then(this.evaluate(last), value => {
        if (isTrue(value)) this.ranges.delete(rule);
        else this.ranges.add(rule);
        return true;
      });
    if (this.ranges.has(rule)) return ends();
    return then(this.evaluate(first), value => (isTrue(value) ? ends() : false));
  }

  // Input

  private separator(): Separator {
    const rs = this.text(this.globals.get('RS') as Value);
    if (rs === '') return { kind: 'paragraph' };
    if (rs.length === 1) return { kind: 'character', character: rs };
    return { kind: 'regex', regex: this.regex(rs) };
  }

  /** The next record of the files named as arguments, as $0. */
  private async readMain(): Promise<string | undefined> {
    for (;;) {
      this.main ??= await this.openNext();
      if (this.main === undefined) return undefined;
      await this.out.flush();
      const wait = this.process.turn();
      if (wait !== undefined) await wait;
      const record = await this.main.next(this.separator());
      if (record === undefined) {
        this.main = undefined;
        continue;
      }
      this.count('NR');
      this.count('FNR');
      this.setRecord(record);
      return record;
    }
  }

  private async openNext(): Promise<RecordReader | undefined> {
    const argv = this.globals.get('ARGV');
    const count = toNumber(this.globals.get('ARGC') as Value);
    for (; this.nextArgument < count;) {
      const key = String(this.nextArgument++);
      const word = argv instanceof AwkArray && argv.has(key) ? this.text(argv.get(key)) : '';
      if (word === '') continue;
      const assigned = /^([A-Za-z_]\w*)=/.exec(word);
      if (assigned !== null) {
        this.assignArgument(assigned[1] ?? '', word.slice(assigned[0].length));
        continue;
      }
      this.usedInput = true;
      this.globals.set('FNR', 0);
      this.globals.set('FILENAME', word);
      if (word === '-') return new RecordReader(this.process, this.process.stdin);
      try {
        return new RecordReader(this.process, await openInput(this.process, asText(word)));
      } catch (error) {
        await this.flush();
        await this.process.stderr.write(`awk: ${asText(word)}: ${(error as Error).message}\n`);
        this.exitCode = 2;
      }
    }
    if (this.usedInput) return undefined;
    this.usedInput = true;
    return new RecordReader(this.process, this.process.stdin);
  }

  /** NAME=VALUE of the command line. */
  assignArgument(name: string, value: string): void {
    this.setVariable(
      name,
      fromOutside(value.replace(/\\([nt\\"])/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c)),
    );
  }

  private count(name: string): void {
    this.globals.set(name, toNumber(this.globals.get(name) as Value) + 1);
  }

  // Fields

  setRecord(text: string): void {
    this.record = text;
    this.state = 'uncut';
  }
  private getRecord(): string {
    if (this.state === 'changed') {
      const glue = this.text(this.globals.get('OFS') as Value);
      this.pay(this.fields.reduce((sum, field) => sum + field.length + glue.length, 0));
      this.record = this.fields.join(glue);
      this.state = 'whole';
    }
    return this.record;
  }
  private cut(): Maybe<void> {
    if (this.state !== 'uncut') return;
    return then(this.split(this.record, this.text(this.globals.get('FS') as Value)), fields => {
      this.fields = fields;
      this.state = 'whole';
      this.globals.set('NF', fields.length);
    });
  }

  /** Cuts text at a separator: " " at blanks, one character at that, anything else where it matches. */
  split(text: string, separator: string): Maybe<string[]> {
    this.pay(text.length);
    const paragraph = this.globals.get('RS') === '';
    const run = (steps: Steps<string[]>): Maybe<string[]> =>
      text.length < LONG_TEXT ? atOnce(steps) : paced(steps, this.process.turn);
    if (separator === ' ') return run(fieldsBetweenBlanks(text));
    if (text === '') return [];
    if (separator === '') return run(characters(text));
    if (separator.length === 1 && separator !== '\\' && !paragraph) return run(fieldsBetween(text, separator));
    const regex = this.regex(
      separator.length === 1
        ? `[${separator === '^' || separator === '\\' ? `\\${separator}` : separator}]|\n`
        : separator,
    );
    return this.splitBy(text, regex);
  }
  private async splitBy(text: string, regex: Regex): Promise<string[]> {
    const parts: string[] = [];
    let done = 0;
    let tried = 0;
    for (let from = 0; from <= text.length && parts.length < MAX_FIELDS;) {
      if (++tried % 32 === 0) await this.process.turn();
      const found = regex.exec(text, from);
      const match = found instanceof Promise ? await found : found;
      if (match === undefined) break;
      if (match.end === match.start) {
        from = match.end + 1;
        continue;
      }
      parts.push(text.slice(done, match.start));
      done = from = match.end;
    }
    parts.push(text.slice(done));
    return parts;
  }

  private getField(index: number): Maybe<Value> {
    if (index < 0) throw new AwkError('access to negative field');
    if (index === 0) return fromOutside(this.getRecord());
    return then(this.cut(), () => {
      const field = this.fields[Math.trunc(index) - 1];
      return field === undefined ? undefined : fromOutside(field);
    });
  }
  private setField(index: number, value: Value): Maybe<void> {
    if (index < 0 || index > MAX_FIELDS) throw new AwkError('bad field number');
    const text = this.text(value);
    if (index === 0) return this.setRecord(text);
    return then(this.cut(), () => {
      while (this.fields.length < index) this.fields.push('');
      this.fields[Math.trunc(index) - 1] = text;
      this.globals.set('NF', this.fields.length);
      this.state = 'changed';
    });
  }

  // Variables

  private scope(name: string): Map<string, Value | AwkArray> {
    const frame = this.frames.at(-1);
    return frame?.has(name) === true ? frame : this.globals;
  }
  getVariable(name: string): Maybe<Value> {
    if (name === 'NF') return then(this.cut(), () => this.globals.get('NF') as Value);
    const value = this.scope(name).get(name);
    if (!(value instanceof AwkArray)) return value;
    if (value.used) throw new AwkError(`${name} is an array`);
    return undefined;
  }
  setVariable(name: string, value: Value): void {
    const scope = this.scope(name);
    const old = scope.get(name);
    if (old instanceof AwkArray && old.used) throw new AwkError(`${name} is an array`);
    const bytes = (v: unknown): number => (typeof v === 'string' && v.length >= LARGE ? v.length : 0);
    const change = bytes(value) - bytes(old);
    if (change > 0) this.process.memory.add(change);
    else if (change < 0) this.process.memory.remove(-change);
    if (name === 'NF') {
      const count = Math.min(MAX_FIELDS, Math.max(0, Math.trunc(toNumber(value))));
      void this.cut();
      while (this.fields.length < count) this.fields.push('');
      this.fields.length = count;
      this.state = 'changed';
    }
    scope.set(name, value);
  }
  array(name: string): AwkArray {
    const scope = this.scope(name);
    const value = scope.get(name);
    if (value instanceof AwkArray) {
      value.used = true;
      return value;
    }
    if (value !== undefined) throw new AwkError(`${name} is no array`);
    const made = this.newArray();
    made.used = true;
    scope.set(name, made);
    return made;
  }
  private key(parts: readonly Expression[]): Maybe<string> {
    const [first, ...rest] = parts;
    if (first === undefined) return '';
    const one = then(this.evaluate(first), value => this.text(value));
    if (rest.length === 0) return one;
    return then(one, head =>
      then(this.key(rest), tail => head + this.text(this.globals.get('SUBSEP') as Value) + tail),
    );
  }
  read(target: LValue): Maybe<Value> {
    switch (target.kind) {
      case 'variable':
        return this.getVariable(target.name);
      case 'element':
        return then(this.key(target.key), key => this.array(target.array).get(key));
      case 'field':
        return then(this.evaluate(target.index), index => this.getField(toNumber(index)));
    }
  }
  write(target: LValue, value: Value): Maybe<Value> {
    switch (target.kind) {
      case 'variable':
        this.setVariable(target.name, value);
        return value;
      case 'element':
        return then(this.key(target.key), key => {
          this.array(target.array).set(key, value);
          return value;
        });
      case 'field':
        return then(this.evaluate(target.index), index => then(this.setField(toNumber(index), value), () => value));
    }
  }

  regex(source: string): Regex {
    const known = this.regexes.get(source);
    if (known !== undefined) return known;
    if (this.regexes.size >= MAX_CACHED) this.regexes.clear();
    const made = compileRegex(source, { extended: true, bracketEscapes: true }, this.process.turn);
    this.regexes.set(source, made);
    return made;
  }
  /** A pattern that is given as an expression: /this/, or any text. */
  pattern(given: Expression): Maybe<Regex> {
    if (given.kind === 'regex') return this.regex(given.source);
    return then(this.evaluate(given), value => this.regex(this.text(value)));
  }

  // Expressions

  evaluate(node: Expression): Maybe<Value> {
    switch (node.kind) {
      case 'number':
      case 'string':
        return node.value;
      case 'regex':
        return then(this.regex(node.source).test(this.getRecord()), found => (found ? 1 : 0));
      case 'variable':
      case 'element':
      case 'field':
        return this.read(node);
      case 'group': {
        const [only] = node.items;
        if (node.items.length === 1 && only !== undefined) return this.evaluate(only);
        return this.key(node.items);
      }
      case 'assign':
        return this.assign(node);
      case 'conditional':
        return then(this.evaluate(node.test), test => this.evaluate(isTrue(test) ? node.yes : node.no));
      case 'and':
        return then(this.evaluate(node.left), left =>
          isTrue(left) ? then(this.evaluate(node.right), right => (isTrue(right) ? 1 : 0)) : 0,
        );
      case 'or':
        return then(this.evaluate(node.left), left =>
          isTrue(left) ? 1 : then(this.evaluate(node.right), right => (isTrue(right) ? 1 : 0)),
        );
      case 'in':
        return then(this.key(node.key), key => (this.array(node.array).has(key) ? 1 : 0));
      case 'match':
        return then(this.evaluate(node.text), text =>
          then(this.pattern(node.pattern), regex =>
            then(regex.test(this.text(text)), found => (found !== node.negated ? 1 : 0)),
          ),
        );
      case 'binary':
        return then(this.evaluate(node.left), left =>
          then(this.evaluate(node.right), right => this.binary(node.op, left, right)),
        );
      case 'unary':
        return then(this.evaluate(node.value), value =>
          node.op === '!' ? (isTrue(value) ? 0 : 1) : node.op === '-' ? -toNumber(value) : toNumber(value),
        );
      case 'step':
        return then(this.read(node.target), value => {
          const old = toNumber(value);
          return then(this.write(node.target, old + node.by), () => (node.before ? old + node.by : old));
        });
      case 'call':
        return node.own ? this.call(node.name, node.args) : callBuiltin(this, node.name, node.args);
      case 'getline':
        return this.getline(node);
    }
  }

  private assign({ op, target, value }: Extract<Expression, { kind: 'assign' }>): Maybe<Value> {
    return then(this.evaluate(value), given => {
      if (op === '=') return this.write(target, given);
      return then(this.read(target), old => this.write(target, this.binary(op.slice(0, -1), old, given)));
    });
  }

  private binary(op: string, left: Value, right: Value): Value {
    switch (op) {
      case ' ': {
        const [a, b] = [this.text(left), this.text(right)];
        this.pay(a.length + b.length);
        return a + b;
      }
      case '+':
        return toNumber(left) + toNumber(right);
      case '-':
        return toNumber(left) - toNumber(right);
      case '*':
        return toNumber(left) * toNumber(right);
      case '/':
      case '%': {
        const divisor = toNumber(right);
        if (divisor === 0) throw new AwkError('division by zero');
        return op === '/' ? toNumber(left) / divisor : toNumber(left) % divisor;
      }
      case '^':
        return toNumber(left) ** toNumber(right);
      case '<':
        return compareValues(left, right, this.convert) < 0 ? 1 : 0;
      case '<=':
        return compareValues(left, right, this.convert) <= 0 ? 1 : 0;
      case '>':
        return compareValues(left, right, this.convert) > 0 ? 1 : 0;
      case '>=':
        return compareValues(left, right, this.convert) >= 0 ? 1 : 0;
      case '==':
        return compareValues(left, right, this.convert) === 0 ? 1 : 0;
      default:
        return compareValues(left, right, this.convert) !== 0 ? 1 : 0;
    }
  }

  private async call(name: string, args: readonly Expression[]): Promise<Value> {
    const called: AwkFunction | undefined = this.program.functions.get(name);
    if (called === undefined) throw new AwkError(`undefined function ${name}`);
    if (args.length > called.parameters.length) throw new AwkError(`function ${name} called with too many args`);
    if (this.calls >= MAX_CALLS) throw new Killed('SEGV');
    const frame = new Map<string, Value | AwkArray>();
    const lent: { readonly array: AwkArray; readonly name: string }[] = [];
    for (const [i, parameter] of called.parameters.entries()) {
      const arg = args[i];
      if (arg?.kind === 'variable') {
        const value = this.scope(arg.name).get(arg.name);
        if (value === undefined && arg.name !== 'NF') {
          // It may become an array in the function, and then it is the caller's too.
          const array = this.newArray();
          lent.push({ array, name: arg.name });
          frame.set(parameter, array);
          continue;
        }
        if (value instanceof AwkArray) {
          frame.set(parameter, value);
          continue;
        }
      }
      frame.set(parameter, arg === undefined ? undefined : await this.evaluate(arg));
    }
    this.calls++;
    this.process.memory.add(CALL_BYTES);
    // Every so many calls the machine's own stack is given back.
    if (this.calls % 32 === 0) await (this.process.turn() ?? Promise.resolve());
    const caller = this.frames.at(-1);
    this.frames.push(frame);
    try {
      this.result = undefined;
      const jump = await this.execute(called.body);
      if (jump === 'exit' || jump === 'next') throw new Unwind(jump);
      return this.result;
    } finally {
      this.frames.pop();
      this.calls--;
      this.process.memory.remove(CALL_BYTES);
      for (const { array, name: variable } of lent)
        if (array.used) (caller?.has(variable) === true ? caller : this.globals).set(variable, array);
    }
  }

  // Input and output by name

  private async getline({ target, from, source }: Extract<Expression, { kind: 'getline' }>): Promise<Value> {
    let record: string | undefined;
    if (from === 'input') {
      if (target === undefined) return (await this.readMain()) === undefined ? 0 : 1;
      const whole = [this.record, this.state, this.fields] as const;
      record = await this.readMain();
      if (record === undefined) return 0;
      [this.record, this.state, this.fields] = whole;
      await this.write(target, fromOutside(record));
      return 1;
    }
    const name = this.text(source === undefined ? '' : await this.evaluate(source));
    let opened = this.sources.get(name);
    if (opened === undefined) {
      await this.flush();
      try {
        opened = from === 'file' ? await this.openFile(name) : await this.openCommand(name);
      } catch (error) {
        if (error instanceof Killed) throw error;
        return -1;
      }
      this.sources.set(name, opened);
    }
    record = await opened.reader.next(this.separator());
    if (record === undefined) return 0;
    if (from === 'command') this.count('NR');
    if (target === undefined) this.setRecord(record);
    else await this.write(target, fromOutside(record));
    return 1;
  }

  private async openFile(name: string): Promise<Source> {
    const input = name === '-' ? this.process.stdin : await openInput(this.process, asText(name));
    return { reader: new RecordReader(this.process, input), close: async () => 0 };
  }

  private async shell(command: string, streams: { stdin?: Pipe; stdout?: Pipe }): Promise<Child> {
    const { process } = this;
    const program = await process.container.program('sh');
    if (program === undefined) throw new AwkError('no shell');
    const { env, cwd, stdout, stderr, pid } = process;
    return spawn(process.container, {
      args: ['sh', '-c', asText(command)],
      program,
      env,
      cwd,
      stdin: streams.stdin ?? (streams.stdout === undefined ? process.stdin : emptyInput),
      stdout: streams.stdout ?? stdout,
      stderr,
      parent: process.signal,
      ppid: pid,
    });
  }
  private async openCommand(command: string): Promise<Source> {
    const pipe = createPipe();
    const child = await this.shell(command, { stdout: pipe });
    const done = child.exited.finally(pipe.closeWrite);
    return {
      reader: new RecordReader(this.process, readerOf(pipe, this.process.turn)),
      async close() {
        pipe.closeRead();
        return done;
      },
    };
  }

  private async sink({ op }: Redirection, name: string): Promise<Sink> {
    const known = this.sinks.get(name);
    if (known !== undefined) return known;
    let made: Sink;
    if (op === '|') {
      await this.flush();
      const pipe = createPipe();
      const child = await this.shell(name, { stdin: pipe });
      const done = child.exited.finally(pipe.closeRead);
      made = {
        out: new TextOutput(writerOf(pipe, this.process.turn)),
        async close() {
          pipe.closeWrite();
          return done;
        },
      };
    } else {
      const own: Readonly<Record<string, Output>> = {
        '/dev/stdout': this.process.stdout,
        '-': this.process.stdout,
        '/dev/stderr': this.process.stderr,
      };
      const output =
        own[name] ??
        writerOf(
          await this.process.container.files.openWrite(resolvePath(this.process.cwd, asText(name)), {
            append: op === '>>',
          }),
          this.process.turn,
        );
      made = { out: name === '/dev/stdout' || name === '-' ? this.out : new TextOutput(output), close: async () => 0 };
    }
    this.sinks.set(name, made);
    return made;
  }

  async flush(): Promise<void> {
    await this.out.flush();
    for (const { out } of this.sinks.values()) await out.flush();
  }

  /** close(): what it is worth, or -1 when nothing of that name is open. */
  async close(name: string): Promise<number> {
    const [sink, source] = [this.sinks.get(name), this.sources.get(name)];
    await this.flush();
    this.sinks.delete(name);
    this.sources.delete(name);
    let status = -1;
    if (sink !== undefined) status = await sink.close();
    if (source !== undefined) status = await source.close();
    return status;
  }

  async system(command: string): Promise<number> {
    await this.flush();
    return (await this.shell(command, {})).exited;
  }

  // Statements

  execute(node: Statement): Maybe<Jump> {
    switch (node.kind) {
      case 'block':
        return this.block(node.body);
      case 'expression':
        return then(this.evaluate(node.value), () => undefined);
      case 'print':
      case 'printf':
        return this.print(node);
      case 'if':
        return then(this.evaluate(node.test), test => {
          const chosen = isTrue(test) ? node.yes : node.no;
          return chosen === undefined ? undefined : this.execute(chosen);
        });
      case 'loop':
        return this.loop(node);
      case 'for-in':
        return this.forIn(node);
      case 'jump':
        return node.to;
      case 'exit':
        return then(node.value === undefined ? undefined : this.evaluate(node.value), value => {
          if (value !== undefined) this.exitCode = Math.trunc(toNumber(value)) & 255;
          return 'exit';
        });
      case 'return':
        return then(node.value === undefined ? undefined : this.evaluate(node.value), value => {
          this.result = value;
          return 'return';
        });
      case 'delete':
        if (node.key === undefined) {
          this.array(node.array).clear();
          return undefined;
        }
        return then(this.key(node.key), key => void this.array(node.array).delete(key));
    }
  }

  private block(body: readonly Statement[]): Maybe<Jump> {
    for (const [i, statement] of body.entries()) {
      const done = this.execute(statement);
      if (done instanceof Promise) return this.rest(done, body, i + 1);
      if (done !== undefined) return done;
    }
    return undefined;
  }
  private async rest(first: Promise<Jump>, body: readonly Statement[], from: number): Promise<Jump> {
    let jump = await first;
    for (let i = from; jump === undefined && i < body.length; i++) {
      const statement = body[i];
      if (statement !== undefined) jump = await this.execute(statement);
    }
    return jump;
  }

  private async loop({ before, test, after, body, bodyFirst }: Extract<Statement, { kind: 'loop' }>): Promise<Jump> {
    if (before !== undefined) await this.execute(before);
    for (let round = 0; ; round++) {
      if (round % 16 === 0) {
        const wait = this.process.turn();
        if (wait !== undefined) await wait;
      }
      if (test !== undefined && (!bodyFirst || round > 0)) {
        const value = this.evaluate(test);
        if (!isTrue(value instanceof Promise ? await value : value)) return undefined;
      }
      const done = this.execute(body);
      const jump = done instanceof Promise ? await done : done;
      if (jump === 'break') return undefined;
      if (jump !== undefined && jump !== 'continue') return jump;
      if (after !== undefined) {
        const step = this.execute(after);
        if (step instanceof Promise) await step;
      }
    }
  }

  private async forIn({ name, array, body }: Extract<Statement, { kind: 'for-in' }>): Promise<Jump> {
    const values = this.array(array);
    for (const [round, key] of values.keys().entries()) {
      if (round % 16 === 0) await this.process.turn();
      this.setVariable(name, fromOutside(key));
      const done = this.execute(body);
      const jump = done instanceof Promise ? await done : done;
      if (jump === 'break') return undefined;
      if (jump !== undefined && jump !== 'continue') return jump;
    }
    return undefined;
  }

  private async print({ kind, values, to }: Extract<Statement, { kind: 'print' | 'printf' }>): Promise<Jump> {
    let text: string;
    if (kind === 'printf') text = this.text(await callBuiltin(this, 'sprintf', values));
    else {
      const format = this.text(this.globals.get('OFMT') as Value);
      const parts: string[] = [];
      for (const value of values) parts.push(toText(await this.evaluate(value), format));
      const line = values.length === 0 ? this.getRecord() : parts.join(this.text(this.globals.get('OFS') as Value));
      text = line + this.text(this.globals.get('ORS') as Value);
    }
    const out = to === undefined ? this.out : (await this.sink(to, this.text(await this.evaluate(to.target)))).out;
    this.pay(text.length);
    const wait = out.write(text);
    if (wait !== undefined) await wait;
    return undefined;
  }

  /** Arguments and environment. */
  setUp(args: readonly string[], env: Readonly<Record<string, string>>): void {
    const argv = this.newArray();
    for (const [i, arg] of args.entries()) argv.set(String(i), fromOutside(asBytes(arg)));
    argv.used = true;
    this.globals.set('ARGV', argv);
    this.globals.set('ARGC', args.length);
    const environ = this.newArray();
    for (const [name, value] of Object.entries(env)) environ.set(asBytes(name), fromOutside(asBytes(value)));
    environ.used = true;
    this.globals.set('ENVIRON', environ);
  }
}

/** exit or next in a function: it ends the rule, too. */
export class Unwind extends Error {
  override readonly name = 'Unwind';
  constructor(readonly jump: 'exit' | 'next') {
    super(jump);
  }
}
