export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with other values; what is no object has no members. Any name is a name ("__proto__", too). */
export const mapMembers = (value: unknown, change: (member: unknown, name: string) => unknown): Json =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).map(([name, member]) => [name, change(member, name)]),
  );

/** These members, and extensions ("x-..."). */
export const pick = (value: Json, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).filter(([name]) => names.has(name) || name.slice(0, 2).toLowerCase() === 'x-'),
  );
