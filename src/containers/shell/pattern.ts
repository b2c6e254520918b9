import { atOnce, type Steps } from '../../machinery/steps.js';

/** A piece of a word after expansion: quoted text never acts as a pattern and is never split. */
export interface Fragment {
  readonly text: string;
  readonly quoted: boolean;
}

/** One step of a pattern: any string, or a test of one character. */
export type Step = 'any' | ((c: string) => boolean);

const CLASSES: Readonly<Record<string, RegExp>> = {
  alpha: /^[A-Za-z]$/,
  digit: /^[0-9]$/,
  alnum: /^[A-Za-z0-9]$/,
  upper: /^[A-Z]$/,
  lower: /^[a-z]$/,
  space: /^\s$/,
  blank: /^[ \t]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  print: /^[ -~]$/,
  graph: /^[!-~]$/,
  cntrl: /^[\0-\x1f\x7f]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};

/** A bracket expression at `at` ("["): its test and where it ends; undefined when it is just a bracket. */
function bracket(text: string, at: number): { test: (c: string) => boolean; end: number } | undefined {
  let i = at + 1;
  const negated = text[i] === '!' || text[i] === '^';
  if (negated) i++;
  const singles = new Set<string>();
  const tests: ((c: string) => boolean)[] = [];
  for (let first = true; ; first = false) {
    let c = text[i];
    if (c === undefined) return undefined;
    if (c === ']' && !first) break;
    if (c === '[' && text[i + 1] === ':') {
      const end = text.indexOf(':]', i + 2);
      const known = end < 0 ? undefined : CLASSES[text.slice(i + 2, end)];
      if (known !== undefined) {
        tests.push(x => known.test(x));
        i = end + 2;
        continue;
      }
    }
    if (c === '\\' && text[i + 1] !== undefined) c = text[++i] ?? c;
    const to = text[i + 1] === '-' && text[i + 2] !== undefined && text[i + 2] !== ']' ? text[i + 2] : undefined;
    if (to === undefined) {
      singles.add(c);
      i++;
      continue;
    }
    const from = c;
    tests.push(x => x >= from && x <= to);
    i += 3;
  }
  return { test: c => (singles.has(c) || tests.some(test => test(c))) !== negated, end: i + 1 };
}

/** Characters looked at between two rests. */
const PER_STEP = 4096;

/** POSIX pattern matching notation, ready to be matched in time of text times pattern at worst. */
export const compilePattern = (fragments: readonly Fragment[]): readonly Step[] => atOnce(compiling(fragments));

/** The same for patterns that may be long. */
export function* compiling(fragments: readonly Fragment[]): Steps<readonly Step[]> {
  const steps: Step[] = [];
  const literals = new Map<string, Step>();
  const literal = (wanted: string): void => {
    let step = literals.get(wanted);
    if (step === undefined) literals.set(wanted, (step = c => c === wanted));
    steps.push(step);
  };
  for (const { text, quoted } of fragments) {
    for (let i = 0; i < text.length;) {
      if (steps.length % PER_STEP === PER_STEP - 1) yield;
      const c = text[i] ?? '';
      if (quoted) literal(c);
      else if (c === '*') {
        if (steps.at(-1) !== 'any') steps.push('any');
      } else if (c === '?') steps.push(() => true);
      else if (c === '\\' && i + 1 < text.length) literal(text[++i] ?? '');
      else if (c === '[') {
        const found = bracket(text, i);
        if (found === undefined) literal(c);
        else {
          steps.push(found.test);
          i = found.end;
          continue;
        }
      } else literal(c);
      i++;
    }
  }
  return steps;
}

/** Whether the pattern fits all of a text, where both may be long. */
export function* fitting(fragments: readonly Fragment[], text: string): Steps<boolean> {
  return yield* matching(yield* compiling(fragments), text);
}

/** Whether the pattern matches all of the text: the last "*" alone is ever tried again, so nothing explodes. */
function* matching(steps: readonly Step[], text: string): Steps<boolean> {
  let step = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  for (let looked = 1; at < text.length; looked++) {
    if (looked % PER_STEP === 0) yield;
    const next = steps[step];
    if (next === 'any') {
      star = step++;
      starAt = at;
    } else if (next?.(text[at] ?? '') === true) {
      step++;
      at++;
    } else if (star >= 0) {
      step = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (steps[step] === 'any') step++;
  return step === steps.length;
}

/** For texts that are short, as names are. */
export const matchesSteps = (steps: readonly Step[], text: string): boolean => atOnce(matching(steps, text));

export const hasPattern = (fragments: readonly Fragment[]): boolean =>
  fragments.some(f => !f.quoted && /[*?[]/.test(f.text));
