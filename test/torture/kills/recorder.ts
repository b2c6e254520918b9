import type { Observation } from '../history/observation.js';

/** Everything that is seen and done, in order. */
export interface Recorder {
  readonly history: readonly Observation[];
  add(one: Observation): void;
  /** A number that no other write or list has. */
  next(): number;
  /** How many writes have been answered. */
  readonly answers: number;
  /** Resolves when so many have been. */
  answered(count: number): Promise<void>;
}

export function createRecorder(): Recorder {
  const history: Observation[] = [];
  let last = 0;
  let answers = 0;
  let waiting: { readonly count: number; go(): void } | undefined;
  return {
    history,
    add(one) {
      history.push(one);
      if (one.what !== 'answered') return;
      answers++;
      if (waiting !== undefined && answers >= waiting.count) waiting.go();
    },
    next: () => ++last,
    get answers() {
      return answers;
    },
    answered: count => new Promise(go => (waiting = { count, go })),
  };
}
