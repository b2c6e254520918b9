import type { Type } from './types.js';

/**
 * What expressions are about. int is a bigint within int64, double a number, and the rest of what JavaScript has is itself;
 * everything else is an object with a `kind`. Values never change once they are seen.
 *
 * A failure is a value, too (`CelError`): `&&`, `||` and comprehensions may absorb it, everything else hands it on.
 * A binding is never given one.
 */
export type Value =
  | bigint
  | number
  | string
  | boolean
  | null
  | Uint
  | Bytes
  | Timestamp
  | Duration
  | TypeValue
  | ListValue
  | MapValue
  | StructValue
  | OptionalValue
  | OpaqueValue
  | CelError;

export class Uint {
  readonly kind = 'uint';
  /** Within uint64. */
  constructor(readonly value: bigint) {}
}

export class Bytes {
  readonly kind = 'bytes';
  constructor(readonly value: Uint8Array) {}
}

/** Years 1 to 9999. */
export class Timestamp {
  readonly kind = 'timestamp';
  constructor(
    /** Nanoseconds since 1970. */
    readonly nanos: bigint,
    /** Seconds east of Greenwich, where it was written: only its text tells. */
    readonly offset = 0,
  ) {}
}

export class Duration {
  readonly kind = 'duration';
  /** Within int64, as Go's. */
  constructor(readonly nanos: bigint) {}
}

export class TypeValue {
  readonly kind = 'type';
  constructor(readonly type: Type) {}
}

export interface ListValue {
  readonly kind: 'list';
  readonly size: number;
  /** A comparison with what is no list fails, where others are different from it. */
  readonly isStrict?: boolean;
  /** Of an index that is there. */
  at(index: number): Value;
  /** Where it is not equal to a list of the same items in the same order: pairs that must be equal; false: it is not. */
  equals?(other: ListValue): Iterator<readonly [Value, Value]> | false;
  /** What `+` makes of it where that is not the one and then the other. */
  concat?(other: ListValue): ListValue | CelError;
}

/** A string, number (numbers that are equal are one key: whole ones are bigints), bool or null. */
export type Key = string | bigint | boolean | number | null;

export interface MapValue {
  readonly kind: 'map';
  readonly size: number;
  /** A comparison with what is no map fails, where others are different from it. */
  readonly isStrict?: boolean;
  find(key: Key): Value | undefined;
  /** Where it is not equal to a map of the same entries: pairs that must be equal; false: it is not. */
  equals?(other: MapValue): Iterator<readonly [Value, Value]> | false;
  /** As they were written: a uint stays one. */
  keys(): Iterable<Value>;
}

/** Something with fields that are declared. */
export interface StructValue {
  readonly kind: 'struct';
  readonly type: Type;
  /** undefined: not set, or no such field. */
  field(name: string): Value | undefined;
  /** Of those that are set, for comparison; absent: compared by identity. */
  fields?(): Iterable<string>;
}

export class OptionalValue {
  readonly kind = 'optional';
  /** undefined: there is none. */
  constructor(readonly value: Value | undefined) {}
}

/** What a library brings along. */
export interface OpaqueValue {
  readonly kind: 'opaque';
  readonly type: Type;
  /** Never asked about another type. Absent: a comparison fails. */
  equals?(other: OpaqueValue): boolean;
  /** Nothing can be asked whether it is equal to this one: upstream holds it by a pointer, and forgets to look there. */
  readonly isIncomparable?: boolean;
  /** What costs count it as (cel-go's Sizer); absent: 1. `size()` does not know of it. */
  readonly size?: number;
}

export class CelError {
  readonly kind = 'error';
  constructor(readonly message: string) {}
}

export const NO_OPTIONAL = new OptionalValue(undefined);
export const noSuchOverload = (): CelError => new CelError('no such overload');

export const isError = (value: Value): value is CelError => value instanceof CelError;

export class ArrayList implements ListValue {
  readonly kind = 'list';
  constructor(readonly items: readonly Value[]) {}
  get size(): number {
    return this.items.length;
  }
  at(index: number): Value {
    return this.items[index] as Value;
  }
}

/** The items of any list; of a long one by `at`, to be able to stop. */
export function itemsOf(list: ListValue): readonly Value[] {
  return list instanceof ArrayList ? list.items : Array.from({ length: list.size }, (_, i) => list.at(i));
}

/** What a value is looked up by; undefined: it is no key. */
export function keyOf(value: Value): Key | undefined {
  switch (typeof value) {
    case 'string':
    case 'bigint':
    case 'boolean':
      return value;
    case 'number':
      return Number.isInteger(value) ? BigInt(value) : value;
    default:
      if (value === null) return null;
      return value instanceof Uint ? value.value : undefined;
  }
}

interface Entry {
  readonly key: Value;
  readonly value: Value;
}

/** A map that is filled once. */
export class EntryMap implements MapValue {
  readonly kind = 'map';
  private readonly entries = new Map<Key, Entry>();
  get size(): number {
    return this.entries.size;
  }
  find(key: Key): Value | undefined {
    return this.entries.get(key)?.value;
  }
  *keys(): Iterable<Value> {
    for (const entry of this.entries.values()) yield entry.key;
  }
  /** As add, but the last one stays. */
  put(key: Value, value: Value): boolean {
    const by = keyOf(key);
    if (by !== undefined) this.entries.set(by, { key, value });
    return by !== undefined;
  }
  remove(key: Value): void {
    const by = keyOf(key);
    if (by !== undefined) this.entries.delete(by);
  }
  /** @returns false when the value is no key, or one that is there */
  add(key: Value, value: Value): boolean {
    const by = keyOf(key);
    if (by === undefined || this.entries.has(by)) return false;
    this.entries.set(by, { key, value });
    return true;
  }
}
