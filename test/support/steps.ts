import type { Steps } from '../../src/machinery/steps.js';

/** A value that is there already. */
export function* given<T>(value: T): Steps<T> {
  yield* [];
  return value;
}
