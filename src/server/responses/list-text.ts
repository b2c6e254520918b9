import type { CatalogEntry } from '../../api/catalog.js';
import { apiVersionOf } from '../../api/resource-info.js';
import type { ItemBytes } from '../../storage/cached-object.js';
import type { ListResult } from '../registry/types.js';
import { CHUNK_BYTES, type Memory } from './chunked.js';
import { partialMetadata } from './table.js';
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

/** An item of a list as JSON. */
export type ItemText = string | Buffer | ItemBytes;

/** A list as its items come: what is before them, up to the bracket that opens them, and each of them. */
export interface ListText {
  readonly open: string;
  readonly items: Iterable<ItemText>;
}

// Not within: V8 makes a hidden class for each generator function that is called, and its collections of young objects keep
// whatever that points to.
function* textsOf({ items }: ListResult, whole: boolean): Generator<ItemText> {
  for (const item of items) yield whole ? item.encode() : item.encodeItem();
}

export function listText({ info, schema }: CatalogEntry, result: ListResult): ListText {
  const [kind, apiVersion] = [info.listKind, apiVersionOf(info)];
  const whole = schema.form === 'map';
  const head = whole
    ? { apiVersion, kind, metadata: mapMetadata(result) }
    : { kind, apiVersion, metadata: listMetadata(result) };
  return { open: `${JSON.stringify(head).slice(0, -1)},"items":[`, items: textsOf(result, whole) };
}

export function partialListText(result: ListResult, entry: CatalogEntry, version: string): ListText {
  const head = {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMetadata(result),
  };
  return { open: `${JSON.stringify(head).slice(0, -1)},"items":[`, items: partialTexts(result, entry, version) };
}

function* partialTexts({ items }: ListResult, entry: CatalogEntry, version: string): Generator<string> {
  for (const item of items) yield partialMetadata(item.object, entry, version);
}

// Upstream's conversion starts from a nil slice.
export const partialList = (result: ListResult, entry: CatalogEntry, version: string): Buffer[] | ListText => {
  const text = partialListText(result, entry, version);
  return result.items.length === 0 ? [Buffer.from(`${text.open.slice(0, -1)}null}\n`)] : text;
};

const CLOSE = ']}\n';
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;

type Piece = Buffer | ItemBytes;

const lengthOf = (piece: Piece): number =>
  Buffer.isBuffer(piece) ? piece.length : 1 + piece.bytes.length - piece.from;

/** Copies an item to `at`; where it ends. */
function put(piece: Piece, target: Buffer, at: number): number {
  if (Buffer.isBuffer(piece)) return at + piece.copy(target, at);
  target[at] = OPEN_BRACE;
  return at + 1 + piece.bytes.copy(target, at + 1, piece.from);
}

/** Texts and the items between them in one buffer, into which each byte is copied once; `goesOn`: there were items before these. */
function joined(memory: Memory, before: string, pieces: readonly Piece[], after: string, goesOn: boolean): Buffer {
  let size = Buffer.byteLength(before) + after.length + pieces.length - (goesOn || pieces.length === 0 ? 0 : 1);
  for (const piece of pieces) size += lengthOf(piece);
  const target = memory.take(size);
  let at = target.write(before);
  let comma = goesOn;
  for (const piece of pieces) {
    if (comma) target[at++] = COMMA;
    comma = true;
    at = put(piece, target, at);
  }
  target.write(after, at);
  return target;
}

/** The list in chunks worth a write. It may have thousands of items, so whatever is made for each of them counts. */
export function* listChunks({ open, items }: ListText, memory: Memory): Generator<Buffer> {
  let before = open;
  let goesOn = false;
  let pending: Piece[] = [];
  let size = 0;
  for (const item of items) {
    const piece = typeof item === 'string' ? Buffer.from(item) : item;
    pending.push(piece);
    size += lengthOf(piece);
    if (size < CHUNK_BYTES) continue;
    yield joined(memory, before, pending, '', goesOn);
    before = '';
    goesOn = true;
    pending = [];
    size = 0;
  }
  yield joined(memory, before, pending, CLOSE, goesOn);
}

export const parsedItem = (item: ItemText): unknown => {
  if (typeof item === 'string') return JSON.parse(item);
  if (Buffer.isBuffer(item)) return JSON.parse(item.toString('utf8'));
  return JSON.parse(`{${item.bytes.toString('utf8', item.from)}`);
};

/** The same list, indented. */
export function* prettyPieces({ open, items }: ListText, end: string): Generator<Buffer> {
  const text = JSON.stringify(JSON.parse(`${open}]}`), undefined, 2);
  // Behind the bracket stands "]\n}".
  yield Buffer.from(text.slice(0, -3));
  let first = true;
  for (const text of items) {
    const item = JSON.stringify(parsedItem(text), undefined, 2).replaceAll('\n', '\n    ');
    yield Buffer.from(`${first ? '' : ','}\n    ${item}`);
    first = false;
  }
  yield Buffer.from(`${first ? ']\n}' : '\n  ]\n}'}${end}`);
}

function* parsedItems(items: Iterable<ItemText>): Generator<unknown> {
  for (const text of items) yield parsedItem(text);
}

/** The same list as YAML. */
export function* yamlPieces({ open, items }: ListText): Generator<Buffer> {
  const head = JSON.parse(`${open}]}`) as Record<string, unknown>;
  const name = Object.keys(head).at(-1) ?? '';
  for (const text of yamlWithList(head, name, parsedItems(items))) yield Buffer.from(text);
}
