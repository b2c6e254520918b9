import type { Match } from './match.js';
import { backtrack } from './backtrack.js';
import { createScanner, type Scanner } from './scanner.js';
import { createMatcher, type Matcher } from './matcher.js';
import { compileNode } from './program.js';
import { parseRegex, type SyntaxOptions } from './syntax.js';

export { RegexError } from './syntax.js';

type Maybe<T> = T | Promise<T>;

/** A compiled expression. The leftmost match is found, and of those the longest, in linear time. */
export interface Regex {
  /** How many groups it has. */
  readonly groups: number;
  test(text: string): Maybe<boolean>;
  /** The first match at or after `from`. `notStart`: the text's beginning is no beginning of a line. */
  exec(text: string, from?: number, notStart?: boolean): Maybe<Match | undefined>;
}

/** Counts work, and may make its caller wait. */
export type Turn = (work?: number) => Promise<void> | undefined;

/** Characters times instructions that are a unit of work. */
const PER_WORK = 8192;

/** @throws RegexError */
export function compileRegex(patterns: string | readonly string[], options: SyntaxOptions, turn: Turn): Regex {
  const list = typeof patterns === 'string' ? [patterns] : patterns;
  const parsed = list.map(pattern => parseRegex(pattern, options));
  const [first] = parsed;
  const groups = parsed.reduce((most, p) => Math.max(most, p.groups), 0);
  if (parsed.some(p => p.back)) {
    const each = (text: string, from: number, notStart: boolean): Match | undefined => {
      let best: Match | undefined;
      for (const { node } of parsed) {
        const found = backtrack(node, groups, text, from, notStart, options.ignoreCase === true);
        if (found !== undefined && (best === undefined || found.start < best.start)) best = found;
      }
      return best;
    };
    return {
      groups,
      test: text => spent(turn, text.length, () => each(text, 0, false) !== undefined),
      exec: (text, from = 0, notStart = false) => spent(turn, text.length, () => each(text, from, notStart)),
    };
  }
  const node =
    parsed.length === 1 && first !== undefined
      ? first.node
      : { kind: 'alternatives' as const, parts: parsed.map(p => p.node) };
  const program = compileNode(node);
  let scanner: Scanner | undefined;
  let matcher: Matcher | undefined;
  return {
    groups,
    test: text => drive((scanner ??= createScanner(program)).run(text), turn),
    exec: (text, from = 0, notStart = false) =>
      drive((matcher ??= createMatcher(program, groups)).run(text, from, notStart), turn),
  };
}

function spent<T>(turn: Turn, length: number, work: () => T): Maybe<T> {
  const wait = turn(1 + Math.floor(length / PER_WORK));
  return wait === undefined ? work() : wait.then(work);
}

/** Runs a match to its end: at once where it is short, else in slices. Each step yields the work since the last. */
function drive<T>(run: Generator<number, T>, turn: Turn): Maybe<T> {
  for (let next = run.next(); ; next = run.next()) {
    if (next.done === true) return next.value;
    const wait = turn(Math.ceil(next.value / PER_WORK));
    if (wait !== undefined) return wait.then(() => drive(run, turn));
  }
}
