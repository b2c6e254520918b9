/** A piece of a word after expansion: quoted text never acts as a pattern and is never split. */
export interface Fragment {
  readonly text: string;
  readonly quoted: boolean;
}

/** One step of a pattern: any string, or a test of one character. */
type Step = 'any' | ((c: string) => boolean);

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

/** POSIX pattern matching notation, ready to be matched in time of text times pattern at worst. */
export function compilePattern(fragments: readonly Fragment[]): readonly Step[] {
  const steps: Step[] = [];
  const literal = (wanted: string): void => void steps.push(c => c === wanted);
  for (const { text, quoted } of fragments) {
    for (let i = 0; i < text.length;) {
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

/** Whether the pattern matches all of text[from, to): the last "*" alone is ever tried again, so nothing explodes. */
export function matchesSteps(steps: readonly Step[], text: string, from = 0, to = text.length): boolean {
  let step = 0;
  let at = from;
  let star = -1;
  let starAt = from;
  while (at < to) {
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

export const matchesPattern = (text: string, fragments: readonly Fragment[]): boolean =>
  matchesSteps(compilePattern(fragments), text);

export const hasPattern = (fragments: readonly Fragment[]): boolean =>
  fragments.some(f => !f.quoted && /[*?[]/.test(f.text));

/**
 * Where matches that begin at `from` may end: every end for which the steps match text[from, end), found in one pass with
 * a set of states.
 */
function* matchEnds(steps: readonly Step[], text: string, from: number): Generator<number> {
  let states = closure(steps, new Set([0]));
  for (let at = from; ; at++) {
    if (states.has(steps.length)) yield at;
    if (at >= text.length || states.size === 0) return;
    const next = new Set<number>();
    for (const state of states) {
      const step = steps[state];
      if (step === 'any') next.add(state);
      else if (step?.(text[at] ?? '') === true) next.add(state + 1);
    }
    states = closure(steps, next);
  }
}

function closure(steps: readonly Step[], states: Set<number>): Set<number> {
  for (const state of states) if (steps[state] === 'any') states.add(state + 1);
  return states;
}

const reversed = (text: string): string => {
  let out = '';
  for (let i = text.length - 1; i >= 0; i--) out += text[i] ?? '';
  return out;
};

/** ${name#pattern} and its kin. */
export function trimPattern(value: string, fragments: readonly Fragment[], op: string): string {
  const longest = op.length === 2;
  const fromStart = op.startsWith('#');
  const steps = compilePattern(fragments);
  // A suffix is a prefix of the reversed text.
  const text = fromStart ? value : reversed(value);
  let end: number | undefined;
  for (const at of matchEnds(fromStart ? steps : [...steps].reverse(), text, 0)) {
    end = at;
    if (!longest) break;
  }
  if (end === undefined) return value;
  return fromStart ? value.slice(end) : value.slice(0, value.length - end);
}

/** ${name/pattern/replacement}: the longest match at the first place, or at every place. */
export function replacePattern(
  value: string,
  fragments: readonly Fragment[],
  replacement: string,
  all: boolean,
): string {
  const steps = compilePattern(fragments);
  const parts: string[] = [];
  let done = 0;
  let work = 0;
  for (let at = 0; at < value.length;) {
    let end: number | undefined;
    for (const found of matchEnds(steps, value, at)) end = found;
    // Each try may look at the whole rest: a bound on all of them together, beyond which the rest stays.
    work += value.length - at;
    if (end === undefined || end === at) at++;
    else {
      parts.push(value.slice(done, at), replacement);
      done = at = end;
      if (!all) break;
    }
    if (work > MAX_REPLACE_WORK && steps.includes('any')) break;
  }
  parts.push(value.slice(done));
  return parts.join('');
}

const MAX_REPLACE_WORK = 5_000_000;
