import type { Clock } from '../../machinery/clock.js';
import type { NetNamespace } from '../network/types.js';
import type { Resolver } from '../network/resolver.js';
import type { Credentials } from './credentials.js';
import type { FileSystem } from './file-system.js';
import type { Input, Output } from './io.js';

export type SignalName = 'TERM' | 'KILL' | 'INT' | 'HUP' | 'QUIT' | 'USR1' | 'USR2' | 'PIPE';

export const SIGNAL_NUMBERS: Readonly<Record<SignalName, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  TERM: 15,
};

/** Why a process's signal aborted. Its exit status is 128 + the signal's number. */
export class Killed extends Error {
  override readonly name = 'Killed';

  constructor(readonly by: SignalName) {
    super(`killed by SIG${by}`);
  }
  get exitCode(): number {
    return 128 + SIGNAL_NUMBERS[this.by];
  }
}

/** What a container's processes may do. */
export interface ContainerSecurity {
  readonly credentials: Credentials;
  /** Has every capability: may change the network of its namespace. */
  readonly privileged: boolean;
  /** A set-user-ID program does not change who it runs as (prctl(2) PR_SET_NO_NEW_PRIVS). */
  readonly noNewPrivileges: boolean;
  /** Of the Pod, by dotted name. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** What the processes of one container share. */
export interface ContainerContext {
  readonly pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly nodeName: string;
    readonly ip: string;
  };
  readonly containerName: string;
  readonly image: string;
  /** What uname -n says. */
  readonly hostname: string;
  /** containerPorts of the spec. */
  readonly ports: readonly { readonly containerPort: number; readonly protocol: 'TCP' | 'UDP' | 'SCTP' }[];
  readonly network: NetNamespace;
  readonly resolver: Resolver;
  readonly security: ContainerSecurity;
  readonly files: FileSystem;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Programs of the image and of the common userland, by name; undefined: there is none of that name. */
  program(name: string): Promise<Program | undefined>;
  readonly processes: ProcessTable;
}

/** One running program. */
export interface Process {
  /** args[0] is the name it was called by. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly tty: boolean;
  readonly pid: number;
  /** Aborts with Killed when the process must end; every wait takes it. */
  readonly signal: AbortSignal;
  /** Catches a signal that would otherwise end the process. Returns the remover. */
  trap(name: SignalName, handler: () => void): () => void;
  readonly container: ContainerContext;
}

/** Resolves with the exit status. Rejects with Killed when its signal aborts. */
export type Program = (process: Process) => Promise<number>;

export interface ProcessEntry {
  readonly pid: number;
  readonly args: readonly string[];
  /** Delivers a signal: to the trap when there is one, else the process ends. */
  kill(name: SignalName): void;
}

export interface ProcessTable {
  add(entry: Omit<ProcessEntry, 'pid'>): number;
  remove(pid: number): void;
  get(pid: number): ProcessEntry | undefined;
  list(): readonly ProcessEntry[];
}

export function createProcessTable(): ProcessTable {
  const entries = new Map<number, ProcessEntry>();
  let next = 1;
  return {
    add(entry) {
      const pid = next++;
      entries.set(pid, { ...entry, pid });
      return pid;
    },
    remove: pid => void entries.delete(pid),
    get: pid => entries.get(pid),
    list: () => [...entries.values()],
  };
}
