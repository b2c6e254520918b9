import { assignVariable } from './assign.js';
import { FunctionReturn, type Shell } from './state.js';

/** Runs a function's body: its arguments, and what it declares its own, end with it. */
export async function inFunction(shell: Shell, args: readonly string[], body: () => Promise<number>): Promise<number> {
  const { positional, locals, loops } = shell;
  shell.positional = args;
  shell.locals = new Map();
  shell.loops = 0;
  try {
    return await body();
  } catch (error) {
    if (error instanceof FunctionReturn) return error.status;
    throw error;
  } finally {
    restore(shell, shell.locals);
    shell.positional = positional;
    shell.locals = locals;
    shell.loops = loops;
  }
}

/** Runs what assignments stand before. @param stay whether they outlive it. @throws ExpansionError */
export async function withAssignments(
  shell: Shell,
  assigned: ReadonlyMap<string, string>,
  stay: boolean,
  command: () => Promise<number>,
): Promise<number> {
  const before = new Map<string, string | undefined>();
  for (const [name, value] of assigned) {
    before.set(name, shell.variables.get(name));
    assignVariable(shell, name, value);
  }
  try {
    return await command();
  } finally {
    if (!stay) restore(shell, before);
  }
}

function restore(shell: Shell, values: ReadonlyMap<string, string | undefined>): void {
  for (const [name, value] of values)
    if (value === undefined) shell.variables.delete(name);
    else shell.variables.set(name, value);
}
