import type { Steps } from '../steps.js';
import { holds } from './assertions.js';
import { parseGoRegex } from './go-syntax.js';
import { compileNode } from './program.js';
import { walk, type Walk } from './walk.js';

export interface Found {
  readonly start: number;
  readonly end: number;
}

/** A Go regular expression that is asked where it matches: the leftmost match, and of those the one that Perl would find. */
export interface GoFinder {
  /** The most steps that a search which goes over the text once may need. */
  stepsFor(text: string): number;
  /** The first match at or after `from`. */
  find(text: string, from: number): Steps<Found | undefined>;
  /** Matches that do not overlap, at most `limit` of them, as FindAllString finds them. */
  findAll(text: string, limit: number): Steps<Found[]>;
}

interface Threads {
  /** Where they go on, the preferred one first. */
  readonly at: number[];
  /** Where their match would begin. */
  readonly starts: number[];
}

/** Threads looked at between two rests. */
const PER_STEP = 50_000;

/** @throws RegexError in Go's words */
export function compileGoFinder(pattern: string): GoFinder {
  const program = compileNode(parseGoRegex(pattern));
  /** The step in which an instruction was reached last: whoever comes later is not preferred. */
  const seen = new Float64Array(program.length);
  let step = 0;

  function* find(text: string, from: number): Steps<Found | undefined> {
    let place = from;
    let current: Threads = { at: [], starts: [] };
    let target = current;
    const steps: Walk<number> = {
      enter(pc) {
        if (seen[pc] === step) return false;
        seen[pc] = step;
        return true;
      },
      holds: what => holds(what, text, place, false),
      save: (_slot, start) => start,
      arrive(pc, start) {
        target.at.push(pc);
        target.starts.push(start);
      },
    };
    let found: Found | undefined;
    let work = 0;
    step++;
    for (; place <= text.length;) {
      // A match that begins here comes after all that have begun.
      if (found === undefined) walk(program, 0, place, steps);
      const { at, starts } = current;
      if (at.length === 0 && found !== undefined) break;
      work += at.length + 1;
      if (work > PER_STEP) {
        yield;
        work = 0;
      }
      const code = place < text.length ? text.charCodeAt(place) : -1;
      const here = place++;
      step++;
      target = { at: [], starts: [] };
      for (let i = 0; i < at.length; i++) {
        const pc = at[i] ?? 0;
        const start = starts[i] ?? 0;
        const instruction = program[pc];
        if (instruction?.op === 'match') {
          found = { start, end: here };
          // What is left is not preferred to this.
          break;
        }
        if (instruction?.op === 'set' && code >= 0 && instruction.set.has(code)) walk(program, pc + 1, start, steps);
      }
      current = target;
    }
    return found;
  }

  function* findAll(text: string, limit: number): Steps<Found[]> {
    const all: Found[] = [];
    let last = -1;
    for (let from = 0; all.length < limit && from <= text.length;) {
      const found = yield* find(text, from);
      if (found === undefined) break;
      const { start, end } = found;
      // Nothing directly behind a match is no match of its own.
      const isRefused = end === from && start === last;
      from = end === from ? from + ((text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1) : end;
      last = end;
      if (!isRefused) all.push(found);
    }
    return all;
  }
  return { stepsFor: text => 1 + Math.ceil((text.length * program.length) / PER_STEP), find, findAll };
}
