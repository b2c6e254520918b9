import type { Child } from '../spawn.js';
import type { Input, Output } from '../io.js';
import type { Process, SignalName } from '../process.js';
import type { Command } from './ast.js';

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

export interface Streams {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
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
  readonly variables: Map<string, string>;
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
  /** Commands run since the event loop last had its turn. */
  sinceYield: number;
  /** Programs the shell waits for: they get the terminal's interrupt. */
  readonly foreground: Set<Child>;
  /** Ends a `wait` early. */
  wake: () => void;
}

export function createShell(process: Process, name: string, positional: readonly string[]): Shell {
  return {
    process,
    variables: new Map([...Object.entries(process.env), ['PWD', process.cwd]]),
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
    sinceYield: 0,
    foreground: new Set(),
    wake: () => undefined,
  };
}

/** A copy: what a subshell changes stays in it. Traps are reset, as POSIX asks. */
export function forkShell(shell: Shell, process: Process = shell.process): Shell {
  return {
    ...shell,
    process,
    variables: new Map(shell.variables),
    exported: new Set(shell.exported),
    functions: new Map(shell.functions),
    options: { ...shell.options },
    traps: new Map(),
    caught: [],
    jobs: new Map(),
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
