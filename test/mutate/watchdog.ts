import { Worker } from 'node:worker_threads';

/*
 * Ends this process when a test does not end. Time on a busy machine says nothing, so what counts is the process's own work:
 * a thread beside the test looks at how much there was, as an endless loop lets no timer of its own thread run.
 */
const THREAD = `
  const { workerData } = require('node:worker_threads');
  const limit = new Float64Array(workerData);
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (limit[0] > 0 && (user + system) / 1000 > limit[0]) process.kill(process.pid, 'SIGKILL');
  }, 200);
`;
/** So many seconds one after the other in which nearly nothing is done: a process that is kept waiting does more in its turn. */
const IDLE_TICKS = 20;
const IDLE_MS = 2;

export interface Watchdog {
  /** This much work from now on, in ms, and not many seconds without any. */
  begin(ms: number): void;
  end(): void;
}

const worked = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export function startWatchdog(): Watchdog {
  const shared = new SharedArrayBuffer(8);
  const limit = new Float64Array(shared);
  new Worker(THREAD, { eval: true, workerData: shared }).unref();
  let timer: NodeJS.Timeout | undefined;
  return {
    begin(ms) {
      let before = worked();
      limit[0] = before + ms;
      let idle = 0;
      clearInterval(timer);
      timer = setInterval(() => {
        const now = worked();
        idle = now - before < IDLE_MS ? idle + 1 : 0;
        before = now;
        if (idle >= IDLE_TICKS) process.exit(4);
      }, 1000);
    },
    end() {
      clearInterval(timer);
      limit[0] = 0;
    },
  };
}
