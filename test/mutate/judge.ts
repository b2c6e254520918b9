import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Answer, Request } from './messages.js';

/** For what the process's own watchdog misses. */
const LIMIT_MS = 1_800_000;
const MEMORY_MB = 1500;

export interface Judge {
  readonly tests: readonly string[];
  /** Mutants that somebody comes by at while files are loaded. */
  readonly loaded: readonly number[];
  cover(test: string): Promise<Extract<Answer, { kind: 'covered' }>>;
  /** Who kills the mutant. The process is gone when `ended` is true: by a crash, or because it did not end. */
  judge(mutant: number, tests: readonly string[], costs: ReadonlyMap<string, number>): Promise<Verdict>;
  close(): void;
}

export interface Verdict {
  readonly killer?: string;
  readonly ended: boolean;
}

/** Undefined: it did not come as far as that all tests are loaded. */
export async function startJudge(folder: string, files: readonly string[], mutant = -1): Promise<Judge | undefined> {
  const child = fork(join(folder, 'build/test/mutate/worker.js'), [folder, String(mutant), ...files], {
    cwd: folder,
    stdio: ['ignore', 'ignore', process.env['MUTATE_DEBUG'] === undefined ? 'ignore' : 'inherit', 'ipc'],
    execArgv: [`--max-old-space-size=${MEMORY_MB}`],
  });
  const next = answersOf(child);
  const loaded = await next(LIMIT_MS);
  if (loaded?.kind !== 'loaded') {
    child.kill('SIGKILL');
    return undefined;
  }
  const ask = (request: Request): void => void child.send(request);
  return {
    tests: loaded.tests,
    loaded: loaded.ids,
    async cover(test) {
      ask({ kind: 'cover', test });
      const answer = await next(LIMIT_MS);
      if (answer?.kind !== 'covered') throw new Error(`${test} does not end in a process with others`);
      return answer;
    },
    async judge(mutant, tests, costs) {
      ask({ kind: 'judge', mutant, tests: tests.map(test => ({ test, ms: costs.get(test) ?? 0 })) });
      let running = 'before the first test';
      for (;;) {
        const answer = await next(LIMIT_MS);
        if (answer?.kind === 'begins') running = answer.test;
        else if (answer?.kind === 'judged')
          return { ended: false, ...(answer.killer === undefined ? {} : { killer: answer.killer }) };
        else {
          child.kill('SIGKILL');
          return { ended: true, killer: `${running} (does not end, or ends the process)` };
        }
      }
    },
    close: () => void child.kill('SIGKILL'),
  };
}

/** The next answer, in the order of sending. Undefined: none came in this time, or the process is gone. */
function answersOf(child: ChildProcess): (ms: number) => Promise<Answer | undefined> {
  const waiting: Answer[] = [];
  let isGone = false;
  let wake = (): void => undefined;
  child.on('message', answer => {
    waiting.push(answer as Answer);
    wake();
  });
  child.on('exit', () => {
    isGone = true;
    wake();
  });
  return async ms => {
    if (waiting.length === 0 && !isGone)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    return waiting.shift();
  };
}
