import type { Clock } from '../../machinery/clock.js';
import { StatusError, type Status } from '../../machinery/status.js';
import type { Turns } from '../../machinery/turns.js';
import type { KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { ProtobufAnswers, ProtobufListWriter } from '../../api/codec/protobuf.js';
import { apiVersionOf, type ResourceInfo, type SubresourceInfo } from '../../api/resource-info.js';
import {
  includeObject,
  JSON_TYPE,
  PROTOBUF_TYPE,
  YAML_TYPE,
  type MediaType,
  type Transform,
} from '../negotiation/media-types.js';
import { isStored, type Answer } from '../pipeline/exchange.js';
import type { ListResult, StoredObject } from '../registry/types.js';
import type { Encoded } from './send.js';
import {
  columnDefinitions,
  objectRow,
  internalMetadata,
  partialMetadata,
  storedRow,
  tableHead,
  type TableOptions,
} from './table.js';
import { yamlParts, yamlWithList } from './yaml.js';

/** What the encoder needs to know of a request. */
export interface EncodeOptions {
  readonly media: MediaType;
  readonly pretty: boolean;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  readonly protobuf: ProtobufAnswers;
  readonly turns: Turns;
  /** The resource whose objects are answered; undefined for fixed documents and errors. */
  readonly entry: CatalogEntry | undefined;
  readonly subresource?: SubresourceInfo | undefined;
}

const CHUNK_BYTES = 64 * 1024;
/** YAML takes its time to write. */
const YAML_CHUNK = 16 * 1024;

const NEWLINE = Buffer.from('\n');
const COMMA = Buffer.from(',');

/** Joins small pieces into chunks worth a write. */
function* chunked(pieces: Iterable<Buffer>): Generator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    pending.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(pending, size);
    pending = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pending, size);
}

const listMetadata = (result: ListResult): object => ({
  // Lists of what is not stored are at no version.
  ...(result.resourceVersion === '' ? {} : { resourceVersion: result.resourceVersion }),
  ...(result.continue === undefined ? {} : { continue: result.continue }),
  ...(result.remainingItemCount === undefined ? {} : { remainingItemCount: result.remainingItemCount }),
});

/** A list as its items come: what is before them, up to the bracket that opens them, and each of them as JSON. */
interface ListText {
  readonly open: string;
  readonly items: Iterable<readonly (Buffer | string)[]>;
}

function listText({ info, schema }: CatalogEntry, result: ListResult): ListText {
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

function partialListText(result: ListResult, entry: CatalogEntry, version: string): ListText {
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

function tableText(head: string, rows: Iterable<string>): ListText {
  const items = (function* (): Generator<readonly string[]> {
    for (const row of rows) yield [row];
  })();
  return { open: head, items };
}

// Upstream's conversion starts from a nil slice.
const partialList = (result: ListResult, entry: CatalogEntry, version: string): Buffer[] | ListText => {
  const text = partialListText(result, entry, version);
  return result.items.length === 0 ? [Buffer.from(`${text.open.slice(0, -1)}null}\n`)] : text;
};

const CLOSE = Buffer.from(']}\n');

const toBuffer = (piece: Buffer | string): Buffer => (typeof piece === 'string' ? Buffer.from(piece) : piece);

function* listPieces({ open, items }: ListText): Generator<Buffer> {
  yield Buffer.from(open);
  let first = true;
  for (const pieces of items) {
    if (!first) yield COMMA;
    first = false;
    for (const piece of pieces) yield toBuffer(piece);
  }
  yield CLOSE;
}

const parsedItem = (pieces: readonly (Buffer | string)[]): unknown =>
  JSON.parse(Buffer.concat(pieces.map(toBuffer)).toString('utf8'));

/** The same list, indented. */
function* prettyPieces({ open, items }: ListText, end: string): Generator<Buffer> {
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
function* yamlPieces({ open, items }: ListText): Generator<Buffer> {
  const head = JSON.parse(`${open}]}`) as Record<string, unknown>;
  const name = Object.keys(head).at(-1) ?? '';
  const parsed = (function* (): Generator<unknown> {
    for (const pieces of items) yield parsedItem(pieces);
  })();
  for (const text of yamlWithList(head, name, parsed)) yield Buffer.from(text);
}

const notAcceptable = (message: string): StatusError => new StatusError(406, 'NotAcceptable', message);

/** Go's name of the internal list type, as it appears in refusals: "*core.PodList". */
const internalType = (info: ResourceInfo, kind: string): string => {
  const pkg = info.group === '' ? 'core' : (info.group.split('.')[0] ?? '');
  return `*${pkg}.${kind}`;
};

const tableOptions = (options: EncodeOptions, entry: CatalogEntry, version: 'v1' | 'v1beta1'): TableOptions => ({
  entry,
  subresource: options.subresource,
  version,
  include: includeObject(options.query.get('includeObject')),
  clock: options.clock,
});

/** One object cannot be asked for as a list, nor a list as one object. @throws StatusError 406 */
function checkTransform(
  kind: 'object' | 'list',
  transform: Transform | undefined,
  entry: CatalogEntry | undefined,
): asserts entry is CatalogEntry {
  if (entry === undefined) throw notAcceptable('no transform is possible for this answer');
  if (kind === 'list' && transform?.kind === 'PartialObjectMetadata')
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${internalType(entry.info, entry.info.listKind)})`,
    );
  if (kind === 'object' && transform?.kind === 'PartialObjectMetadataList')
    throw notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${internalType(entry.info, entry.info.kind)})`,
    );
}

const partial = (object: KubeObject, entry: CatalogEntry | undefined, version: string): KubeObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: entry === undefined ? object.metadata : internalMetadata(entry, object),
});

