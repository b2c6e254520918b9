import { emptyInput } from '../io.js';
import type { Program } from '../process.js';
import { catchExit } from './levels.js';
import { descriptorsOf, fork, streamsOf } from './processes.js';
import { forkShell, type Shell, type Streams } from './state.js';

const MAX_JOBS = 4096;

/** A job of `&`; `work` is what it does, in its own shell. */
export function startBackground(
  shell: Shell,
  streams: Streams,
  work: (child: Shell, streams: Streams) => Promise<number>,
): void {
  const program: Program = async process => {
    const child = forkShell(shell, process);
    return catchExit(() => work(child, streamsOf(process, streams)));
  };
  const { process } = shell;
  const child = fork(shell, {
    program,
    ...streams,
    stdin: emptyInput,
    ...descriptorsOf(streams),
    // A background job outlives the command that started it, and its shell, not the container.
    parent: process.container.life ?? process.signal,
  });
  shell.jobs.set(child.pid, child);
  // One that has ended is kept for `wait`, but not for ever.
  if (shell.jobs.size > MAX_JOBS)
    for (const pid of [...shell.jobs.keys()].slice(0, MAX_JOBS / 2)) shell.jobs.delete(pid);
  shell.lastBackground = child.pid;
  shell.status = 0;
}
