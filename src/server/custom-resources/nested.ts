import { reasonlessError } from '../../machinery/status.js';
import { formatGo, goTypeName } from '../../machinery/go-text.js';

/** The names of a path such as ".spec.replicas". */
export const splitPath = (path: string): readonly string[] => path.replace(/^\./, '').split('.');

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Nested<T> = { readonly value: T | undefined } | { readonly problem: string };

/** unstructured.NestedFieldNoCopy, with its words (apimachinery pkg/apis/meta/v1/unstructured/helpers.go). */
function nested(object: object, path: readonly string[]): Nested<unknown> {
  let value: unknown = object;
  for (const [i, name] of path.entries()) {
    if (value === null) return { value: undefined };
    const before = `.${path.slice(0, i + 1).join('.')}`;
    if (!isMap(value))
      return {
        problem: `${before} accessor error: ${formatGo(value)} is of the type ${goTypeName(value)}, expected map[string]interface{}`,
      };
    if (!Object.hasOwn(value, name)) return { value: undefined };
    value = value[name];
  }
  return { value };
}

function ofType<T>(object: object, path: readonly string[], is: (v: unknown) => v is T, type: string): Nested<T> {
  const found = nested(object, path);
  if ('problem' in found || found.value === undefined) return found as Nested<T>;
  if (is(found.value)) return { value: found.value };
  const shown = `${formatGo(found.value)} is of the type ${goTypeName(found.value)}, expected ${type}`;
  return { problem: `.${path.join('.')} accessor error: ${shown}` };
}

export const nestedInteger = (object: object, path: readonly string[]): Nested<number> =>
  ofType(object, path, (v): v is number => typeof v === 'number' && Number.isInteger(v), 'int64');

export const nestedString = (object: object, path: readonly string[]): Nested<string> =>
  ofType(object, path, (v): v is string => typeof v === 'string', 'string');

/** Mutates. @throws StatusError 500 when something on the way is no map */
export function setNested(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at: Record<string, unknown> = object;
  for (const [i, name] of path.slice(0, -1).entries()) {
    const next = Object.hasOwn(at, name) ? at[name] : (at[name] = {});
    if (!isMap(next)) {
      const before = `.${path.slice(0, i + 1).join('.')}`;
      throw reasonlessError(`value cannot be set because ${before} is not a map[string]interface{}`);
    }
    at = next;
  }
  at[path.at(-1) ?? ''] = value;
}
