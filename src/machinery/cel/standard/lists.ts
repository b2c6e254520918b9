import { ArrayList, CelError, EntryMap, keyOf, type ListValue, type Value } from '../values.js';

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

/** What a loop accumulates. */
export class ListBuilder {
  private readonly items: Value[] = [];
  add(item: Value): void {
    this.items.push(item);
  }
  /** When nothing is added any more. */
  finish(): Value {
    return new ArrayList(this.items);
  }
}

/** The same of a map. */
export class MapBuilder {
  private readonly entries = new EntryMap();
  add(key: Value, value: Value): CelError | undefined {
    return this.entries.add(key, value)
      ? undefined
      : new CelError(`insert failed: key ${String(keyOf(key))} already exists`);
  }
  finish(): Value {
    return this.entries;
  }
}
