import { Worker } from 'node:worker_threads';
import type { Finding } from './growth.js';
import type { Task } from './worker.js';

export interface Report {
  readonly findings: readonly Finding[];
  readonly probes: number;
}

/** A probe that is silent for this long hangs: seconds are spent only where milliseconds are due. */
const HANG_MS = 60_000;

/** Runs a task in a thread of its own, so that a text that holds the loop for ever can be named and the thread ended. */
export function run(task: Task, onFinding?: (finding: Finding) => void): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: task });
    const findings: Finding[] = [];
    let at = 'setting up';
    let timer: NodeJS.Timeout | undefined;
    const found = (finding: Finding): void => {
      findings.push(finding);
      onFinding?.(finding);
    };
    const end = (probes: number): void => {
      clearTimeout(timer);
      void worker.terminate();
      resolve({ findings, probes });
    };
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        found({ row: at, shape: '', kind: 'grows', text: `nothing came back in ${HANG_MS / 1000} s` });
        end(0);
      }, HANG_MS);
    };
    watch();
    worker.on('message', (message: { at?: string; finding?: Finding; done?: number }) => {
      watch();
      if (message.at !== undefined) at = message.at;
      if (message.finding !== undefined) found(message.finding);
      if (message.done !== undefined) end(message.done);
    });
    worker.on('error', error => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
