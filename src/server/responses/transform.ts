import type { CatalogEntry } from '../../api/catalog.js';
import type { ProtobufAnswers } from '../../api/codec/protobuf.js';
import type { ResourceInfo, SubresourceInfo } from '../../api/resource-info.js';
import type { Clock } from '../../machinery/clock.js';
import { StatusError } from '../../machinery/status.js';
import type { ListResult } from '../registry/types.js';
import type { Turns } from '../../machinery/turns.js';
import type { Memory } from './chunked.js';
import type { KubeObject } from '../../machinery/types.js';
import { includeObject, type MediaType, type Transform } from '../negotiation/media-types.js';
import { isStored, type Answer } from '../pipeline/exchange.js';
import { listMetadata, partialList, type ListText } from './list-text.js';
import {
  columnDefinitions,
  internalMetadata,
  objectRow,
  partialMetadata,
  storedMetadata,
  storedRow,
  tableHead,
  type TableOptions,
} from './table.js';

/** What the encoder needs to know of a request. */
export interface EncodeOptions {
  readonly media: MediaType;
  readonly pretty: boolean;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  readonly protobuf: ProtobufAnswers;
  readonly turns: Turns;
  /** Memory for the answer's chunks. */
  readonly memory: Memory;
  /** The resource whose objects are answered; undefined for fixed documents and errors. */
  readonly entry: CatalogEntry | undefined;
  readonly subresource?: SubresourceInfo | undefined;
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
export function checkTransform(
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

/** An object's metadata as an object. */
export const partial = (object: KubeObject, entry: CatalogEntry | undefined, version: string): KubeObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: entry === undefined ? object.metadata : internalMetadata(entry, object),
});

function* storedRows({ items }: ListResult, table: TableOptions): Generator<string> {
  for (const item of items) yield storedRow(item, table);
}

/** The pieces of the JSON form, transformed as asked. @throws StatusError 406 when the transform does not fit */
export function transformed(
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
    const open = tableHead(version, listMetadata(answer.result), columnDefinitions(entry));
    return { open, items: storedRows(answer.result, table) };
  }
  if (kind !== 'Table') {
    const text = isStored(answer.object)
      ? storedMetadata(answer.object, entry, version)
      : partialMetadata(answer.object, entry, version);
    return [Buffer.from(`${text}\n`)];
  }
  const object = isStored(answer.object) ? answer.object.object : answer.object;
  const table = tableOptions(options, entry, version);
  const only = isStored(answer.object) ? storedRow(answer.object, table) : objectRow(object, table);
  const metadata =
    object.metadata.resourceVersion === undefined ? {} : { resourceVersion: object.metadata.resourceVersion };
  return { open: tableHead(version, metadata, columnDefinitions(entry, options.subresource)), items: [only] };
}
