import type { Key, ListValue, MapValue, Value } from '../values.js';

/** JSON without a schema, as CEL sees it: whole numbers are ints. Nothing is copied; items are read when they are asked for. */
export function dynValue(json: unknown): Value {
  switch (typeof json) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return json;
    case 'number':
      return numberValue(json);
    default:
  }
  if (json === null || json === undefined || typeof json !== 'object') return null;
  return Array.isArray(json) ? new DynList(json) : new DynMap(json as JsonObject);
}

export type JsonObject = Readonly<Record<string, unknown>>;

const TWO_TO_63 = 2 ** 63;

/** An int, where it is whole and an int64 holds it. */
export const numberValue = (json: number): bigint | number =>
  Number.isInteger(json) && json >= -TWO_TO_63 && json < TWO_TO_63 ? BigInt(json) : json;

class DynList implements ListValue {
  readonly kind = 'list';
  constructor(private readonly json: readonly unknown[]) {}
  get size(): number {
    return this.json.length;
  }
  at(index: number): Value {
    return dynValue(this.json[index]);
  }
}

/** Of a map, keys are a client's: it has no prototype to find anything in. */
export const own = (json: JsonObject, key: string): unknown => (Object.hasOwn(json, key) ? json[key] : undefined);

class DynMap implements MapValue {
  readonly kind = 'map';
  private names: readonly string[] | undefined;
  constructor(private readonly json: JsonObject) {}
  private get keyNames(): readonly string[] {
    return (this.names ??= Object.keys(this.json));
  }
  get size(): number {
    return this.keyNames.length;
  }
  find(key: Key): Value | undefined {
    const value = typeof key === 'string' ? own(this.json, key) : undefined;
    return value === undefined ? undefined : dynValue(value);
  }
  keys(): readonly string[] {
    return this.keyNames;
  }
}
