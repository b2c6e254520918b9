import { atOnce, type Steps } from '../steps.js';
import { parseGoRegex } from './go-syntax.js';
import { compileNode } from './program.js';
import { WORD, type Assertion } from './syntax.js';
import { createArrivals } from './walk.js';

/** A Go regular expression that is asked whether it matches anywhere in a text, in time linear in its length. */
export interface GoRegex {
  /** Instructions that a character may have to be compared with. */
  readonly size: number;
  test(text: string): boolean;
  /** As test, of a long text. */
  steps(text: string): Steps<boolean>;
}

/** What is before a place, as far as assertions ask. */
type Before = 'nothing' | 'newline' | 'word' | 'other';

interface State {
  /** Where to go on from: how far depends on what comes next, which assertions ask. */
  readonly places: readonly number[];
  readonly before: Before;
  /** By character; true: the expression has matched. */
  readonly next: (State | true | undefined)[];
  atEnd: boolean | undefined;
}

/** States kept; when there are more, all are forgotten and made anew as they are needed. */
const MAX_STATES = 1000;
/** Instructions looked at between two rests. */
const PER_STEP = 100_000;
const END = -1;

const isWord = (code: number): boolean => code >= 0 && WORD.has(code);
const kindOf = (code: number): Before => (code === 10 ? 'newline' : isWord(code) ? 'word' : 'other');

/** @throws RegexError in Go's words */
export function compileGoRegex(pattern: string): GoRegex {
  const program = compileNode(parseGoRegex(pattern));
  const arrivals = createArrivals(program);
  let known = new Map<string, State>();

  const stateOf = (from: readonly number[], before: Before): State => {
    const places = [...new Set(from)].sort((a, b) => a - b);
    const key = `${before}:${places.join()}`;
    const old = known.get(key);
    if (old !== undefined) return old;
    if (known.size >= MAX_STATES) known = new Map();
    const state: State = { places, before, next: new Array<State | true | undefined>(256), atEnd: undefined };
    known.set(key, state);
    return state;
  };
  const resolve = (state: State, code: number): readonly number[] =>
    arrivals(state.places, what => holds(what, state.before, code));
  const isMatch = (places: readonly number[]): boolean => places.some(place => program[place]?.op === 'match');
  const follow = (state: State, code: number): State | true => {
    const reached = resolve(state, code);
    if (isMatch(reached)) return true;
    // A match may begin anywhere.
    const kernel = [0];
    for (const place of reached) {
      const instruction = program[place];
      if (instruction?.op === 'set' && instruction.set.has(code)) kernel.push(place + 1);
    }
    return stateOf(kernel, kindOf(code));
  };
  function* steps(text: string): Steps<boolean> {
    let state = stateOf([0], 'nothing');
    let work = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      let next = code < 256 ? state.next[code] : undefined;
      if (next === undefined) {
        next = follow(state, code);
        if (code < 256) state.next[code] = next;
        work += program.length;
      }
      if (next === true) return true;
      state = next;
      if (++work < PER_STEP) continue;
      yield;
      work = 0;
    }
    return (state.atEnd ??= isMatch(resolve(state, END)));
  }
  return { size: program.length, test: text => atOnce(steps(text)), steps };
}

/** Whether an assertion holds between what was and what comes. */
function holds(what: Assertion, before: Before, next: number): boolean {
  const wordBefore = before === 'word';
  const wordNext = isWord(next);
  switch (what) {
    case 'start':
      return before === 'nothing';
    case 'end':
      return next === END;
    case 'line-start':
      return before === 'nothing' || before === 'newline';
    case 'line-end':
      return next === END || next === 10;
    case 'word-start':
      return !wordBefore && wordNext;
    case 'word-end':
      return wordBefore && !wordNext;
    case 'boundary':
      return wordBefore !== wordNext;
    case 'no-boundary':
      return wordBefore === wordNext;
  }
}
