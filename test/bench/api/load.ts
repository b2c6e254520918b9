import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadOrder } from './load-process.js';

export interface Load {
  /** Answers so far. */
  answered(): number;
  /** Resolves when its process is gone. */
  stop(): Promise<void>;
}

/** Others who ask the server, in a process of their own. Resolves when the first answer is there. */
export async function startLoad(order: LoadOrder): Promise<Load> {
  const child = fork(join(import.meta.dirname, 'load-process.js'));
  let answered = 0;
  child.on('message', count => (answered = Number(count)));
  child.send(order);
  const first = once(child, 'message');
  const gone = once(child, 'exit');
  await Promise.race([
    first,
    gone.then(() => {
      throw new Error('the process that makes load has ended');
    }),
  ]);
  return {
    answered: () => answered,
    async stop() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
