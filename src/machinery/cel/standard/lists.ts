import {
  ArrayList,
  CelError,
  EntryMap,
  keyOf,
  type Key,
  type ListValue,
  type MapValue,
  type Value,
} from '../values.js';

/** One list and then another. Nothing is copied: lists are put together in one step, however long they are. */
class ConcatList implements ListValue {
  readonly kind = 'list';
  readonly size: number;
  constructor(
    private readonly first: ListValue,
    private readonly second: ListValue,
  ) {
    this.size = first.size + second.size;
  }
  at(index: number): Value {
    return index < this.first.size ? this.first.at(index) : this.second.at(index - this.first.size);
  }
}

export function concatenate(a: ListValue, b: ListValue): Value {
  if (a.concat !== undefined) return a.concat(b);
  if (a.size === 0) return b;
  return b.size === 0 ? a : new ConcatList(a, b);
}

/** What a loop has accumulated so far. It grows at its end only, so that what was seen of it does not change. */
export class ListBuilder {
  private readonly items: Value[] = [];
  add(item: Value): void {
    this.items.push(item);
  }
  /** As it is now. */
  view(): Value {
    return new ListView(this.items, this.items.length);
  }
  /** When nothing is added any more. */
  finish(): Value {
    return new ArrayList(this.items);
  }
}

class ListView implements ListValue {
  readonly kind = 'list';
  constructor(
    private readonly items: readonly Value[],
    readonly size: number,
  ) {}
  at(index: number): Value {
    return this.items[index] as Value;
  }
}

/** The same of a map. */
export class MapBuilder {
  private readonly entries = new EntryMap();
  private readonly order: Value[] = [];
  private readonly places = new Map<Key, number>();

  add(key: Value, value: Value): CelError | undefined {
    const by = keyOf(key);
    if (by === undefined || !this.entries.add(key, value))
      return new CelError(`insert failed: key ${by === undefined ? '' : String(by)} already exists`);
    this.places.set(by, this.order.length);
    this.order.push(key);
    return undefined;
  }
  view(): Value {
    return new MapView(this.entries, this.order, this.places, this.order.length);
  }
  finish(): Value {
    return this.entries;
  }
}

class MapView implements MapValue {
  readonly kind = 'map';
  constructor(
    private readonly entries: EntryMap,
    private readonly order: readonly Value[],
    private readonly places: ReadonlyMap<Key, number>,
    readonly size: number,
  ) {}
  find(key: Key): Value | undefined {
    return (this.places.get(key) ?? Infinity) < this.size ? this.entries.find(key) : undefined;
  }
  *keys(): Iterable<Value> {
    for (let i = 0; i < this.size; i++) yield this.order[i] as Value;
  }
}
