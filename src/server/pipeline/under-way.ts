import type { Clock } from '../../machinery/clock.js';
import { serviceUnavailableError } from '../../machinery/status.js';
import { createBusyness } from '../../machinery/work-ledger.js';

/** Requests that a stopping server answers before it ends. Watches and streams are none of them. */
export interface UnderWay {
  /** @throws StatusError 503 once nobody is let in any more */
  enter(): void;
  /** One that was let in is answered. */
  leave(): void;
  /** From now on nobody is let in. Resolves when all are answered, or when the time is over. */
  drain(timeoutMs: number): Promise<void>;
}

/** k8s.io/apiserver pkg/server/filters/waitgroup.go. */
export function createUnderWay(clock: Pick<Clock, 'after' | 'ledger'>): UnderWay {
  let inside = 0;
  let stopping = false;
  const busyness = createBusyness(clock, 'requests');
  let onEmpty = (): void => undefined;
  return {
    enter() {
      if (stopping) throw serviceUnavailableError('apiserver is shutting down');
      inside++;
      busyness.set(true);
    },
    leave() {
      if (--inside > 0) return;
      busyness.set(false);
      onEmpty();
    },
    drain(timeoutMs) {
      stopping = true;
      if (inside === 0) return Promise.resolve();
      return new Promise(resolve => {
        const cancel = clock.after(timeoutMs, resolve, { unref: true });
        onEmpty = () => {
          cancel();
          resolve();
        };
      });
    },
  };
}
