import type { Process } from '../../process.js';
import { compileRegex, type Regex } from '../../../machinery/regex/regex.js';
import { TextOutput } from '../lines.js';
import type { RecordReader } from './records.js';
import type { AwkProgram, Expression, Rule, Statement } from './syntax.js';
import { AwkArray, toText, type Value } from './values.js';
import type { Jump } from './jumps.js';
import type { Maybe } from './maybe.js';

export interface Sink {
  readonly out: TextOutput;
  readonly close: () => Promise<number>;
}

export interface Source {
  readonly reader: RecordReader;
  readonly close: () => Promise<number>;
}

const SUBSEP = '\x1c';
const MAX_CACHED = 256;
/** A string that is longer is paid for before it is made. */
export const LARGE = 4096;

/** A program that runs. */
export interface Awk {
  readonly process: Process;
  readonly program: AwkProgram;
  readonly globals: Map<string, Value | AwkArray>;
  /** Parameters of the functions it is in. */
  readonly frames: Map<string, Value | AwkArray>[];
  fields: string[];
  record: string;
  /** $0 has not been cut into fields, or fields have changed and $0 is not made anew. */
  state: 'uncut' | 'whole' | 'changed';
  readonly regexes: Map<string, Regex>;
  readonly sinks: Map<string, Sink>;
  readonly sources: Map<string, Source>;
  /** Rules from one pattern to another that have begun. */
  readonly ranges: Set<Rule>;
  readonly out: TextOutput;
  /** Of the function that returned last. */
  result: Value;
  exitCode: number;
  calls: number;
  main: RecordReader | undefined;
  nextArgument: number;
  usedInput: boolean;
  seed: number;
  random: () => number;
  /** Expressions contain calls, whose bodies are statements, which contain expressions: each is given the others here. */
  readonly evaluate: (node: Expression) => Maybe<Value>;
  readonly execute: (node: Statement) => Maybe<Jump>;
}

const VARIABLES: readonly (readonly [string, Value])[] = [
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
];

export function createAwk(
  process: Process,
  program: AwkProgram,
  evaluate: (awk: Awk, node: Expression) => Maybe<Value>,
  execute: (awk: Awk, node: Statement) => Maybe<Jump>,
): Awk {
  const awk: Awk = {
    process,
    program,
    globals: new Map(VARIABLES),
    frames: [],
    fields: [],
    record: '',
    state: 'whole',
    regexes: new Map(),
    sinks: new Map(),
    sources: new Map(),
    ranges: new Set(),
    out: new TextOutput(process.stdout),
    result: undefined,
    exitCode: 0,
    calls: 0,
    main: undefined,
    nextArgument: 1,
    usedInput: false,
    seed: 0,
    random: process.container.random,
    evaluate: node => evaluate(awk, node),
    execute: node => execute(awk, node),
  };
  return awk;
}

export function convertOf(awk: Awk): string {
  return toText(awk.globals.get('CONVFMT') as Value, '%.6g');
}

export function textOf(awk: Awk, value: Value): string {
  return toText(value, convertOf(awk));
}

export function newArray(awk: Awk): AwkArray {
  return new AwkArray(awk.process.memory);
}

/** Asks whether so many bytes may be held. @throws Killed */
export function pay(awk: Awk, bytes: number): void {
  if (bytes < LARGE) return;
  awk.process.memory.add(bytes);
  awk.process.memory.remove(bytes);
}

export function regexOf(awk: Awk, source: string): Regex {
  const known = awk.regexes.get(source);
  if (known !== undefined) return known;
  if (awk.regexes.size >= MAX_CACHED) awk.regexes.clear();
  const made = compileRegex(source, { extended: true, bracketEscapes: true }, awk.process.turn);
  awk.regexes.set(source, made);
  return made;
}
