import type { CatalogEntry } from '../../api/catalog.js';
import { apiVersionOf } from '../../api/resource-info.js';
import type { ListResult } from '../registry/types.js';
import { partialMetadata } from './table.js';
import { yamlWithList } from './yaml.js';

const COMMA = Buffer.from(',');

export const listMetadata = (result: ListResult): object => ({
  // Lists of what is not stored are at no version.
  ...(result.resourceVersion === '' ? {} : { resourceVersion: result.resourceVersion }),
  ...(result.continue === undefined ? {} : { continue: result.continue }),
  ...(result.remainingItemCount === undefined ? {} : { remainingItemCount: result.remainingItemCount }),
});

/** A list as its items come: what is before them, up to the bracket that opens them, and each of them as JSON. */
export interface ListText {
  readonly open: string;
  readonly items: Iterable<readonly (Buffer | string)[]>;
}

export function listText({ info, schema }: CatalogEntry, result: ListResult): ListText {
  const [kind, apiVersion] = [info.listKind, apiVersionOf(info)];
  const whole = schema.form === 'map';
  // Go's map of a list has a continue, be there more or not.
  const head = whole
    ? { apiVersion, kind, metadata: { continue: '', ...listMetadata(result) } }
    : { kind, apiVersion, metadata: listMetadata(result) };
  const items = (function* (): Generator<readonly Buffer[]> {
    for (const item of result.items) yield whole ? [item.encode()] : item.encodeItem();
  })();
  return { open: `${JSON.stringify(head).slice(0, -1)},"items":[`, items };
}

export function partialListText(result: ListResult, entry: CatalogEntry, version: string): ListText {
  const head = {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMetadata(result),
  };
  const items = (function* (): Generator<readonly string[]> {
    for (const item of result.items) yield [partialMetadata(item.object, entry, version)];
  })();
  return { open: `${JSON.stringify(head).slice(0, -1)},"items":[`, items };
}

export function tableText(head: string, rows: Iterable<string>): ListText {
  const items = (function* (): Generator<readonly string[]> {
    for (const row of rows) yield [row];
  })();
  return { open: head, items };
}

// Upstream's conversion starts from a nil slice.
export const partialList = (result: ListResult, entry: CatalogEntry, version: string): Buffer[] | ListText => {
  const text = partialListText(result, entry, version);
  return result.items.length === 0 ? [Buffer.from(`${text.open.slice(0, -1)}null}\n`)] : text;
};

const CLOSE = Buffer.from(']}\n');

const toBuffer = (piece: Buffer | string): Buffer => (typeof piece === 'string' ? Buffer.from(piece) : piece);

export function* listPieces({ open, items }: ListText): Generator<Buffer> {
  yield Buffer.from(open);
  let first = true;
  for (const pieces of items) {
    if (!first) yield COMMA;
    first = false;
    for (const piece of pieces) yield toBuffer(piece);
  }
  yield CLOSE;
}

export const parsedItem = (pieces: readonly (Buffer | string)[]): unknown =>
  JSON.parse(Buffer.concat(pieces.map(toBuffer)).toString('utf8'));

/** The same list, indented. */
export function* prettyPieces({ open, items }: ListText, end: string): Generator<Buffer> {
  const text = JSON.stringify(JSON.parse(`${open}]}`), undefined, 2);
  // Behind the bracket stands "]\n}".
  yield Buffer.from(text.slice(0, -3));
  let first = true;
  for (const pieces of items) {
    const item = JSON.stringify(parsedItem(pieces), undefined, 2).replaceAll('\n', '\n    ');
    yield Buffer.from(`${first ? '' : ','}\n    ${item}`);
    first = false;
  }
  yield Buffer.from(`${first ? ']\n}' : '\n  ]\n}'}${end}`);
}

/** The same list as YAML. */
export function* yamlPieces({ open, items }: ListText): Generator<Buffer> {
  const head = JSON.parse(`${open}]}`) as Record<string, unknown>;
  const name = Object.keys(head).at(-1) ?? '';
  const parsed = (function* (): Generator<unknown> {
    for (const pieces of items) yield parsedItem(pieces);
  })();
  for (const text of yamlWithList(head, name, parsed)) yield Buffer.from(text);
}
