import { setTimeout as sleep } from 'node:timers/promises';

/** Only so that what never comes has a name: no machine is that busy. */
const LIMIT_MS = 60_000;

/** Waits for a condition, however long it takes a busy machine. @throws when it never comes */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  while (!(await holds())) {
    if (limit.aborted) throw new Error(`never: ${what}`);
    await sleep(1);
  }
}

/** The first answer that is none of an error. @throws what it was rejected with last */
export async function answered<T>(ask: () => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (limit.aborted) throw error;
      await sleep(5);
    }
}
