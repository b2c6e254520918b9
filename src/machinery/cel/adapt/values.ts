import { goTypeName } from '../../go-text.js';
import { CelError, itemsOf, keyOf, type Key, type ListValue, type MapValue, type Value } from '../values.js';
import { TYPED_FORMATS, withMetadata, type JsonSchema } from './declared.js';
import { readFormat, type Format } from './formats.js';
import { dynValue, NameCache, numberValue, own, type JsonObject } from './json.js';
import { escapeName } from './names.js';

/** Reads JSON of one schema. */
export type Reader = (json: unknown) => Value;

/** Made once per schema; of properties when one of them is first read. */
export function createReader(schema: JsonSchema): Reader {
  const read = typedReader(schema);
  if (schema.nullable === true) return json => (json === null ? null : read(json));
  return json => (json === null ? new CelError('invalid data, got null for schema with nullable=false') : read(json));
}

const wrong = (expected: string): CelError => new CelError(`invalid data, expected ${expected}`);
const wrongType = (expected: string, json: unknown): CelError => wrong(`${expected}, got ${goTypeName(json)}`);

function typedReader(schema: JsonSchema): Reader {
  if (schema['x-kubernetes-int-or-string'] === true) return readIntOrString;
  switch (schema.type) {
    case 'object':
      return objectReader(schema);
    case 'array':
      return listReader(schema);
    case 'string':
      return textReader(schema.format);
    case 'number':
      return json => (typeof json === 'number' ? json : wrongType('float', json));
    case 'integer':
      return json => {
        const value = typeof json === 'number' ? numberValue(json) : json;
        return typeof value === 'bigint' ? value : wrongType('int', json);
      };
    case 'boolean':
      return json => (typeof json === 'boolean' ? json : wrongType('bool', json));
    default:
      return dynValue;
  }
}

function readIntOrString(json: unknown): Value {
  const value = typeof json === 'number' ? numberValue(json) : json;
  if (typeof value === 'string' || typeof value === 'bigint') return value;
  return wrong('XIntOrString value to be either a string or integer');
}

function textReader(format: string | undefined): Reader {
  if (format === undefined || !TYPED_FORMATS.has(format))
    return json => (typeof json === 'string' ? json : wrongType('string', json));
  return json => (typeof json === 'string' ? readFormat(format as Format, json) : wrongType('string', json));
}

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/** A property: what it is called in JSON, and how it is read. */
interface Property {
  readonly name: string;
  readonly read: Reader;
}

function objectReader(given: JsonSchema): Reader {
  const schema = given['x-kubernetes-embedded-resource'] === true ? withMetadata(given) : given;
  const { additionalProperties: more, properties } = schema;
  let shape: ObjectShape | undefined;
  if (properties === undefined && typeof more === 'object') {
    const read = lazyReader(more);
    const names = new NameCache();
    return json =>
      isObject(json) ? new TypedMap(json, read, names) : wrong('a map for the provided schema with type=object');
  }
  return json =>
    isObject(json)
      ? new TypedObject(json, (shape ??= shapeOf(properties ?? {})))
      : wrong('a map for the provided schema with type=object');
}

function lazyReader(schema: JsonSchema): Reader {
  let read: Reader | undefined;
  return json => (read ??= createReader(schema))(json);
}

interface ObjectShape {
  readonly names: NameCache;
  /** By how expressions write them. */
  readonly byField: ReadonlyMap<string, Property>;
  readonly byName: ReadonlyMap<string, Property>;
}

function shapeOf(properties: Readonly<Record<string, JsonSchema>>): ObjectShape {
  const byField = new Map<string, Property>();
  const byName = new Map<string, Property>();
  for (const [name, schema] of Object.entries(properties)) {
    const property = { name, read: lazyReader(schema) };
    byName.set(name, property);
    const field = escapeName(name);
    if (field === undefined) continue;
    byField.set(field, property);
    // A reserved word may also be selected as it is.
    if (field !== name && field === `__${name}__` && !byField.has(name)) byField.set(name, property);
  }
  return { names: new NameCache(), byField, byName };
}