/** The pieces of the JSON form, transformed as asked. @throws StatusError 406 when the transform does not fit */
function transformed(
  answer: Answer & { kind: 'object' | 'list' },
  transform: Transform,
  options: EncodeOptions,
): Buffer[] | ListText {
  const { entry } = options;
  checkTransform(answer.kind, transform, entry);
  const { kind, version } = transform;
  if (answer.kind === 'list') {
    if (kind !== 'Table') return partialList(answer.result, entry, version);
    const table = tableOptions(options, entry, version);
    const rows = (function* (): Generator<string> {
      for (const item of answer.result.items) yield storedRow(item, table);
    })();
    return tableText(tableHead(version, listMetadata(answer.result), columnDefinitions(entry)), rows);
  }
  const object = isStored(answer.object) ? answer.object.object : answer.object;
  if (kind !== 'Table') return [Buffer.from(`${partialMetadata(object, entry, version)}\n`)];
  const table = tableOptions(options, entry, version);
  const only = isStored(answer.object) ? storedRow(answer.object, table) : objectRow(object, table);
  const metadata =
    object.metadata.resourceVersion === undefined ? {} : { resourceVersion: object.metadata.resourceVersion };
  return tableText(tableHead(version, metadata, columnDefinitions(entry, options.subresource)), [only]);
}

const objectPieces = (object: StoredObject | KubeObject): Buffer[] =>
  isStored(object) ? [object.encode(), NEWLINE] : [Buffer.from(`${JSON.stringify(object)}\n`)];

/** The JSON form: whole, or a list as its items come. */
function jsonForm(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): Buffer[] | ListText {
  switch (answer.kind) {
    case 'status':
      return [Buffer.from(`${JSON.stringify(answer.status)}\n`)];
    case 'document':
      return [Buffer.from(`${JSON.stringify(answer.document)}\n`)];
    case 'object':
    case 'list':
      if (options.media.transform !== undefined) return transformed(answer, options.media.transform, options);
      if (answer.kind === 'object') return objectPieces(answer.object);
      if (options.entry === undefined) throw new Error('a list without its resource');
      return listText(options.entry, answer.result);
  }
}

/** undefined: the answer has no protobuf form. */
function protobufChunks(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' }>,
  options: EncodeOptions,
): Encoded['chunks'] | undefined {
  const { protobuf: codec, entry, turns } = options;
  const { transform } = options.media;
  if (answer.kind === 'object' || answer.kind === 'list') checkTransform(answer.kind, transform, entry);
  if (answer.kind === 'list') {
    if (entry === undefined) return undefined;
    const metadata = listMetadata(answer.result);
    if (transform === undefined)
      return protobufList(codec.list(entry.info, metadata), answer.result, item => item, turns);
    const writer = codec.listOf(`meta.k8s.io/${transform.version}`, 'PartialObjectMetadataList', metadata);
    return writer && protobufList(writer, answer.result, item => partial(item, entry, transform.version), turns);
  }
  const bytes = protobufBytes(answer, options, codec);
  return bytes === undefined ? undefined : [bytes];
}

