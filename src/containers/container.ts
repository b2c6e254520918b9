import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hintOf } from './images/not-simulated.js';
import type { Image } from './images/types.js';
import { createPipe, emptyInput, type Input, type Output, type Pipe } from './io.js';
import { createLogBuffer, type LogBuffer } from './log-buffer.js';
import { userlandNames, userlandProgram } from './programs/index.js';
import { Killed, type ContainerContext, type Program, type SignalName } from './process.js';
import { ForkError, spawn, untilAborted, type Child, type SpawnOptions } from './spawn.js';
import { createTty, type Tty } from './terminal.js';

/** A container that cannot be started at all: reason StartError, exit code 128. */
export class StartError extends Error {
  override readonly name = 'StartError';

  /** `hint`: what users are told beside the runtime's words, where a command is not simulated. */
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

export interface ContainerOptions {
  readonly context: ContainerContext;
  readonly image: Image;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
}

/** Streams of an exec or attach session. */
export interface SessionStreams {
  readonly stdin?: Input;
  readonly stdout?: Output;
  readonly stderr?: Output;
  readonly tty: boolean;
  readonly signal: AbortSignal;
  /** Sizes of the client's terminal, as they come. */
  readonly resize?: AsyncIterable<TerminalSize>;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface RunningContainer {
  readonly id: string;
  /** Clock milliseconds. */
  readonly startedAt: number;
  readonly logs: LogBuffer;
  /** Resolves with the exit code; never rejects. */
  readonly exited: Promise<number>;
  /** Whether it was killed because it passed its memory limit. */
  readonly outOfMemory: () => boolean;
  readonly kill: (name: SignalName) => void;
  /** Ends it as if its main process had ended with this code, or as the kernel does where there is no memory left. */
  readonly end: (how: number | 'out of memory') => void;
  /** Runs a command in the container. Resolves with its exit code. @throws StartError when there is no such program */
  exec(command: readonly string[], streams: SessionStreams): Promise<number>;
  /** The same for a probe or a hook, whose programs an image that is not known has. */
  check(command: readonly string[], streams: SessionStreams): Promise<number>;
  /** Shows the main process's output and feeds its input until it ends or the session does. */
  attach(streams: SessionStreams): Promise<void>;
}

export const newContainerId = (): string => randomBytes(32).toString('hex');

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** How a container finds programs: its image's own, then the common userland. */
export function programFinder(image: Image): (name: string) => Promise<Program | undefined> {
  return async name => {
    const own = image.programs[baseName(name)];
    if (own !== undefined) return own;
    return image.userland ? userlandProgram(baseName(name)) : undefined;
  };
}

/** What the finder finds. */
export const programNames = (image: Image): readonly string[] =>
  [...new Set([...Object.keys(image.programs), ...(image.userland ? userlandNames() : [])])].sort();

const notFound = (name: string, { image }: ContainerContext): StartError =>
  new StartError(
    name.includes('/')
      ? `exec: "${name}": stat ${name}: no such file or directory`
      : `exec: "${name}": executable file not found in $PATH`,
    hintOf(`command "${name.slice(0, MAX_NAME)}" of image "${image}"`),
  );

/** As much of a command as is shown. */
const MAX_NAME = 80;

/** Finds and starts the main process. @throws StartError */
export async function startContainer(options: ContainerOptions): Promise<RunningContainer> {
  const { context: given, image, env, workingDir, tty } = options;
  const command = options.command ?? image.entrypoint;
  const args = [...command, ...(options.args ?? (options.command === undefined ? image.cmd : []))];
  const [name = ''] = args;
  const found = await scriptOrProgram(given, name);
  const program = image.main === undefined ? found : image.main(name, found);
  if (program === undefined) throw notFound(name, given);

  const logs = createLogBuffer(given.clock);
  const watchers = new Set<Watcher>();
  /** A client that is attached and does not read holds the container up, as containerd's does. */
  const sink = (stream: 'stdout' | 'stderr'): Output => ({
    description: 'pipe:[1]',
    write(data) {
      logs.write(stream, data);
      if (watchers.size === 0) return undefined;
      return Promise.all([...watchers].map(watch => watch(stream, data))).then(() => undefined);
    },
  });
  const stdout = sink('stdout');
  const terminal = tty ? createTty(stdout, name => main.kill(name)) : undefined;
  const input: Pipe | undefined = options.stdin && terminal === undefined ? createPipe() : undefined;
  const life = new AbortController();
  setMaxListeners(0, life.signal);
  const context: ContainerContext = { ...given, life: life.signal };
  let outOfMemory = false;
  context.budget.memory.onExhausted = () => {
    outOfMemory = true;
    life.abort(new Killed('KILL'));
  };
  const main = begin(context, {
    args,
    program,
    env,
    cwd: workingDir,
    stdin: terminal?.stdin ?? input ?? emptyInput,
    stdout: terminal?.output ?? stdout,
    stderr: terminal?.output ?? sink('stderr'),
    tty,
    terminal,
    parent: life.signal,
  });
  let endWith: (code: number) => void = () => undefined;
  const told = new Promise<number>(resolve => (endWith = resolve));
  const exited = Promise.race([main.exited, told]).finally(() => {
    // The container ends with its first process; whatever else runs in it is killed.
    life.abort(new Killed('KILL'));
    logs.close();
  });

  return {
    id: newContainerId(),
    startedAt: context.clock.now(),
    logs,
    exited,
    outOfMemory: () => outOfMemory,
    kill: main.kill,
    end: how => (how === 'out of memory' ? context.budget.memory.onExhausted() : endWith(how)),
    exec: (argv, streams) => execIn(context, { argv, env, cwd: workingDir }, streams, life.signal),
    check: (argv, streams) => execIn(context, { argv, env, cwd: workingDir, find: image.check }, streams, life.signal),
    async attach({ stdin, stdout: out, stderr, signal, resize }) {
      const session = new AbortController();
      const end = (): void => session.abort(signal.reason ?? new Killed('HUP'));
      signal.addEventListener('abort', end, { once: true });
      const left = aborted(session.signal);
      const watch: Watcher = async (stream, data) => {
        const output = stream === 'stdout' || tty ? out : stderr;
        try {
          await untilAborted(Promise.resolve(output?.write(data)), session.signal);
        } catch {
          // The client is gone, whatever it says of it: the container goes on without.
          end();
        }
      };
      watchers.add(watch);
      if (terminal !== undefined) void followSize(terminal, resize);
      if (stdin !== undefined && (input !== undefined || terminal !== undefined))
        void feed(stdin, session.signal, async data =>
          terminal === undefined ? input?.write(data) : terminal.type(data),
        )
          .then(() => {
            if (options.stdinOnce) (terminal?.hangUp ?? input?.closeWrite)?.();
          })
          .catch(end);
      try {
        await Promise.race([exited, left]);
      } finally {
        watchers.delete(watch);
        signal.removeEventListener('abort', end);
        end();
      }
    },
  };
}

type Watcher = (stream: 'stdout' | 'stderr', data: string | Buffer) => Promise<void>;

async function followSize(terminal: Tty, sizes: SessionStreams['resize']): Promise<void> {
  for await (const { columns, rows } of sizes ?? []) terminal.resize(columns, rows);
}

/** @throws StartError */
function begin(context: ContainerContext, options: SpawnOptions): Child {
  try {
    return spawn(context, options);
  } catch (error) {
    if (error instanceof ForkError)
      throw new StartError(
        `exec ${options.args[0]?.slice(0, 80) ?? ''}: ${error.message.replace(/^[^]*: /, '').toLowerCase()}`,
      );
    // The container is out of memory already.
    if (error instanceof Killed) return { pid: 0, exited: Promise.resolve(error.exitCode), kill: () => undefined };
    throw error;
  }
}

async function scriptOrProgram(context: ContainerContext, name: string): Promise<Program | undefined> {
  const isScript = name.includes('/') && context.files.kind(name) === 'file';
  const sh = isScript ? await context.program('sh') : undefined;
  if (sh !== undefined) return process => sh({ ...process, args: ['sh', ...process.args] });
  return context.program(name);
}

interface ExecCall {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What runs where the container has `found` under the command's name; absent: that. */
  readonly find?: Image['check'];
}

async function execIn(
  context: ContainerContext,
  { argv: args, env, cwd, find }: ExecCall,
  { stdin, stdout, stderr, tty, signal, resize }: SessionStreams,
  container: AbortSignal,
): Promise<number> {
  const [name = ''] = args;
  const found = await scriptOrProgram(context, name);
  const program = find === undefined ? found : find(name, found);
  if (program === undefined) throw notFound(name, context);
  const discard: Output = { write: () => undefined };
  const session = new AbortController();
  const end = (): void => session.abort(new Killed('KILL'));
  signal.addEventListener('abort', end, { once: true });
  container.addEventListener('abort', end, { once: true });
  if (signal.aborted || container.aborted) end();
  const terminal = tty ? createTty(stdout ?? discard, name => child.kill(name)) : undefined;
  const child = begin(context, {
    args,
    program,
    env: tty ? { TERM: 'xterm', ...env } : env,
    cwd,
    stdin: terminal?.stdin ?? stdin ?? emptyInput,
    stdout: terminal?.output ?? stdout ?? discard,
    stderr: terminal?.output ?? stderr ?? discard,
    tty,
    terminal,
    parent: session.signal,
  });
  if (terminal !== undefined) void followSize(terminal, resize);
  if (terminal !== undefined && stdin !== undefined)
    void feed(stdin, session.signal, async data => terminal.type(data)).then(terminal.hangUp, terminal.hangUp);
  try {
    return await child.exited;
  } finally {
    signal.removeEventListener('abort', end);
    container.removeEventListener('abort', end);
    end();
  }
}

async function feed(
  input: Input,
  signal: AbortSignal,
  each: (data: Buffer) => Promise<void> | undefined,
): Promise<void> {
  for (let data = await input.read(signal); data !== undefined; data = await input.read(signal)) await each(data);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
