import type { Clock } from '../../machinery/clock.js';
import { StatusError, type Status } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../resources/catalog.js';
import type { ProtobufAnswers } from '../../resources/codec/protobuf.js';
import { apiVersionOf, type ResourceInfo, type SubresourceInfo } from '../../resources/resource-info.js';
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
  TABLE_TAIL,
  tableHead,
  type TableOptions,
} from './table.js';
import { toYaml } from './yaml.js';

/** What the encoder needs to know of a request. */
export interface EncodeOptions {
  readonly media: MediaType;
  readonly pretty: boolean;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  readonly protobuf: ProtobufAnswers;
  /** The resource whose objects are answered; undefined for fixed documents and errors. */
  readonly entry: CatalogEntry | undefined;
  readonly subresource?: SubresourceInfo | undefined;
}

const CHUNK_BYTES = 64 * 1024;

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

function* listPieces(info: ResourceInfo, result: ListResult): Generator<Buffer> {
  const head = { kind: info.listKind, apiVersion: apiVersionOf(info), metadata: listMetadata(result) };
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  let first = true;
  for (const item of result.items) {
    if (!first) yield COMMA;
    first = false;
    yield* item.encodeItem();
  }
  yield Buffer.from(']}\n');
}

function* tablePieces(head: string, rows: Iterable<string>): Generator<Buffer> {
  yield Buffer.from(head);
  let first = true;
  for (const row of rows) {
    yield Buffer.from(first ? row : `,${row}`);
    first = false;
  }
  yield Buffer.from(`${TABLE_TAIL}\n`);
}

function* partialListPieces(result: ListResult, entry: CatalogEntry, version: string): Generator<Buffer> {
  const head = {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMetadata(result),
  };
  const open = `${JSON.stringify(head).slice(0, -1)},"items":`;
  // Upstream's conversion starts from a nil slice.
  if (result.items.length === 0) {
    yield Buffer.from(`${open}null}\n`);
    return;
  }
  yield Buffer.from(`${open}[`);
  let first = true;
  for (const item of result.items) {
    const text = partialMetadata(item.object, entry, version);
    yield Buffer.from(first ? text : `,${text}`);
    first = false;
  }
  yield Buffer.from(']}\n');
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
): Iterable<Buffer> {
  const { entry } = options;
  checkTransform(answer.kind, transform, entry);
  const { kind, version } = transform;
  if (answer.kind === 'list') {
    if (kind !== 'Table') return partialListPieces(answer.result, entry, version);
    const table = tableOptions(options, entry, version);
    const rows = (function* (): Generator<string> {
      for (const item of answer.result.items) yield storedRow(item, table);
    })();
    return tablePieces(tableHead(version, listMetadata(answer.result), columnDefinitions(entry)), rows);
  }
  const object = isStored(answer.object) ? answer.object.object : answer.object;
  if (kind !== 'Table') return [Buffer.from(`${partialMetadata(object, entry, version)}\n`)];
  const table = tableOptions(options, entry, version);
  const only = isStored(answer.object) ? storedRow(answer.object, table) : objectRow(object, table);
  const metadata =
    object.metadata.resourceVersion === undefined ? {} : { resourceVersion: object.metadata.resourceVersion };
  return tablePieces(tableHead(version, metadata, columnDefinitions(entry, options.subresource)), [only]);
}

const objectPieces = (object: StoredObject | KubeObject): Buffer[] =>
  isStored(object) ? [object.encode(), NEWLINE] : [Buffer.from(`${JSON.stringify(object)}\n`)];

function jsonPieces(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): Iterable<Buffer> {
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
      return listPieces(options.entry.info, answer.result);
  }
}

function protobufBytes(
  answer: Exclude<Answer, { kind: 'raw' | 'taken' }>,
  options: EncodeOptions,
  codec: ProtobufAnswers,
): Buffer | undefined {
  const { transform } = options.media;
  if (answer.kind === 'object' || answer.kind === 'list') checkTransform(answer.kind, transform, options.entry);
  switch (answer.kind) {
    case 'status':
      return codec.status(answer.status);
    case 'document':
      return codec.object(answer.document as KubeObject);
    case 'object': {
      const object = (isStored(answer.object) ? fullObject(answer.object) : answer.object) as KubeObject;
      return codec.object(transform === undefined ? object : partial(object, options.entry, transform.version));
    }
    case 'list':
      if (options.entry === undefined) return undefined;
      if (transform !== undefined)
        return codec.object({
          kind: 'PartialObjectMetadataList',
          apiVersion: `meta.k8s.io/${transform.version}`,
          metadata: listMetadata(answer.result),
          items: answer.result.items.map(item => partial(item.object as KubeObject, options.entry, transform.version)),
        });
      return codec.list(
        options.entry.info,
        listMetadata(answer.result),
        (function* (): Generator<KubeObject> {
          for (const item of answer.result.items) yield item.object as KubeObject;
        })(),
      );
  }
}

/** A stored object may lack kind and apiVersion in memory; its encoding has them. */
const fullObject = (stored: StoredObject): unknown => JSON.parse(stored.encode().toString('utf8'));

const concat = (pieces: Iterable<Buffer>): string => Buffer.concat([...pieces]).toString('utf8');

/**
 * An answer in the form that was negotiated.
 * @throws StatusError 406 for a transform that the answer does not allow
 */
export function encodeAnswer(answer: Exclude<Answer, { kind: 'raw' | 'taken' }>, options: EncodeOptions): Encoded {
  const { encoding } = options.media;
  if (encoding === PROTOBUF_TYPE) {
    const bytes = protobufBytes(answer, options, options.protobuf);
    if (bytes !== undefined) return { contentType: PROTOBUF_TYPE, chunks: [bytes] };
  }
  const pieces = jsonPieces(answer, options);
  if (encoding === YAML_TYPE)
    return { contentType: YAML_TYPE, chunks: [Buffer.from(toYaml(JSON.parse(concat(pieces))))] };
  if (options.pretty || options.media.pretty)
    return {
      contentType: JSON_TYPE,
      chunks: [Buffer.from(`${JSON.stringify(JSON.parse(concat(pieces)), undefined, 2)}\n`)],
    };
  return { contentType: JSON_TYPE, chunks: chunked(pieces) };
}

/** What a client gets whose Accept cannot even name an error's form: indented JSON (apiserver responsewriters.WriteRawJSON). */
export const rawStatus = (status: Status): Encoded => ({
  contentType: JSON_TYPE,
  chunks: [Buffer.from(JSON.stringify(status, undefined, 2))],
});
