import { realClock } from '../../../src/machinery/clock.js';
import type { Random } from '../../../src/machinery/random.js';
import type { RunningUp } from '../../support/up.js';

export interface Disturbance {
  /** How often each was done: "kill dns" → 3. */
  readonly counts: ReadonlyMap<string, number>;
  /** Lets everybody go on; resolves when nothing more happens. */
  stop(): Promise<void>;
}

const PAUSES = { leastMs: 100, moreMs: 1_200 };
/** Longer than a leader may go without renewing its lease, shorter than a node may go without telling that it lives. */
const STOPPED_MS = 5_000;

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    // It has ended by itself: somebody killed it.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Kills controllers, agents and DNS, or stops them for a while, until it is told to leave them alone. The API server is let be. */
export function disturb(up: RunningUp, random: Random): Disturbance {
  const counts = new Map<string, number>();
  const ending = new AbortController();
  const resumed = new Set<Promise<void>>();

  const stopFor = async (pid: number, ms: number): Promise<void> => {
    await realClock.sleep(ms, ending.signal).catch(() => undefined);
    signal(pid, 'SIGCONT');
  };
  const once = async (): Promise<void> => {
    const victims = [...(await up.pids())].filter(([name]) => name !== 'apiserver');
    const [name, pid] = victims[random.below(victims.length)] ?? [];
    if (name === undefined || pid === undefined) return;
    const kills = random.below(2) === 0;
    if (!signal(pid, kills ? 'SIGKILL' : 'SIGSTOP')) return;
    const what = `${kills ? 'kill' : 'stop'} ${name}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
    if (kills) return;
    const going = stopFor(pid, random.below(STOPPED_MS));
    resumed.add(going);
    void going.then(() => resumed.delete(going));
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await once();
      await realClock.sleep(PAUSES.leastMs + random.below(PAUSES.moreMs), ending.signal).catch(() => undefined);
    }
    await Promise.all(resumed);
  };
  const running = run();
  return {
    counts,
    async stop() {
      ending.abort(new Error('enough'));
      await running;
    },
  };
}
