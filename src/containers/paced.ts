import type { Steps } from '../machinery/steps.js';

/** Runs long work of a process, of which each step is a unit: the others have their turn in between. */
export async function paced<T>(steps: Steps<T>, turn: (work?: number) => Promise<void> | undefined): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    const wait = turn();
    if (wait !== undefined) await wait;
  }
}
