import { createPipe } from '../io.js';
import type { Child } from '../spawn.js';
import type { Command } from './ast.js';
import { catchExit } from './levels.js';
import { seekableInput } from './line-input.js';
import { descriptorsOf, fork, streamsOf, throwIfEnded } from './processes.js';
import { forkShell, type Shell, type Streams } from './state.js';

/** Commands joined by pipes, each in a process of its own; `run` runs one in its shell. */
export async function runPiped(
  shell: Shell,
  commands: readonly Command[],
  streams: Streams,
  run: (child: Shell, command: Command, streams: Streams) => Promise<number>,
): Promise<number> {
  let stdin = streams.stdin;
  let upstream: ReturnType<typeof createPipe> | undefined;
  const children: Child[] = [];
  const running: Promise<number>[] = [];
  try {
    for (const [i, command] of commands.entries()) {
      const reads = upstream;
      const writes = i === commands.length - 1 ? undefined : createPipe();
      const child = fork(shell, {
        program: process => catchExit(() => run(forkShell(shell, process), command, streamsOf(process, streams))),
        stdin: seekableInput(stdin),
        stdout: writes ?? streams.stdout,
        stderr: streams.stderr,
        ...descriptorsOf(streams),
        tty: shell.process.tty,
        terminal: shell.process.terminal,
        parent: shell.process.signal,
      });
      if (writes !== undefined) stdin = writes;
      upstream = writes;
      children.push(child);
      shell.foreground.add(child);
      if (shell.interrupted?.aborted === true) child.kill('INT');
      const done = child.exited.finally(() => {
        shell.foreground.delete(child);
        writes?.closeWrite();
        reads?.closeRead();
      });
      running.push(done);
    }
  } catch (error) {
    upstream?.closeRead();
    for (const child of children) child.kill('TERM');
    throw error;
  }
  const statuses = await Promise.all(running);
  throwIfEnded(shell);
  const failed = statuses.findLast(s => s !== 0) ?? 0;
  return shell.options.pipefail ? failed : (statuses.at(-1) ?? 0);
}
