import type { Child } from '../spawn.js';
import type { Input, Output } from '../io.js';
import type { Process, SignalName } from '../process.js';
import type { Command } from './ast.js';
import { Variables } from './variables.js';

/** Ends the (sub)shell with a status. */
export class ShellExit extends Error {
  override readonly name = 'ShellExit';
  constructor(readonly status: number) {
    super(`exit ${status}`);
  }
}

/** Unwinds to the enclosing loop. */
export class LoopControl extends Error {
  override readonly name = 'LoopControl';
  constructor(
    readonly kind: 'break' | 'continue',
    /** Loops still to leave, this one included. */
    public depth: number,
  ) {
    super(kind);
  }
}

/** Unwinds to the call of the function. */
export class FunctionReturn extends Error {
  override readonly name = 'FunctionReturn';
  constructor(readonly status: number) {
    super('return');
  }
}

/** The open files of a command. `exec` with redirections changes them in place, for the commands that follow. */
export interface Streams {
  stdin: Input;
  stdout: Output;
  stderr: Output;
  /** Beyond the first three. */
  others?: ReadonlyMap<number, Input | Output>;
}

export interface ShellOptions {
  errexit: boolean;
  nounset: boolean;
  xtrace: boolean;
  pipefail: boolean;
}

/** One (sub)shell environment, POSIX XCU 2.12. */
export interface Shell {
  readonly process: Process;
  readonly variables: Variables;
  readonly readonly: Set<string>;
  readonly exported: Set<string>;
  readonly functions: Map<string, Command>;
  readonly options: ShellOptions;
  readonly traps: Map<SignalName | 'EXIT', string>;
  /** Signals caught and not yet acted on. */
  readonly caught: SignalName[];
  readonly jobs: Map<number, Child>;
  positional: readonly string[];
  /** $0 */
  name: string;
  cwd: string;
  status: number;
  lastBackground: number | undefined;
  /** Set in a loop, so that `break` outside one is refused. */
  loops: number;
  /** Functions, groups and substitutions it is in: a stack that grows without end is a fault. */
  depth: number;
  umask: number;
  /** Programs the shell waits for: they get the terminal's interrupt. */
  readonly foreground: Set<Child>;
  /** Aborts when an interactive command line is interrupted; the shell itself lives on. */
  interrupted: AbortSignal | undefined;
  /** Names a function has declared its own, with what they were before. */
  locals: Map<string, string | undefined> | undefined;
  /** Ends a `wait` early. */
  wake: () => void;
}

export function createShell(process: Process, name: string, positional: readonly string[]): Shell {
  return {
    process,
    variables: new Variables([...Object.entries(process.env), ['PWD', process.cwd]], process.memory),
    readonly: new Set(),
    exported: new Set(Object.keys(process.env)),
    functions: new Map(),
    options: { errexit: false, nounset: false, xtrace: false, pipefail: false },
    traps: new Map(),
    caught: [],
    jobs: new Map(),
    positional,
    name,
    cwd: process.cwd,
    status: 0,
    lastBackground: undefined,
    loops: 0,
    depth: 0,
    umask: process.umask,
    foreground: new Set(),
    interrupted: undefined,
    locals: undefined,
    wake: () => undefined,
  };
}

/** A copy: what a subshell changes stays in it. Traps are reset, as POSIX asks. */
export function forkShell(shell: Shell, process: Process = shell.process): Shell {
  return {
    ...shell,
    process,
    variables: new Variables(shell.variables, process.memory),
    readonly: new Set(shell.readonly),
    exported: new Set(shell.exported),
    functions: new Map(shell.functions),
    options: { ...shell.options },
    traps: new Map(),
    caught: [],
    jobs: new Map(),
    foreground: process === shell.process ? shell.foreground : new Set(),
    interrupted: process === shell.process ? shell.interrupted : undefined,
    wake: () => undefined,
  };
}

/** The environment that programs started by the shell get. */
export function environmentOf(shell: Shell, extra: ReadonlyMap<string, string> = new Map()): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of shell.exported) {
    const value = shell.variables.get(name);
    if (value !== undefined) env[name] = value;
  }
  for (const [name, value] of extra) env[name] = value;
  return env;
}
