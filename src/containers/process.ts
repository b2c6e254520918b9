import type { Clock } from '../machinery/clock.js';
import type { NetNamespace } from './network/types.js';
import type { Resolver } from './network/resolver.js';
import type { Credentials } from './credentials.js';
import type { FileSystem } from './file-system.js';
import type { Input, Output } from './io.js';
import type { Budget } from './machine/machine.js';
import type { Account } from './machine/memory.js';
import type { ProcessTable } from './process-table.js';
import type { SignalName } from './signals.js';
import type { Terminal } from './terminal.js';

export { Killed, SIGNAL_NUMBERS, type SignalName } from './signals.js';
export { createProcessTable, type ProcessEntry, type ProcessTable } from './process-table.js';

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
  readonly program: (name: string) => Promise<Program | undefined>;
  /** Names of all programs that it finds, sorted. */
  readonly programNames: () => readonly string[];
  readonly processes: ProcessTable;
  readonly budget: Budget;
  /** Tells users, once, of something that is not simulated: an Event of the Pod. */
  readonly tell?: (message: string) => void;
  /** Aborts when the container ends, and with it all that runs in it. Set when it is started. */
  readonly life?: AbortSignal;
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
  /** The terminal behind `tty`, where there is one. */
  readonly terminal?: Terminal | undefined;
  readonly pid: number;
  /** Bits that what it makes does not get; its children have it too. */
  readonly umask: number;
  /** Aborts with Killed when the process must end; every wait takes it. */
  readonly signal: AbortSignal;
  /** Catches a signal that would otherwise end the process. Returns the remover. */
  trap(name: SignalName, handler: () => void): () => void;
  /**
   * To be called, and awaited when it gives a promise, in every loop that neither reads nor writes: it lets others have
   * their turn. @throws Killed
   */
  readonly turn: (work?: number) => Promise<void> | undefined;
  /** What it holds beside its own weight. @throws Killed when that is too much */
  readonly memory: Account;
  readonly container: ContainerContext;
}

/** Resolves with the exit status. Rejects with Killed when its signal aborts. */
export type Program = (process: Process) => Promise<number>;
