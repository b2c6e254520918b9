import { holds } from './assertions.js';
import type { Instruction } from './program.js';
import type { Match } from './regex.js';

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

  const add = (
    threads: Threads,
    pc: number,
    given: readonly number[],
    text: string,
    at: number,
    notStart: boolean,
  ): void => {
    const stack: (readonly [number, readonly number[]])[] = [[pc, given]];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const [here, captures] = next;
      if (seen[here] === step) continue;
      seen[here] = step;
      const instruction = program[here];
      switch (instruction?.op) {
        case 'jump':
          stack.push([instruction.to, captures]);
          break;
        case 'split':
          stack.push([instruction.second, captures], [instruction.first, captures]);
          break;
        case 'save': {
          const saved = captures.slice();
          saved[instruction.slot] = at;
          stack.push([here + 1, saved]);
          break;
        }
        case 'assert':
          if (holds(instruction.what, text, at, notStart)) stack.push([here + 1, captures]);
          break;
        case 'set':
        case 'match':
          threads.at.push(here);
          threads.captures.push(captures);
          break;
        default:
      }
    }
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
  const seen = new Set<number>();
  const stack = [0];
  for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
    if (seen.has(pc)) continue;
    seen.add(pc);
    const instruction = program[pc];
    switch (instruction?.op) {
      case 'set':
        for (let code = 0; code < 256; code++) if (instruction.set.has(code)) first[code] = 1;
        first[256] = 1;
        break;
      case 'jump':
        stack.push(instruction.to);
        break;
      case 'split':
        stack.push(instruction.first, instruction.second);
        break;
      case 'save':
        stack.push(pc + 1);
        break;
      default:
        return undefined;
    }
  }
  return first;
}
