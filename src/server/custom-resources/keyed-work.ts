import type { Clock } from '../../machinery/clock.js';
import { createBusyness } from '../../machinery/work-ledger.js';

export interface KeyedWork {
  /** Does the key's work soon; once more, when it is under way. */
  add(key: string): void;
  /** What is under way, or waits to be tried again. */
  readonly busy: number;
}

const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 60_000;

/**
 * Work that is known by keys: of one key never twice at a time, again after a failure, later every time. Source of the
 * delays: client-go util/workqueue DefaultTypedControllerRateLimiter, which goes on to a quarter of an hour.
 */
export function createKeyedWork(options: {
  readonly clock: Clock;
  /** Whose work it is, for who asks what is left to do. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly work: (key: string) => Promise<void>;
  /** Told of failures; the work is tried again. */
  readonly onError: (error: unknown, key: string) => void;
}): KeyedWork {
  const { clock, name, signal, work, onError } = options;
  /** true: it has to be done again. */
  const underWay = new Map<string, boolean>();

  const run = async (key: string): Promise<void> => {
    let retryMs = FIRST_RETRY_MS;
    const busyness = createBusyness(clock, name);
    while (!signal.aborted) {
      underWay.set(key, false);
      busyness.set(true);
      try {
        await work(key);
        if (underWay.get(key) !== true) break;
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (signal.aborted) break;
        onError(error, key);
        busyness.set(false);
        await clock.sleep(retryMs, signal, { work: true }).catch(() => undefined);
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
    }
    busyness.set(false);
    underWay.delete(key);
  };
  return {
    get busy() {
      return underWay.size;
    },
    add(key) {
      if (underWay.has(key)) underWay.set(key, true);
      else void run(key);
    },
  };
}
