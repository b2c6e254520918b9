import { CelError, itemsOf, keyOf, type ListValue, type Value } from '../values.js';
import type { JsonSchema } from './declared.js';
import { own } from './json.js';
import { escapeName } from './names.js';
import { TypedObject, type Reader } from './typed-objects.js';

/** What makes lists of one schema; `read` reads their items. */
export function listMaker(schema: JsonSchema, read: Reader): (json: readonly unknown[]) => Value {
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
  readonly isStrict = true;
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
  readonly isStrict = true;
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
