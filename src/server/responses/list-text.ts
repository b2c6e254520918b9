import type { CatalogEntry } from '../../api/catalog.js';
import { apiVersionOf } from '../../api/resource-info.js';
import type { ListResult, StoredObject } from '../registry/types.js';
import { CHUNK_BYTES, type Memory } from './chunked.js';
import { CLOSE, storedChunks, type StoredList } from './stored-chunks.js';
import { storedMetadata } from './table.js';
import { yamlWithList } from './yaml.js';

export const listMetadata = (result: ListResult): object => ({
  // Lists of what is not stored are at no version. JSON leaves out what is undefined.
  resourceVersion: result.resourceVersion === '' ? undefined : result.resourceVersion,
  continue: result.continue,
  remainingItemCount: result.remainingItemCount,
});

/** The same of what Go holds as a map: sorted by name, and with a continue, be there more or not. */
const mapMetadata = ({ resourceVersion, continue: token = '', remainingItemCount }: ListResult): object => ({
  continue: token,
  remainingItemCount,
  resourceVersion: resourceVersion === '' ? undefined : resourceVersion,
});

/** A list as its items come: what is before them, up to the bracket that opens them, and each of them as JSON. */
export interface MadeList {
  readonly open: string;
  readonly items: Iterable<string>;
}

export type ListText = MadeList | StoredList;

export function listText({ info, schema }: CatalogEntry, result: ListResult): ListText {
  const kind = info.listKind;
  const apiVersion = apiVersionOf(info);
  const whole = schema.form === 'map';
  const head = whole
    ? { apiVersion, kind, metadata: mapMetadata(result) }
    : { kind, apiVersion, metadata: listMetadata(result) };
  return { open: `${JSON.stringify(head).slice(0, -1)},"items":[`, stored: result.items, whole };
}

export function partialListText(result: ListResult, entry: CatalogEntry, version: string): MadeList {
  const head = {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMetadata(result),
  };
  return { open: `${JSON.stringify(head).slice(0, -1)},"items":[`, items: partialTexts(result, entry, version) };
}

// Not within: V8 makes a hidden class for each generator function that is called, and its collections of young objects keep
// whatever that points to.
function* partialTexts({ items }: ListResult, entry: CatalogEntry, version: string): Generator<string> {
  for (const item of items) yield storedMetadata(item, entry, version);
}

// Upstream's conversion starts from a nil slice.
export const partialList = (result: ListResult, entry: CatalogEntry, version: string): Buffer[] | ListText => {
  const text = partialListText(result, entry, version);
  return result.items.length === 0 ? [Buffer.from(`${text.open.slice(0, -1)}null}\n`)] : text;
};

const COMMA = 0x2c;

/** Texts and the items between them in one buffer; `goesOn`: there were items before these. */
function joined(memory: Memory, before: string, pieces: readonly Buffer[], after: string, goesOn: boolean): Buffer {
  let size = Buffer.byteLength(before) + after.length + pieces.length - (goesOn || pieces.length === 0 ? 0 : 1);
  for (const piece of pieces) size += piece.length;
  const target = memory.take(size);
  let at = target.write(before);
  let comma = goesOn;
  for (const piece of pieces) {
    if (comma) target[at++] = COMMA;
    comma = true;
    at += piece.copy(target, at);
  }
  target.write(after, at);
  return target;
}

function* madeChunks({ open, items }: MadeList, memory: Memory): Generator<Buffer> {
  let before = open;
  let goesOn = false;
  let pending: Buffer[] = [];
  let size = 0;
  for (const item of items) {
    const piece = Buffer.from(item);
    pending.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield joined(memory, before, pending, '', goesOn);
    before = '';
    goesOn = true;
    pending = [];
    size = 0;
  }
  yield joined(memory, before, pending, CLOSE, goesOn);
}

/** The list in chunks worth a write. */
export const listChunks = (list: ListText, memory: Memory): Generator<Buffer> =>
  'stored' in list ? storedChunks(list, memory) : madeChunks(list, memory);

/** An item as it stands in a list, without kind and apiVersion. */
export const storedItem = (object: Pick<StoredObject, 'encode' | 'itemStart'>): unknown =>
  JSON.parse(`{${object.encode().toString('utf8', object.itemStart())}`);

export function* parsedItems(list: ListText): Generator<unknown> {
  if ('stored' in list)
    for (const object of list.stored)
      yield list.whole ? JSON.parse(object.encode().toString('utf8')) : storedItem(object);
  else for (const text of list.items) yield JSON.parse(text);
}

/** The same list, indented. */
export function* prettyPieces(list: ListText, end: string): Generator<Buffer> {
  const text = JSON.stringify(JSON.parse(`${list.open}]}`), undefined, 2);
  // Behind the bracket stands "]\n}".
  yield Buffer.from(text.slice(0, -3));
  let first = true;
  for (const value of parsedItems(list)) {
    const item = JSON.stringify(value, undefined, 2).replaceAll('\n', '\n    ');
    yield Buffer.from(`${first ? '' : ','}\n    ${item}`);
    first = false;
  }
  yield Buffer.from(`${first ? ']\n}' : '\n  ]\n}'}${end}`);
}

/** The same list as YAML. */
export function* yamlPieces(list: ListText): Generator<Buffer> {
  const head = JSON.parse(`${list.open}]}`) as Record<string, unknown>;
  const name = Object.keys(head).at(-1) ?? '';
  for (const text of yamlWithList(head, name, parsedItems(list))) yield Buffer.from(text);
}
