/** A --controllers value that names nothing known. */
export class UnknownControllerError extends Error {
  override readonly name = 'UnknownControllerError';
}

/** A --controllers list, read: '*' is all, 'name' adds one, '-name' removes one. */
interface ControllerList {
  readonly star: boolean;
  readonly on: ReadonlySet<string>;
  readonly off: ReadonlySet<string>;
}

const parse = (list: readonly string[]): ControllerList => {
  const items = list.map(text => text.trim()).filter(text => text !== '');
  return {
    star: items.includes('*'),
    on: new Set(items.filter(item => item !== '*' && !item.startsWith('-'))),
    off: new Set(items.filter(item => item.startsWith('-')).map(item => item.slice(1))),
  };
};

/**
 * The controllers a --controllers list chooses, whatever its order (upstream IsControllerEnabled).
 * @throws UnknownControllerError
 */
export function selectControllers<T extends { readonly name: string; readonly aliases: readonly string[] }>(
  all: readonly T[],
  list: readonly string[],
): T[] {
  const { star, on, off } = parse(list);
  const known = new Set(all.flatMap(c => [c.name, ...c.aliases]));
  for (const name of [...on, ...off])
    if (!known.has(name))
      throw new UnknownControllerError(`${JSON.stringify(name)} is not in the list of known controllers`);
  const named = (c: T, names: ReadonlySet<string>): boolean => [c.name, ...c.aliases].some(name => names.has(name));
  return all.filter(c => named(c, on) || (star && !named(c, off)));
}
