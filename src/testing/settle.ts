import { realClock } from '../machinery/clock.js';
import type { Ledger, NewestChange } from './ledger.js';

/** What the API server tells of its store. */
export interface Revisions {
  /** The newest. */
  revision(): number;
  /** That of the newest change of a resource. */
  changed(group: string, version: string, resource: string): number | undefined;
  /** Has watches tell their clients how far they are. */
  tellProgress(): void;
}

const newestOf =
  (api: Revisions): NewestChange =>
  ({ group, version, resource }) =>
    api.changed(group, version, resource);

/**
 * What is waited for. `told`: everybody knows of the newest changes. `done`: what has been begun has ended, too.
 * `quiet`: nothing waits in a queue, either. `settled`: nor does anybody pause in the middle of some work.
 */
export type Rest = 'told' | 'done' | 'quiet' | 'settled';
const LEVELS: readonly Rest[] = ['told', 'done', 'quiet', 'settled'];

export interface SettleOptions {
  readonly ledger: Ledger;
  readonly api: Revisions;
  readonly until: Rest;
  /** What has not moved for so many real milliseconds waits for time to pass, and is passed over. Absent: nothing is. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Turns of the event loop in which nobody may have begun anything. What is not in the ledger (a program of a container, a
 * packet on its way) comes back to what is within a few of them.
 */
const QUIET_TURNS = 20;
/** A watch that was not open yet when it was asked is asked again. */
const ASK_AGAIN_MS = 50;

const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));

/** Turns of the event loop in which nothing moves, or as many as there are until something does. */
async function still(ledger: Ledger, turns: number): Promise<boolean> {
  const { moves } = ledger;
  for (let i = 0; i < turns && ledger.moves === moves; i++) await turn();
  return ledger.moves === moves;
}

/** Resolves true after the next move, false when there was none for so long. */
function moved(ledger: Ledger, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise(resolve => {
    const finish = (did: boolean): void => {
      forget();
      cancel();
      signal?.removeEventListener('abort', aborted);
      resolve(did);
    };
    const aborted = (): void => finish(false);
    const forget = ledger.onMove(() => finish(true));
    const cancel = realClock.after(ms, () => finish(false));
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

/** What is left to do; empty: nothing. */
export function leftToDo({ ledger, api, until }: Pick<SettleOptions, 'ledger' | 'api' | 'until'>): string[] {
  const level = LEVELS.indexOf(until);
  return [
    ...ledger.behind(newestOf(api)),
    ...(level >= 1 ? ledger.inHand() : []),
    ...(level >= 2 ? ledger.queued() : []),
    ...(level >= 3 ? ledger.waiting() : []),
  ];
}

/**
 * Resolves when nothing is in hand and everybody who follows the store has been told of all that is in it.
 * @throws Error naming what is left, when the signal aborts before
 */
export async function settle(options: SettleOptions): Promise<void> {
  const { ledger, api, signal, patienceMs = Infinity } = options;
  let asked: number | undefined;
  let stillMs = 0;
  for (;;) {
    if (signal?.aborted === true)
      throw new Error(`not settled, left to do: ${leftToDo(options).join(', ')}`, { cause: signal.reason });
    const revision = api.revision();
    if (leftToDo(options).length > 0) {
      if (asked !== revision && ledger.behind(newestOf(api)).length > 0) {
        asked = revision;
        api.tellProgress();
      }
      // On a machine that is busy with others, so much time may be less than a turn.
      if ((await moved(ledger, ASK_AGAIN_MS, signal)) || !(await still(ledger, QUIET_TURNS))) {
        stillMs = 0;
        continue;
      }
      asked = undefined;
      stillMs += ASK_AGAIN_MS;
      if (stillMs >= patienceMs) ledger.passOver(newestOf(api));
      continue;
    }
    if (options.until === 'told') return;
    if ((await still(ledger, QUIET_TURNS)) && api.revision() === revision) return;
  }
}
