import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { ForkError, replaceProgram, spawn, type Child, type SpawnOptions } from '../spawn.js';
import { seekableInput } from './line-input.js';
import { environmentOf, ShellExit, type Shell, type Streams } from './state.js';

/** Starts a process for a part of this shell. @throws ShellExit when there can be no more */
export function fork(shell: Shell, options: Omit<SpawnOptions, 'ppid' | 'env' | 'cwd' | 'args'>): Child {
  const { process } = shell;
  try {
    return spawn(process.container, {
      ...options,
      args: process.args.length > 1 ? ['sh', ...process.args.slice(1)] : ['sh'],
      env: environmentOf(shell),
      cwd: shell.cwd,
      ppid: process.pid,
      umask: shell.umask,
    });
  } catch (error) {
    if (!(error instanceof ForkError)) throw error;
    void Promise.resolve(shell.process.stderr.write(`${shell.name}: ${error.message}\n`)).catch(() => undefined);
    throw new ShellExit(2);
  }
}

/** The streams of a process, with the further descriptors of the command that it runs. */
export const streamsOf = ({ stdin, stdout, stderr }: Process, { others }: Streams): Streams => ({
  stdin: seekableInput(stdin),
  stdout,
  stderr,
  ...(others === undefined ? {} : { others }),
});

export const descriptorsOf = ({ others }: Streams): Pick<SpawnOptions, 'descriptors'> =>
  others === undefined ? {} : { descriptors: others };

/** Ends the command that runs: its shell was killed, or its line interrupted. */
export function throwIfEnded(shell: Shell): void {
  shell.process.signal.throwIfAborted();
  shell.interrupted?.throwIfAborted();
}

/** Lets the node breathe, and ends a shell that was killed. */
export async function checkpoint(shell: Shell): Promise<void> {
  throwIfEnded(shell);
  const wait = shell.process.turn();
  if (wait === undefined) return;
  await wait;
  throwIfEnded(shell);
}

/** Starts a program and waits for it. 127: there is none of that name. `last`: it takes the shell's place. */
export async function runProgram(
  shell: Shell,
  args: readonly string[],
  assigned: ReadonlyMap<string, string>,
  streams: Streams,
  last = false,
): Promise<number> {
  const [name = ''] = args;
  const { process } = shell;
  const found = await findProgram(shell, name);
  if (typeof found === 'string') {
    await streams.stderr.write(`${shell.name}: ${name}: ${found}\n`);
    return found === 'not found' ? 127 : 126;
  }
  const env = environmentOf(shell, assigned);
  const { stdin, stdout, stderr } = streams;
  if (last && shell.traps.size === 0) {
    return replaceProgram(process, shell.umask, found, { args, env, cwd: shell.cwd, stdin, stdout, stderr });
  }
  let child: Child;
  try {
    child = spawn(process.container, {
      args,
      program: found,
      env,
      cwd: shell.cwd,
      stdin,
      stdout,
      stderr,
      ...descriptorsOf(streams),
      tty: process.tty,
      terminal: process.terminal,
      parent: process.signal,
      ppid: process.pid,
      umask: shell.umask,
    });
  } catch (error) {
    if (!(error instanceof ForkError)) throw error;
    await streams.stderr.write(`${shell.name}: ${error.message}\n`);
    if (error.message.startsWith("can't fork")) throw new ShellExit(2);
    return 126;
  }
  shell.foreground.add(child);
  // The interrupt may have come while it was looked for.
  if (shell.interrupted?.aborted === true) child.kill('INT');
  const status = await child.exited;
  shell.foreground.delete(child);
  throwIfEnded(shell);
  return status;
}

/** A program of the image, a script file run by a shell, or why there is none. */
async function findProgram(shell: Shell, name: string): Promise<Program | string> {
  const { container } = shell.process;
  const { files } = container;
  const path = resolvePath(shell.cwd, name);
  if (name.includes('/')) {
    const kind = files.kind(path);
    if (kind === 'directory') return 'Permission denied';
    if (kind === 'file') {
      if (!files.allows(path, 'execute')) return 'Permission denied';
      const sh = await container.program('sh');
      return sh === undefined
        ? 'not found'
        : process => sh({ ...process, args: ['sh', path, ...process.args.slice(1)] });
    }
  }
  return (await container.program(name)) ?? 'not found';
}
