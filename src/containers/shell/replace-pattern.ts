import type { Steps } from '../../machinery/steps.js';
import { compiling, type Fragment, type Step } from './pattern.js';

/** Characters times states between two rests. */
const PER_STEP = 4096;

interface Finder {
  /** The nearest or the furthest end of a match that begins at `from`. */
  end(from: number, longest: boolean): Steps<number | undefined>;
  /** Whether no match can begin with the character at `at`. */
  rulesOut(at: number): boolean;
  /** Counts work of the caller. True: it is time to rest. */
  worked(): boolean;
}

/**
 * Finds ends of matches in one pass with a set of states.
 * @param backwards the text is read from its end: a suffix is a prefix of it
 */
function createFinder(steps: readonly Step[], text: string, backwards = false): Finder {
  const last = text.length - 1;
  const charAt = (at: number): string => text[backwards ? last - at : at] ?? '';
  /** In which pass a state was reached last. */
  const reached = new Float64Array(steps.length + 1);
  let pass = 0;
  let work = 0;

  const add = (states: number[], first: number): void => {
    for (let state = first; reached[state] !== pass; state++) {
      reached[state] = pass;
      states.push(state);
      if (steps[state] !== 'any') return;
    }
  };
  const worked = (amount = 1): boolean => {
    work += amount;
    if (work < PER_STEP) return false;
    work = 0;
    return true;
  };
  return {
    worked,
    rulesOut(at) {
      const [first] = steps;
      return typeof first === 'function' && !first(charAt(at));
    },
    *end(from, longest) {
      let found: number | undefined;
      let states: number[] = [];
      pass++;
      add(states, 0);
      for (let at = from; ; at++) {
        if (reached[steps.length] === pass) {
          found = at;
          if (!longest) return found;
        }
        if (at > last || states.length === 0) return found;
        if (worked(states.length)) yield;
        const c = charAt(at);
        const next: number[] = [];
        pass++;
        for (const state of states) {
          const step = steps[state];
          if (step === 'any') add(next, state);
          else if (step?.(c) === true) add(next, state + 1);
        }
        states = next;
      }
    },
  };
}

/** ${name#pattern} and its kin. */
export function* trimPattern(value: string, fragments: readonly Fragment[], op: string): Steps<string> {
  const longest = op.length === 2;
  const fromStart = op.startsWith('#');
  const steps = yield* compiling(fragments);
  const finder = createFinder(fromStart ? steps : [...steps].reverse(), value, !fromStart);
  const end = yield* finder.end(0, longest);
  if (end === undefined) return value;
  return fromStart ? value.slice(end) : value.slice(0, value.length - end);
}

/** ${name/pattern/replacement}: the longest match at the first place, or at every place. */
export function* replacePattern(
  value: string,
  fragments: readonly Fragment[],
  replacement: string,
  all: boolean,
): Steps<string> {
  const steps = yield* compiling(fragments);
  const finder = createFinder(steps, value);
  const parts: string[] = [];
  let done = 0;
  let work = 0;
  for (let at = 0; at < value.length;) {
    if (finder.worked()) yield;
    const end = finder.rulesOut(at) ? undefined : yield* finder.end(at, true);
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