function protobufBytes(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' | 'list' }>,
  { media: { transform }, entry }: EncodeOptions,
  codec: ProtobufAnswers,
): Buffer | undefined {
  switch (answer.kind) {
    case 'status':
      return codec.status(answer.status);
    case 'document':
      return codec.object(answer.document as KubeObject);
    case 'object': {
      const object = (isStored(answer.object) ? fullObject(answer.object) : answer.object) as KubeObject;
      return codec.object(transform === undefined ? object : partial(object, entry, transform.version));
    }
  }
}

/** The length of the whole stands in front: all items are made before the first byte goes out. */
async function* protobufList(
  writer: ProtobufListWriter,
  { items }: ListResult,
  shown: (object: KubeObject) => KubeObject,
  turns: Turns,
): AsyncGenerator<Buffer> {
  const encoded: Buffer[] = [];
  for (const item of items) {
    if (turns.isOver()) await turns.next();
    encoded.push(writer.item(shown(item.object as KubeObject)));
  }
  yield* chunked(writer.join(encoded));
}

/** A stored object may lack kind and apiVersion in memory; its encoding has them. */
const fullObject = (stored: StoredObject): unknown => JSON.parse(stored.encode().toString('utf8'));

const concat = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString('utf8');

/** A chunk without bytes: others have their turn, since what was done before took long. */
const REST = Buffer.alloc(0);

/** `end`: Go writes objects of structs with a line end and those of maps without. */
function* prettyChunks(form: readonly Buffer[], end: string): Generator<Buffer> {
  const value: unknown = JSON.parse(concat(form));
  yield REST;
  const text = `${JSON.stringify(value, undefined, 2)}${end}`;
  yield REST;
  yield Buffer.from(text);
}

function* yamlChunks(form: readonly Buffer[]): Generator<Buffer> {
  const value: unknown = JSON.parse(concat(form));
  yield REST;
  let text = '';
  for (const part of yamlParts(value)) {
    text += part;
    if (text.length < YAML_CHUNK) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/**
 * An answer in the form that was negotiated.
 * @throws StatusError 406 for a transform that the answer does not allow
 */
export function encodeAnswer(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): Encoded {
  const { encoding } = options.media;
  if (encoding === PROTOBUF_TYPE) {
    const chunks = protobufChunks(answer, options);
    if (chunks !== undefined) return { contentType: PROTOBUF_TYPE, chunks };
  }
  const form = jsonForm(answer, options);
  if (encoding === YAML_TYPE) {
    const chunks = Array.isArray(form) ? yamlChunks(form) : chunked(yamlPieces(form));
    return { contentType: YAML_TYPE, chunks };
  }
  if (options.pretty || options.media.pretty) {
    const end = goesAsMap(answer, options) ? '' : '\n';
    const chunks = Array.isArray(form) ? prettyChunks(form, end) : chunked(prettyPieces(form, end));
    return { contentType: JSON_TYPE, chunks };
  }
  return { contentType: JSON_TYPE, chunks: Array.isArray(form) ? form : chunked(listPieces(form)) };
}

/** Objects and lists of kinds that Go holds as maps; not a Table of them, nor a Status. */
const goesAsMap = ({ kind }: Answer, { entry, subresource, media }: EncodeOptions): boolean =>
  (kind === 'object' || kind === 'list') &&
  media.transform === undefined &&
  entry?.schema.form === 'map' &&
  (subresource === undefined || subresource.kind === entry.info.kind);

/**
 * The answer again, for readers of the audit log: in JSON, whatever the client wanted; each item as `shown` (undefined:
 * as it is).
 */
export function auditChunks(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' }>,
  options: EncodeOptions,
  shown: ((value: unknown) => unknown) | undefined,
): Iterable<Buffer> {
  const form = jsonForm(answer, options);
  if (Array.isArray(form))
    return shown === undefined ? form : [Buffer.from(JSON.stringify(shown(JSON.parse(concat(form)))))];
  if (shown === undefined) return listPieces(form);
  const items = (function* (): Generator<readonly string[]> {
    for (const pieces of form.items) yield [JSON.stringify(shown(parsedItem(pieces)))];
  })();
  return listPieces({ open: form.open, items });
}

/** What a client gets whose Accept cannot even name an error's form: indented JSON (apiserver responsewriters.WriteRawJSON). */
export const rawStatus = (status: Status): Encoded => ({
  contentType: JSON_TYPE,
  chunks: [Buffer.from(JSON.stringify(status, undefined, 2))],
});
