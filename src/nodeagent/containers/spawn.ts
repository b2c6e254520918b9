import { BrokenPipe, type Input, type Output } from './io.js';
import { Killed, type ContainerContext, type Process, type Program, type SignalName } from './process.js';

export interface SpawnOptions {
  readonly args: readonly string[];
  readonly program: Program;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly tty?: boolean;
  /** Its end is this process's end. */
  readonly parent: AbortSignal;
}

export interface Child {
  readonly pid: number;
  /** Never rejects: a death by signal is 128 + its number. */
  readonly exited: Promise<number>;
  readonly kill: (name: SignalName) => void;
}

/** Starts a program in a container. What it throws becomes a line on its stderr and exit status 1. */
export function spawn(container: ContainerContext, options: SpawnOptions): Child {
  const { args, program, parent, env, cwd, stdin, stdout, stderr, tty = false } = options;
  const life = new AbortController();
  const traps = new Map<SignalName, () => void>();
  const follow = (): void => life.abort(parent.reason);
  const kill = (name: SignalName): void => {
    const handler = name === 'KILL' ? undefined : traps.get(name);
    if (handler === undefined) life.abort(new Killed(name));
    else handler();
  };
  const pid = container.processes.add({ args, kill });
  const process: Process = {
    args,
    env,
    cwd,
    stdin,
    stdout,
    stderr,
    tty,
    pid,
    signal: life.signal,
    container,
    trap(name, handler) {
      traps.set(name, handler);
      return () => {
        if (traps.get(name) === handler) traps.delete(name);
      };
    },
  };
  const run = async (): Promise<number> => {
    if (parent.aborted) follow();
    else parent.addEventListener('abort', follow, { once: true });
    try {
      life.signal.throwIfAborted();
      // A program that watches its signal rejects by itself; one that is busy elsewhere is abandoned.
      return await untilAborted(program(process), life.signal);
    } catch (error) {
      if (error instanceof Killed) return error.exitCode;
      if (error instanceof BrokenPipe) return new Killed('PIPE').exitCode;
      await complain(error as Error);
      return 1;
    } finally {
      parent.removeEventListener('abort', follow);
      container.processes.remove(pid);
    }
  };
  const complain = async (error: Error): Promise<void> => {
    try {
      await stderr.write(`${args[0] ?? ''}: ${error.message}\n`);
    } catch (nobodyReads) {
      if (!(nobodyReads instanceof BrokenPipe)) throw nobodyReads;
    }
  };
  return { pid, exited: run(), kill };
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(
      value => {
        signal.removeEventListener('abort', abort);
        resolve(value);
      },
      (error: Error) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    );
  });
}
