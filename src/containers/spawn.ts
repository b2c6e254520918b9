import { setMaxListeners } from 'node:events';
import { FileError } from './file-error.js';
import { BrokenPipe, type Input, type Output } from './io.js';
import {
  Killed,
  type ContainerContext,
  type Process,
  type ProcessEntry,
  type Program,
  type SignalName,
} from './process.js';
import { IGNORED_BY_DEFAULT, STOPPING } from './signals.js';
import type { Terminal } from './terminal.js';

export interface SpawnOptions {
  readonly args: readonly string[];
  readonly program: Program;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Open files beyond the first three. */
  readonly descriptors?: ReadonlyMap<number, Input | Output>;
  readonly tty?: boolean;
  readonly terminal?: Terminal | undefined;
  /** Its end is this process's end. */
  readonly parent: AbortSignal;
  readonly umask?: number;
  /** The process that starts it; 0: from outside. */
  readonly ppid?: number;
}

export interface Child {
  readonly pid: number;
  /** Never rejects: a death by signal is 128 + its number. */
  readonly exited: Promise<number>;
  readonly kill: (name: SignalName) => void;
}

/** fork(2) or execve(2) that failed. */
export class ForkError extends Error {
  override readonly name = 'ForkError';
}

/** What a process weighs by itself: page tables, stack and the pages it writes to. */
const PROCESS_BYTES = 512 * 1024;
/** execve(2): MAX_ARG_STRLEN, and all of them together. */
const MAX_ARGUMENT = 128 * 1024;
const MAX_ARGUMENTS = 2 * 1024 * 1024;
/** Bytes that make a unit of work. */
const BYTES_PER_WORK = 4096;

const tooLong = (args: readonly string[]): boolean =>
  args.some(arg => arg.length > MAX_ARGUMENT) || args.reduce((sum, arg) => sum + arg.length + 1, 0) > MAX_ARGUMENTS;

/**
 * Starts a program in a container. What it throws becomes a line on its stderr and exit status 1.
 * @throws ForkError; Killed when the container is out of memory
 */
export function spawn(container: ContainerContext, options: SpawnOptions): Child {
  const { args, program, parent, env, cwd, tty = false, terminal, ppid = 0, umask = 0o022 } = options;
  const { budget, processes } = container;
  if (tooLong(args)) throw new ForkError(`${args[0]?.slice(0, 80) ?? ''}: Argument list too long`);
  if (budget.processes.count >= budget.processes.max)
    throw new ForkError("can't fork: Resource temporarily unavailable");
  const memory = budget.memory.account();
  memory.add(PROCESS_BYTES);
  const life = new AbortController();
  // Every read, wait and child of the process listens.
  setMaxListeners(0, life.signal);
  const traps = new Map<SignalName, () => void>();
  const gate = stopGate();
  const follow = (): void => life.abort(parent.reason);
  const kill = (name: SignalName): void => {
    const handler = name === 'KILL' || name === 'STOP' ? undefined : traps.get(name);
    if (name === 'CONT' || name === 'KILL') gate.open();
    if (handler !== undefined) handler();
    else if (STOPPING.has(name)) gate.close();
    else if (!IGNORED_BY_DEFAULT.has(name)) life.abort(new Killed(name));
  };
  const turn = (work?: number): Promise<void> | undefined => {
    life.signal.throwIfAborted();
    const wait = gate.closed() ?? budget.cpu.spend(work);
    return wait?.then(() => {
      life.signal.throwIfAborted();
      return gate.closed();
    });
  };
  const stdin = readerOf(options.stdin, turn);
  const stdout = writerOf(options.stdout, turn);
  const stderr = options.stderr === options.stdout ? stdout : writerOf(options.stderr, turn);
  const { uid, gid } = container.security.credentials;
  const described: Omit<ProcessEntry, 'pid' | 'args'> & { args: readonly string[] } = {
    ppid,
    args,
    env,
    cwd,
    uid,
    gid,
    tty,
    startedAt: container.clock.now(),
    containerName: container.containerName,
    descriptors: new Map<number, Input | Output>([
      [0, stdin],
      [1, stdout],
      [2, stderr],
      ...(options.descriptors ?? []),
    ]),
    memory: () => memory.bytes,
    stopped: () => gate.closed() !== undefined,
    become(words) {
      described.args = words;
    },
    kill,
  };
  const entry = processes.add(described);
  budget.processes.count++;
  const process: Process = {
    args,
    env,
    cwd,
    stdin,
    stdout,
    stderr,
    tty,
    terminal,
    pid: entry.pid,
    umask,
    signal: life.signal,
    turn,
    memory,
    container: seenFrom(container, entry.pid, umask),
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
      // A program that watches its signal rejects by itself; one that is busy elsewhere is abandoned, and ends at its
      // next turn, read or write.
      return await untilAborted(program(process), life.signal);
    } catch (error) {
      if (error instanceof Killed) return error.exitCode;
      if (error instanceof BrokenPipe) return new Killed('PIPE').exitCode;
      await complain(error as Error);
      return 1;
    } finally {
      parent.removeEventListener('abort', follow);
      processes.remove(entry.pid);
      budget.processes.count--;
      memory.close();
    }
  };
  const complain = async (error: Error): Promise<void> => {
    try {
      const text =
        error instanceof FileError && error.code === 'ENOSPC' ? `write error: ${error.message}` : error.message;
      await options.stderr.write(`${entry.args[0] ?? ''}: ${text}\n`);
    } catch (nobodyReads) {
      if (!(nobodyReads instanceof BrokenPipe || nobodyReads instanceof FileError)) throw nobodyReads;
    }
  };
  return { pid: entry.pid, exited: run(), kill };
}

