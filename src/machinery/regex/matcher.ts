import { holds } from './assertions.js';
import type { Instruction } from './program.js';
import type { Match } from './match.js';
import { createArrivals, walk, type Walk } from './walk.js';

/** Finds where an expression matches, with its groups: all states at once, each with what it has captured. */
export interface Matcher {
  run(text: string, from: number, notStart: boolean): Generator<number, Match | undefined>;
}

interface Threads {
  readonly at: number[];
  readonly captures: (readonly number[])[];
}

/** Characters times states between two looks at the time. */
const SLICE = 65_536;

export function createMatcher(program: readonly Instruction[], groups: number): Matcher {
  const slots = 2 + groups * 2;
  const empty: readonly number[] = new Array<number>(slots).fill(-1);
  /** The step in which an instruction was reached last: each is reached once a step. */
  const seen = new Float64Array(program.length);
  let step = 0;
  const starts = firstCharacters(program);

  let threads: Threads = { at: [], captures: [] };
  /** Where the walk under way is: in the text of whoever began it. */
  let place = 0;
  let subject = '';
  let isContinued = false;
  const steps: Walk<readonly number[]> = {
    enter(pc) {
      if (seen[pc] === step) return false;
      seen[pc] = step;
      return true;
    },
    holds: what => holds(what, subject, place, isContinued),
    save(slot, captures) {
      const saved = captures.slice();
      saved[slot] = place;
      return saved;
    },
    arrive(pc, captures) {
      threads.at.push(pc);
      threads.captures.push(captures);
    },
  };
  const add = (
    to: Threads,
    pc: number,
    captures: readonly number[],
    text: string,
    at: number,
    notStart: boolean,
  ): void => {
    threads = to;
    subject = text;
    place = at;
    isContinued = notStart;
    walk(program, pc, captures, steps);
  };
  return {
    *run(text, from, notStart) {
      let current: Threads = { at: [], captures: [] };
      let best: readonly number[] | undefined;
      let work = 0;
      for (let at = from; at <= text.length; at++) {
        work += current.at.length + 1;
        if (work > SLICE) {
          yield work;
          work = 0;
        }
        if (best === undefined) {
          if (current.at.length === 0 && starts !== undefined) {
            while (at < text.length && starts[Math.min(256, text.charCodeAt(at))] !== 1) {
              at++;
              if (++work > SLICE) {
                yield work;
                work = 0;
              }
            }
          }
          // Those already under way began further left: they come first.
          if (current.at.length === 0) step++;
          const begun = empty.slice();
          begun[0] = at;
          add(current, 0, begun, text, at, notStart);
        }
        if (current.at.length === 0) {
          if (best !== undefined) break;
          continue;
        }
        const code = text.charCodeAt(at);
        const next: Threads = { at: [], captures: [] };
        const { at: places, captures } = current;
        step++;
        for (let i = 0; i < places.length; i++) {
          const pc = places[i] ?? 0;
          const instruction = program[pc];
          const held = captures[i] ?? empty;
          if (instruction?.op === 'match') {
            const start = held[0] ?? 0;
            if (best === undefined || start < (best[0] ?? 0) || (start === best[0] && at > (best[1] ?? -1))) {
              const whole = held.slice();
              whole[1] = at;
              best = whole;
            }
          } else if (instruction?.op === 'set' && at < text.length && instruction.set.has(code)) {
            if (best === undefined || (held[0] ?? 0) <= (best[0] ?? 0)) add(next, pc + 1, held, text, at + 1, notStart);
          }
        }
        current = next;
      }
      return best === undefined ? undefined : { start: best[0] ?? 0, end: best[1] ?? 0, groups: best };
    },
  };
}

/** Which characters a match can begin with (256: any beyond); undefined when it may be empty or is not known. */
export function firstCharacters(program: readonly Instruction[]): Uint8Array | undefined {
  const first = new Uint8Array(257);
  let isKnown = true;
  const begun = createArrivals(program)([0], () => (isKnown = false));
  for (const pc of begun) {
    const instruction = program[pc];
    if (instruction?.op !== 'set') return undefined;
    for (let code = 0; code < 256; code++) if (instruction.set.has(code)) first[code] = 1;
    first[256] = 1;
  }
  return isKnown ? first : undefined;
}
