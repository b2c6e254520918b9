import type { ControllerDefinition } from './controller.js';

/** A --controllers value that names nothing known. */
export class UnknownControllerError extends Error {
  override readonly name = 'UnknownControllerError';
}

/**
 * The controllers a --controllers list chooses: '*' is all, 'name' adds one, '-name' removes one, whatever the order
 * (upstream genericcontrollermanager.IsControllerEnabled).
 * @throws UnknownControllerError
 */
export function selectControllers(
  all: readonly ControllerDefinition[],
  list: readonly string[],
): ControllerDefinition[] {
  const byName = new Map(all.flatMap(c => [c.name, ...c.aliases].map(name => [name, c] as const)));
  const on = new Set<ControllerDefinition>();
  const off = new Set<ControllerDefinition>();
  let star = false;
  for (const item of list.map(text => text.trim()).filter(text => text !== '')) {
    if (item === '*') {
      star = true;
      continue;
    }
    const name = item.replace(/^-/, '');
    const controller = byName.get(name);
    if (controller === undefined)
      throw new UnknownControllerError(`${JSON.stringify(name)} is not in the list of known controllers`);
    (item.startsWith('-') ? off : on).add(controller);
  }
  return all.filter(c => on.has(c) || (star && !off.has(c)));
}
