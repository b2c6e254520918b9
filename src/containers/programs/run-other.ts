import type { Process } from '../process.js';
import { spawn, type Child } from '../spawn.js';

/** Starts a program by name with the caller's streams; undefined when there is none, which has been said. */
export async function startOther(
  process: Process,
  args: readonly string[],
  env = process.env,
  parent = process.signal,
): Promise<Child | undefined> {
  const [name = ''] = args;
  const { container, stdin, stdout, stderr, cwd, tty, terminal, pid } = process;
  const program = await container.program(name);
  if (program === undefined) {
    await stderr.write(`${process.args[0] ?? ''}: can't execute '${name}': No such file or directory\n`);
    return undefined;
  }
  return spawn(container, {
    args,
    program,
    env,
    cwd,
    stdin,
    stdout,
    stderr,
    tty,
    terminal,
    parent,
    ppid: pid,
    umask: process.umask,
  });
}

/** Runs a program by name with the caller's streams. */
export async function runOther(
  process: Process,
  args: readonly string[],
  env = process.env,
  parent = process.signal,
): Promise<number> {
  return (await (await startOther(process, args, env, parent))?.exited) ?? 127;
}
