import { CelError, type Key, type MapValue, type Value } from '../values.js';
import { dynValue, own, type JsonObject, type NameCache } from './json.js';
import { escapeName } from './names.js';

/** Reads JSON of one schema. */
export type Reader = (json: unknown) => Value;

/** A property: what it is called in JSON, and how it is read. */
export interface Property {
  readonly name: string;
  readonly read: Reader;
}

/** The properties of a schema. */
export interface ObjectShape {
  readonly names: NameCache;
  /** By how expressions write them. */
  readonly byField: ReadonlyMap<string, Property>;
  readonly byName: ReadonlyMap<string, Property>;
}

/** An object with properties. Of a nullable one that is null there is nothing. */
export class TypedObject implements MapValue {
  readonly kind = 'map';
  readonly isStrict = true;
  constructor(
    readonly json: JsonObject,
    private readonly shape: ObjectShape,
  ) {}
  get size(): number {
    return this.shape.names.of(this.json).length;
  }
  find(key: Key): Value | undefined {
    if (typeof key !== 'string') return new CelError('no such overload');
    const property = this.shape.byField.get(key);
    return property === undefined ? undefined : this.read(property);
  }
  private read({ name, read }: Property): Value | undefined {
    const json = own(this.json, name);
    return json === undefined || json === null ? undefined : read(json);
  }
  *keys(): Iterable<Value> {
    for (const name of this.shape.names.of(this.json)) if (this.shape.byName.has(name)) yield escapeName(name) ?? name;
  }
  /** Fields that no schema knows are compared as they are, where the other one has them. */
  *equals(other: MapValue): Generator<readonly [Value, Value]> {
    for (const name of this.shape.names.of(this.json)) {
      const property = this.shape.byName.get(name);
      if (property === undefined) {
        const theirs = other instanceof TypedObject ? own(other.json, name) : undefined;
        if (theirs !== undefined) yield [dynValue(this.json[name]), dynValue(theirs)];
        continue;
      }
      const mine = this.read(property);
      const theirs = other instanceof TypedObject ? other.read(property) : other.find(escapeName(name) ?? name);
      if (mine === undefined && theirs === undefined) continue;
      yield mine === undefined || theirs === undefined ? [true, false] : [mine, theirs];
    }
  }
}

/** An object whose properties are all read alike. */
export class TypedMap implements MapValue {
  readonly kind = 'map';
  readonly isStrict = true;
  constructor(
    readonly json: JsonObject,
    private readonly read: Reader,
    private readonly names: NameCache,
  ) {}
  get size(): number {
    return this.names.of(this.json).length;
  }
  find(key: Key): Value | undefined {
    if (typeof key !== 'string') return new CelError('no such overload');
    const json = own(this.json, key);
    return json === undefined ? undefined : this.read(json);
  }
  keys(): readonly string[] {
    return this.names.of(this.json);
  }
}
