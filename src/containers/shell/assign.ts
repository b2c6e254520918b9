import { ExpansionError } from './expand.js';
import type { Shell } from './state.js';

/** @throws ExpansionError */
export function assignVariable(shell: Shell, name: string, value: string): void {
  if (shell.readonly.has(name)) throw new ExpansionError(`${name}: is read only`);
  shell.variables.set(name, value);
}