/** An object with properties. Of a nullable one that is null there is nothing. */
class TypedObject implements MapValue {
  readonly kind = 'map';
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

class TypedMap implements MapValue {
  readonly kind = 'map';
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

function listReader(schema: JsonSchema): Reader {
  const { items } = schema;
  if (items === undefined) return () => new CelError('invalid array type, expected Items with a non-empty Schema');
  const read = lazyReader(items);
  const make = listMaker(schema, read);
  return json =>
    Array.isArray(json) ? make(json as unknown[]) : wrong('an array for the provided schema with type=array');
}

function listMaker(schema: JsonSchema, read: Reader): (json: readonly unknown[]) => Value {
  const type = schema['x-kubernetes-list-type'];
  switch (type) {
    case undefined:
    case '':
    case 'atomic':
      return json => new TypedList(json, read);
    case 'set':
      return remembering(json => new SetList(json, read));
    case 'map': {
      const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map(key => escapeName(key) ?? key);
      return remembering(json => new MapList(json, read, keys));
    }
    default: {
      const text = `invalid x-kubernetes-list-type, expected 'map', 'set' or 'atomic' but got ${type}`;
      return () => new CelError(text);
    }
  }
}

/** What a list has worked out serves whenever it is read again. */
function remembering(make: (json: readonly unknown[]) => ListValue): (json: readonly unknown[]) => ListValue {
  const known = new WeakMap<readonly unknown[], ListValue>();
  return json => {
    const before = known.get(json);
    if (before !== undefined) return before;
    const made = make(json);
    known.set(json, made);
    return made;
  };
}

class TypedList implements ListValue {
  readonly kind = 'list';
  constructor(
    protected readonly json: readonly unknown[],
    protected readonly read: Reader,
  ) {}
  get size(): number {
    return this.json.length;
  }
  at(index: number): Value {
    return this.read(this.json[index]);
  }
}

/** Made when it is looked at: to put lists together costs little, so that it must not take long. */
class LazyList implements ListValue {
  readonly kind = 'list';
  private made: readonly Value[] | undefined;
  constructor(private readonly make: () => readonly Value[]) {}
  private get items(): readonly Value[] {
    return (this.made ??= this.make());
  }
  get size(): number {
    return this.items.length;
  }
  at(index: number): Value {
    return this.items[index] as Value;
  }
}

/** Its order does not matter. */
class SetList extends TypedList {
  private known: ReadonlySet<unknown> | undefined;
  private get members(): ReadonlySet<unknown> {
    return (this.known ??= new Set(itemsOf(this).map(memberOf)));
  }
  *equals(other: ListValue): Generator<readonly [Value, Value]> {
    for (let i = 0; i < other.size; i++) yield [this.members.has(memberOf(other.at(i))), true];
  }
  /** A union. */
  concat(other: ListValue): ListValue {
    return new LazyList(() => {
      const members = new Set(this.members);
      const items = [...itemsOf(this)];
      for (const item of itemsOf(other)) {
        const member = memberOf(item);
        if (members.has(member)) continue;
        members.add(member);
        items.push(item);
      }
      return items;
    });
  }
}

/** Items of a set are scalars. */
const memberOf = (value: Value): unknown => keyOf(value) ?? value;

/** Items are known by their keys, whatever their order. */
class MapList extends TypedList {
  private known: ReadonlyMap<string, number> | undefined;
  constructor(
    json: readonly unknown[],
    read: Reader,
    private readonly keys: readonly string[],
  ) {
    super(json, read);
  }
  private keyOf(item: Value): string | undefined {
    if (!(item instanceof TypedObject)) return undefined;
    return JSON.stringify(this.keys.map(key => own(item.json, key) ?? null));
  }
  private get places(): ReadonlyMap<string, number> {
    return (this.known ??= new Map(itemsOf(this).map((item, i) => [this.keyOf(item) ?? '', i])));
  }
  *equals(other: ListValue): Generator<readonly [Value, Value]> {
    for (let i = 0; i < other.size; i++) {
      const item = other.at(i);
      const place = this.places.get(this.keyOf(item) ?? '');
      yield place === undefined ? [true, false] : [this.at(place), item];
    }
  }
  /** Those of the other list win, where there are two of one key. */
  concat(other: ListValue): ListValue {
    return new LazyList(() => {
      const places = new Map(this.places);
      const items = [...itemsOf(this)];
      for (const item of itemsOf(other)) {
        const key = this.keyOf(item) ?? '';
        const place = places.get(key);
        if (place === undefined) {
          places.set(key, items.length);
          items.push(item);
        } else items[place] = item;
      }
      return items;
    });
  }
}
