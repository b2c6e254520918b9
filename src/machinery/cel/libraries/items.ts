import type { Steps } from '../../steps.js';
import { Comparison } from '../equality.js';
import { keyOf, type Key, type ListValue, type Value } from '../values.js';

/** Comparisons between two rests. */
const PER_STEP = 5000;

/** Functions over the items of lists, which rest on the way. */
export class Pace {
  private left = PER_STEP;
  /** Whether it is time to rest, after one more thing that was done. */
  isOver(): boolean {
    if (this.left-- > 0) return false;
    this.left = PER_STEP;
    return true;
  }
}

/** Whether two values are equal. */
export function* equalSteps(a: Value, b: Value, pace: Pace): Steps<boolean> {
  if (pace.isOver()) yield;
  const comparison = new Comparison(a, b);
  for (;;) {
    const answer = comparison.run(PER_STEP);
    if (answer !== undefined) return answer;
    yield;
  }
}

/** Values of which each is kept once. Those that may be keys are found at once, others by comparing. */
export class Members {
  private readonly keys = new Set<Key>();
  private readonly others: Value[] = [];
  private readonly pace = new Pace();

  static *of(list: ListValue): Steps<Members> {
    const members = new Members();
    for (let i = 0; i < list.size; i++) yield* members.add(list.at(i));
    return members;
  }

  *has(value: Value): Steps<boolean> {
    if (this.pace.isOver()) yield;
    const key = keyOf(value);
    if (key !== undefined) return this.keys.has(key);
    for (const other of this.others) if (yield* equalSteps(value, other, this.pace)) return true;
    return false;
  }

  /** @returns whether it was not there yet */
  *add(value: Value): Steps<boolean> {
    if (yield* this.has(value)) return false;
    const key = keyOf(value);
    if (key === undefined) this.others.push(value);
    else this.keys.add(key);
    return true;
  }
}
