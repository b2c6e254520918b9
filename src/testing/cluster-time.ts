import { realClock, type Clock } from '../machinery/clock.js';
import { createCountedClock } from './counted-clock.js';
import { milliseconds } from './duration.js';
import { createLedger } from './ledger.js';
import { leftToDo, settle, type Rest, type Revisions } from './settle.js';
import type { ClusterClock, SettledOptions } from './time-types.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

/** The time of one cluster in this process, and whether the cluster has come to rest in it. */
export interface ClusterTime {
  /** For `startCluster`. Runs by itself until `begin`. */
  readonly clock: Clock;
  readonly control: ClusterClock;
  /** The cluster has started: when it has come to rest, a virtual clock stands. */
  begin(api: Revisions): Promise<void>;
  /**
   * Resolves when no controller, agent or DNS process has work left: their queues are empty, nothing is under way, everybody
   * who watches has been told of the newest change, and nobody waits a moment to go on. Processes in containers, requests of
   * others and what waits for time to pass do not count: grace periods, back-offs of more than a second, periods. On
   * a virtual clock neither does what has not moved for half a second, as then it waits for `advance`.
   * @throws Error naming what is left, when the signal aborts before
   */
  settled(options?: SettledOptions): Promise<void>;
  /**
   * Does `work` while nobody begins anything, until everybody has been told of what it has changed: who is told of one
   * change must not act before being told of the other.
   */
  atOnce<T>(work: () => Promise<T>): Promise<T>;
  /** What `settled` waits for now. */
  leftToDo(): string[];
  /** Before the cluster is stopped: what waits for time to pass must not wait for ever. */
  release(): void;
}

export interface ClusterTimeOptions {
  readonly clock: 'real' | 'virtual';
  /** When the cluster starts, on a virtual clock: milliseconds since the epoch. Default: now. */
  readonly startMs?: number;
}

/** Real milliseconds after which what has not moved is taken to wait for time to pass. */
const PATIENCE_MS = 500;

export function createClusterTime(options: ClusterTimeOptions): ClusterTime {
  const ledger = createLedger();
  const { startMs } = options;
  const virtual: VirtualClock | undefined =
    options.clock === 'virtual'
      ? createVirtualClock({ ledger, ...(startMs === undefined ? {} : { startMs }) })
      : undefined;
  const clock = virtual ?? createCountedClock(realClock, ledger);
  let api: Revisions | undefined;
  /** On a virtual clock, once it stands. */
  let patience: { readonly patienceMs?: number } = {};

  const started = (): Revisions => {
    if (api === undefined) throw new Error('the cluster has not been started');
    return api;
  };
  const rest = (until: Rest, signal?: AbortSignal): Promise<void> =>
    settle({ ledger, api: started(), until, ...patience, ...(signal === undefined ? {} : { signal }) });

  return {
    clock,
    control: {
      now: () => clock.now(),
      async advance(duration) {
        if (virtual === undefined)
          throw new Error("the clock is the real one: only with clock 'virtual' it can be moved");
        await virtual.advance(milliseconds(duration), () => rest('quiet'));
        await rest('settled');
      },
    },
    async begin(revisions) {
      api = revisions;
      await rest('settled');
      if (virtual === undefined) return;
      virtual.freeze();
      patience = { patienceMs: PATIENCE_MS };
    },
    settled: ({ signal, pauses = true } = {}) => rest(pauses ? 'settled' : 'quiet', signal),
    async atOnce(work) {
      ledger.hold();
      try {
        // What has been begun would write what it has thought of before.
        await settle({ ledger, api: started(), until: 'done', patienceMs: PATIENCE_MS });
        const result = await work();
        await rest('told');
        return result;
      } finally {
        ledger.release();
      }
    },
    leftToDo: () => leftToDo({ ledger, api: started(), until: 'settled' }),
    release() {
      virtual?.thaw();
      patience = {};
    },
  };
}
