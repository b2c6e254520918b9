import { badRequestError } from '../../machinery/status.js';
import type { ObjectKey } from '../../machinery/types.js';
import { quote } from '../../machinery/go-text.js';
import type { Scope } from './scope.js';

function nameProblem(name: string): string | undefined {
  if (name === '.' || name === '..') return `may not be '${name}'`;
  const illegal = ['/', '%'].filter(char => name.includes(char)).map(char => `may not contain '${char}'`);
  return illegal.length === 0 ? undefined : illegal.join(';');
}

/**
 * What the store makes of a URL before it looks for the object.
 * @throws StatusError 400
 */
export function checkKey({ info }: Pick<Scope, 'info'>, { namespace, name }: ObjectKey): void {
  if (info.namespaced && namespace === '') throw badRequestError('Namespace parameter required.');
  if (name === '') throw badRequestError('Name parameter required.');
  const problem = nameProblem(name);
  if (problem !== undefined) throw badRequestError(`Name parameter invalid: ${quote(name)}: ${problem}`);
}