/** The container as one of its processes sees it: /proc/self is that process. */
const seenFrom = (container: ContainerContext, pid: number, umask: number): ContainerContext => {
  let files: ContainerContext['files'] | undefined;
  return {
    ...container,
    get files() {
      return (files ??= container.files.seenBy({ pid, umask }));
    },
  };
};

/** Puts a program in the place of the one that runs, as execve(2) does: same process, new arguments and files. */
export function replaceProgram(
  process: Process,
  umask: number,
  program: Program,
  options: Pick<SpawnOptions, 'args' | 'env' | 'cwd' | 'stdin' | 'stdout' | 'stderr'>,
): Promise<number> {
  const { args, env, cwd } = options;
  if (tooLong(args)) throw new ForkError(`${args[0]?.slice(0, 80) ?? ''}: Argument list too long`);
  const stdin = readerOf(options.stdin, process.turn);
  const stdout = writerOf(options.stdout, process.turn);
  const stderr = writerOf(options.stderr, process.turn);
  const entry: ProcessEntry | undefined = process.container.processes.get(process.pid);
  if (entry !== undefined) {
    entry.become(args);
    entry.descriptors.set(0, stdin).set(1, stdout).set(2, stderr);
  }
  const container = umask === process.umask ? process.container : seenFrom(process.container, process.pid, umask);
  return program({ ...process, container, umask, args, env, cwd, stdin, stdout, stderr });
}

/** Held shut by SIGSTOP, until SIGCONT. */
function stopGate() {
  let waiting: Promise<void> | undefined;
  let release: () => void = () => undefined;
  return {
    closed: () => waiting,
    close(): void {
      waiting ??= new Promise(resolve => (release = resolve));
    },
    open(): void {
      waiting = undefined;
      release();
    },
  };
}

type Turn = (work?: number) => Promise<void> | undefined;
const INNER = Symbol('what is read from or written to');
type Wrapped<T> = T & { readonly [INNER]?: T };

const units = (bytes: number): number => 1 + Math.floor(bytes / BYTES_PER_WORK);

/** An input as one process reads it: each read is work, and the dead read nothing. */
export function readerOf(given: Wrapped<Input>, turn: Turn): Input {
  const input = given[INNER] ?? given;
  // Named methods beyond Input (readLine of a shell's input) are kept.
  const reader: Wrapped<Input> = {
    ...input,
    [INNER]: input,
    async read(signal) {
      await turn();
      const chunk = await input.read(signal);
      if (chunk !== undefined && chunk.length >= BYTES_PER_WORK) await turn(units(chunk.length));
      return chunk;
    },
  };
  return reader;
}

export function writerOf(given: Wrapped<Output>, turn: Turn): Output {
  const output = given[INNER] ?? given;
  const write = (data: string | Buffer): void | Promise<void> => {
    const wait = turn(units(data.length));
    let done: void | Promise<void>;
    try {
      done = output.write(data);
    } catch (error) {
      // Who is killed by what it writes waits for no turn: that this one does not come either is no second failure.
      wait?.catch(() => undefined);
      throw error;
    }
    if (wait === undefined) return done;
    return done === undefined ? wait : Promise.all([wait, done]).then(() => undefined);
  };
  const writer: Wrapped<Output> = {
    ...(output.description === undefined ? {} : { description: output.description }),
    [INNER]: output,
    write,
  };
  return writer;
}

/** The outcome of work, or the reason for which it is waited for no longer. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
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
