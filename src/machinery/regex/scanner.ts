import { holds } from './assertions.js';
import type { Instruction } from './program.js';
import { createArrivals } from './walk.js';

/** Says whether an expression matches somewhere: states of the set of states are made once and then looked up. */
export interface Scanner {
  run(text: string): Generator<number, boolean>;
}

interface State {
  readonly places: readonly number[];
  readonly matches: boolean;
  readonly next: (State | undefined)[];
}

const SLICE = 65_536;
/** States kept; when there are more, all are forgotten and made anew as they are needed. */
const MAX_STATES = 1000;

export function createScanner(program: readonly Instruction[]): Scanner {
  // With assertions a state is not known by its places alone: then all states are followed without being kept.
  const plain = program.every(({ op }) => op !== 'assert');
  let known = new Map<string, State>();

  const arrivals = createArrivals(program);
  const close = (from: readonly number[], text: string, at: number): number[] =>
    arrivals(from, what => holds(what, text, at, false));
  const isMatch = (places: Iterable<number>): boolean => {
    for (const pc of places) if (program[pc]?.op === 'match') return true;
    return false;
  };
  const stateOf = (from: readonly number[]): State => {
    const places = close(from, '', 0).sort((a, b) => a - b);
    const key = places.join();
    const old = known.get(key);
    if (old !== undefined) return old;
    if (known.size >= MAX_STATES) known = new Map();
    const state: State = { places, matches: isMatch(places), next: new Array<State | undefined>(256) };
    known.set(key, state);
    return state;
  };
  /** A match may begin anywhere, so the first instruction is always among what follows. */
  const follow = (places: Iterable<number>, code: number): number[] => {
    const next = [0];
    for (const pc of places) {
      const instruction = program[pc];
      if (instruction?.op === 'set' && instruction.set.has(code)) next.push(pc + 1);
    }
    return next;
  };
  return {
    *run(text) {
      let work = 0;
      if (plain) {
        let state = stateOf([0]);
        for (let at = 0; !state.matches; at++) {
          if (at >= text.length) return false;
          const code = text.charCodeAt(at);
          let next = code < 256 ? state.next[code] : undefined;
          if (next === undefined) {
            next = stateOf(follow(state.places, code));
            if (code < 256) state.next[code] = next;
            work += program.length;
          }
          state = next;
          if (++work > SLICE) {
            yield work;
            work = 0;
          }
        }
        return true;
      }
      let places: Iterable<number> = close([0], text, 0);
      for (let at = 0; !isMatch(places); at++) {
        if (at >= text.length) return false;
        const next = close(follow(places, text.charCodeAt(at)), text, at + 1);
        places = next;
        work += next.length + 4;
        if (work > SLICE) {
          yield work;
          work = 0;
        }
      }
      return true;
    },
  };
}
