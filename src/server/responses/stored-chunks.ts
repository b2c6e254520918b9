import type { StoredObject } from '../registry/types.js';
import { CHUNK_BYTES, type Memory } from './chunked.js';

/** A list of objects as they are stored; `whole`: with kind and apiVersion. */
export interface StoredList {
  /** What is before the items, up to the bracket that opens them. */
  readonly open: string;
  readonly stored: readonly StoredObject[];
  readonly whole: boolean;
}

/** What ends every list. */
export const CLOSE = ']}\n';
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;

const startOf = (object: StoredObject, whole: boolean): number => (whole ? 0 : object.itemStart());

/** In the list: an item that is not whole begins with a brace of its own. */
const lengthOf = (object: StoredObject, whole: boolean): number =>
  object.encode().length - (whole ? 0 : object.itemStart() - 1);

/**
 * From the last item to the first: so each is copied as a whole, and the item before it then covers what does not belong to the
 * list. A copy of a part needs a view of it, which for the thousands of items of a list is most of what there is to collect.
 */
function copyItems(list: StoredList, first: number, end: number, target: Buffer, to: number): void {
  const { stored, whole } = list;
  let at = to;
  for (let i = end - 1; i >= first; i--) {
    const object = stored[i] as StoredObject;
    const bytes = object.encode();
    const start = startOf(object, whole);
    at -= bytes.length - start;
    if (at >= start) target.set(bytes, at - start);
    else bytes.copy(target, at, start);
    if (!whole) target[--at] = OPEN_BRACE;
    if (i > 0) target[--at] = COMMA;
  }
}

/** A list of stored objects in chunks worth a write. It may have thousands of items, so whatever is made for each of them counts. */
export function* storedChunks(list: StoredList, memory: Memory): Generator<Buffer> {
  const { open, stored, whole } = list;
  let first = 0;
  do {
    const before = first === 0 ? open : '';
    let end = first;
    let size = 0;
    for (; end < stored.length && size < CHUNK_BYTES; end++)
      size += lengthOf(stored[end] as StoredObject, whole) + (end === 0 ? 0 : 1);
    const after = end === stored.length ? CLOSE : '';
    const head = Buffer.byteLength(before);
    const target = memory.take(head + size + after.length);
    copyItems(list, first, end, target, head + size);
    target.write(before);
    target.write(after, head + size);
    yield target;
    first = end;
  } while (first < stored.length);
}
