import type { Key, ListValue, MapValue, Value } from '../values.js';

/** Names of an object's properties. To list them takes long, and what an expression reads it reads again and again. */
export class NameCache {
  private readonly known = new WeakMap<JsonObject, readonly string[]>();
  of(json: JsonObject): readonly string[] {
    const known = this.known.get(json);
    if (known !== undefined) return known;
    const names = Object.keys(json);
    this.known.set(json, names);
    return names;
  }
}

/** JSON without a schema, as CEL sees it: whole numbers are ints. Nothing is copied; items are read when they are asked for. */
export const dynValue = (json: unknown): Value => valueOf(json, new NameCache());

function valueOf(json: unknown, names: NameCache): Value {
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
  return Array.isArray(json) ? new DynList(json, names) : new DynMap(json as JsonObject, names);
}

export type JsonObject = Readonly<Record<string, unknown>>;

const TWO_TO_63 = 2 ** 63;

/** An int, where it is whole and an int64 holds it. */
export const numberValue = (json: number): bigint | number =>
  Number.isInteger(json) && json >= -TWO_TO_63 && json < TWO_TO_63 ? BigInt(json) : json;

class DynList implements ListValue {
  readonly kind = 'list';
  constructor(
    private readonly json: readonly unknown[],
    private readonly names: NameCache,
  ) {}
  get size(): number {
    return this.json.length;
  }
  at(index: number): Value {
    return valueOf(this.json[index], this.names);
  }
}

/** Keys are a client's: nothing is found in a prototype. */
export const own = (json: JsonObject, key: string): unknown => (Object.hasOwn(json, key) ? json[key] : undefined);

class DynMap implements MapValue {
  readonly kind = 'map';
  constructor(
    private readonly json: JsonObject,
    private readonly names: NameCache,
  ) {}
  get size(): number {
    return this.names.of(this.json).length;
  }
  find(key: Key): Value | undefined {
    const value = typeof key === 'string' ? own(this.json, key) : undefined;
    return value === undefined ? undefined : valueOf(value, this.names);
  }
  keys(): readonly string[] {
    return this.names.of(this.json);
  }
}
