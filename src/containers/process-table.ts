import type { Input, Output } from './io.js';
import type { SignalName } from './signals.js';

export interface ProcessEntry {
  readonly pid: number;
  /** 0: started from outside the container. */
  readonly ppid: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly tty: boolean;
  /** Clock milliseconds. */
  readonly startedAt: number;
  /** Of the container it belongs to, where a Pod shares its process namespace. */
  readonly containerName?: string;
  readonly descriptors: Map<number, Input | Output>;
  /** Bytes. */
  readonly memory: () => number;
  readonly stopped: () => boolean;
  /** execve(2): other arguments in the same process. */
  become(args: readonly string[]): void;
  /** Delivers a signal: to the trap when there is one, else the process ends. */
  kill(name: SignalName): void;
}

export interface ProcessTable {
  add(entry: Omit<ProcessEntry, 'pid'>): ProcessEntry;
  remove(pid: number): void;
  get(pid: number): ProcessEntry | undefined;
  list(): readonly ProcessEntry[];
  /** The last process ID given out. */
  readonly last: number;
}

export function createProcessTable(): ProcessTable {
  const entries = new Map<number, ProcessEntry>();
  let last = 0;
  return {
    add(entry) {
      // What the process becomes shows in every table that it is in.
      const whole = Object.assign(Object.create(entry) as Omit<ProcessEntry, 'pid'>, { pid: ++last });
      entries.set(last, whole);
      return whole;
    },
    remove: pid => void entries.delete(pid),
    get: pid => entries.get(pid),
    list: () => [...entries.values()],
    get last() {
      return last;
    },
  };
}

/** A process that is there and does nothing: a Pod's sandbox, the node's first. */
export const idleProcess = (...args: string[]): Omit<ProcessEntry, 'pid'> => ({
  ppid: 0,
  args,
  env: {},
  cwd: '/',
  uid: 0,
  gid: 0,
  tty: false,
  startedAt: 0,
  descriptors: new Map(),
  memory: () => 0,
  stopped: () => false,
  become: () => undefined,
  kill: () => undefined,
});
