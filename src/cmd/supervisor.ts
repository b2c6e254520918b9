import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBackoff } from '../machinery/backoff.js';
import type { Clock } from '../machinery/clock.js';

export interface ProcessSpec {
  /** As shown on the terminal, e.g. "node-agent node-1". */
  readonly name: string;
  /** Another program than this one; it is ended when this process is gone, however it went. */
  readonly program?: string;
  /** Arguments of the program, else of the kubette command. */
  readonly args: readonly string[];
  /** Further ones of the first start only: what was asked for once is not asked again when the process dies. */
  readonly firstArgs?: readonly string[];
  /** Whether lines of its standard output are for the terminal. */
  readonly speaks?: boolean;
}

export interface SupervisorOptions {
  readonly clock: Clock;
  /** Lines for the terminal. */
  readonly say: (line: string) => void;
  /** A line that a process has said of itself, for its log. */
  readonly onLine: (name: string, line: string) => void;
  /** A process was started or has ended. */
  readonly onChange: () => void;
  /** A process ended before it was ever ready: nothing can be expected from starting it again. */
  readonly onFailedStart: (name: string, lastLine: string) => void;
}

/** Runs child processes, starts those that die again, and stops them all. */
export interface Supervisor {
  start(spec: ProcessSpec): void;
  /** From now on a death is an accident, and the process is started again. */
  markReady(name: string): void;
  /** Ends one for good, as `stop` does. */
  end(name: string, graceMs: number): Promise<void>;
  /** SIGTERM to all, SIGKILL to those still there after `graceMs`. Resolves when none is left. */
  stop(graceMs: number): Promise<void>;
  pids(): ReadonlyMap<string, number>;
}

/**
 * A program that knows nothing of us: a shell ends it when its own standard input ends, as it does when we are gone. It is
 * handed on as another descriptor, since a shell gives /dev/null to what runs beside it.
 */
const LEASH = `exec 3<&0
"$@" </dev/null 3<&- & program=$!
trap 'kill $program' TERM INT
(cat <&3 >/dev/null; kill $program) & leash=$!
wait $program; code=$?
kill -0 $program 2>/dev/null && { wait $program; code=$?; }
kill $leash 2>/dev/null
exit $code`;

const ENTRY = fileURLToPath(new URL('./kubette.js', import.meta.url));

interface Running {
  readonly spec: ProcessSpec;
  child?: ChildProcess;
  ready: boolean;
  lastLine: string;
}

export function createSupervisor({ clock, say, onLine, onChange, onFailedStart }: SupervisorOptions): Supervisor {
  const processes = new Map<string, Running>();
  let stopping = false;

  const forward = (running: Running, child: ChildProcess): void => {
    child.stderr?.setEncoding('utf8');
    let rest = '';
    child.stderr?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(text => text.trim() !== '')) {
        onLine(running.spec.name, line);
        // What the process says of itself tells more than the end of a stack.
        if (line.startsWith('kubette ') || !running.lastLine.startsWith('kubette ')) running.lastLine = line;
        // What was asked for once is answered once, at the start.
        if (running.ready || running.spec.firstArgs !== undefined) process.stderr.write(`${line}\n`);
      }
    });
  };

  const launch = (running: Running, backoff: ReturnType<typeof createBackoff>): void => {
    const { spec } = running;
    // The IPC channel is the leash: a child sees it close when this process is gone, however it went, and stops.
    const args = running.ready ? spec.args : [...spec.args, ...(spec.firstArgs ?? [])];
    const child =
      spec.program === undefined
        ? spawn(process.execPath, [ENTRY, ...args], {
            stdio: ['ignore', spec.speaks === true ? 'pipe' : 'ignore', 'pipe', 'ipc'],
            // One malloc arena: with several, each thread of each process keeps a few MB of its own.
            env: { MALLOC_ARENA_MAX: '1', ...process.env },
          })
        : spawn('sh', ['-c', LEASH, 'sh', spec.program, ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
    running.child = child;
    onChange();
    const started = clock.monotonic();
    forward(running, child);
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', say);
    child.once('exit', (code, signal) => {
      delete running.child;
      onChange();
      // Also one that was ended, and whose place another of that name may have now.
      if (stopping || processes.get(spec.name) !== running) return;
      const how = signal === null ? `exited with ${code ?? 0}` : `was ended by ${signal}`;
      if (!running.ready)
        return onFailedStart(spec.name, running.lastLine === '' ? `${spec.name} ${how}` : running.lastLine);
      if (clock.monotonic() - started > 10_000) backoff.reset();
      const delay = backoff.next();
      say(`${spec.name} ${how}; starting it again in ${Math.round(delay)} ms`);
      clock.after(delay, () => {
        if (!stopping && processes.get(spec.name) === running) launch(running, backoff);
      });
    });
  };

  const endAll = async (ending: readonly Running[], graceMs: number): Promise<void> => {
    const alive = ending.flatMap(({ child }) => (child === undefined || child.exitCode !== null ? [] : [child]));
    const gone = Promise.all(alive.map(child => new Promise<void>(resolve => child.once('exit', () => resolve()))));
    for (const child of alive) child.kill('SIGTERM');
    const cancel = clock.after(graceMs, () => alive.forEach(child => child.kill('SIGKILL')));
    await gone;
    cancel();
  };

  return {
    start(spec) {
      const running: Running = { spec, ready: false, lastLine: '' };
      processes.set(spec.name, running);
      launch(running, createBackoff({ initialMs: 100, factor: 2, maxMs: 10_000 }));
    },
    markReady(name) {
      const running = processes.get(name);
      if (running !== undefined) running.ready = true;
    },
    async end(name, graceMs) {
      const running = processes.get(name);
      processes.delete(name);
      if (running !== undefined) await endAll([running], graceMs);
    },
    async stop(graceMs) {
      stopping = true;
      await endAll([...processes.values()], graceMs);
    },
    pids: () =>
      new Map(
        [...processes].flatMap(([name, { child }]) => (child?.pid === undefined ? [] : [[name, child.pid] as const])),
      ),
  };
}
