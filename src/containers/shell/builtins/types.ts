import type { Shell, Streams } from '../state.js';

/** What builtins ask of the interpreter, which opens the table of them. */
export interface Interpreter {
  /** Parses and runs text in the shell. */
  readonly runText: (shell: Shell, text: string, streams: Streams) => Promise<number>;
  readonly isBuiltin: (name: string) => boolean;
}

/** A command that works on the shell itself. */
export type Builtin = (
  shell: Shell,
  args: readonly string[],
  streams: Streams,
  interpreter: Interpreter,
) => Promise<number>;

/** By the names of their commands. */
export type Builtins = Readonly<Record<string, Builtin>>;
