/** Reads and writes along "a.b.c" paths of resetFields and views. */
type Obj = Record<string, unknown>;

const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);

export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const step of path.split('.')) {
    if (!isObject(value)) return undefined;
    value = value[step];
  }
  return value;
}

/** Mutates `object`; undefined removes the member. Parents are made as needed, but not for a removal. */
export function setAt(object: Obj, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() as string;
  let at = object;
  for (const step of steps) {
    const next = at[step];
    if (isObject(next)) at = next;
    else if (value === undefined) return;
    else at = at[step] = {};
  }
  if (value === undefined) delete at[last];
  else at[last] = value;
}
