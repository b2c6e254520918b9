import type { Clock } from '../../machinery/clock.js';
import type { Status } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { ProtobufAnswers } from '../../api/codec/protobuf.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { includeObject, PROTOBUF_TYPE, type MediaType } from '../negotiation/media-types.js';
import type { RegistryWatchEvent } from '../registry/types.js';
import {
  columnDefinitions,
  internalMetadata,
  partialMetadata,
  storedMetadata,
  storedRow,
  objectRow,
  TABLE_TAIL,
  tableHead,
} from '../responses/table.js';

/** Pushes the bytes of one event, as pieces: an object's own encoding is shared with all other watchers. */
export type EventEncoder = (event: RegistryWatchEvent, pieces: Buffer[]) => void;

export interface EncoderOptions {
  readonly entry: CatalogEntry;
  readonly media: MediaType;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  readonly protobuf: ProtobufAnswers;
}

const OPEN: Readonly<Record<string, Buffer>> = Object.fromEntries(
  ['ADDED', 'MODIFIED', 'DELETED'].map(type => [type, Buffer.from(`{"type":"${type}","object":`)]),
);
const CLOSE = Buffer.from('}\n');

type Bookmark = Extract<RegistryWatchEvent, { type: 'BOOKMARK' }>;

const bookmarkMetadata = (event: Bookmark): KubeObject['metadata'] => ({
  resourceVersion: event.resourceVersion,
  ...(event.initialEventsEnd === true ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
});

/** An otherwise empty object of the kind: what Go writes for the type's zero value. */
function bookmarkObject(entry: CatalogEntry, event: Bookmark): KubeObject {
  const { info, schema } = entry;
  return { kind: info.kind, apiVersion: apiVersionOf(info), metadata: bookmarkMetadata(event), ...schema.zero() };
}

const partialObject = (metadata: KubeObject['metadata'], version: string): KubeObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
});

const line = (type: string, object: string): Buffer => Buffer.from(`{"type":"${type}","object":${object}}\n`);

const errorLine = (status: Status): Buffer => line('ERROR', JSON.stringify(status));

function plainEncoder({ entry }: EncoderOptions): EventEncoder {
  return (event, pieces) => {
    if (event.type === 'ERROR') return void pieces.push(errorLine(event.status));
    if (event.type === 'BOOKMARK')
      return void pieces.push(line('BOOKMARK', JSON.stringify(bookmarkObject(entry, event))));
    pieces.push(OPEN[event.type] ?? CLOSE, event.object.encode(), CLOSE);
  };
}

function metadataEncoder({ entry }: EncoderOptions, version: string): EventEncoder {
  return (event, pieces) => {
    if (event.type === 'ERROR') return void pieces.push(errorLine(event.status));
    const text =
      event.type === 'BOOKMARK'
        ? partialMetadata({ metadata: bookmarkMetadata(event) }, entry, version)
        : storedMetadata(event.object, entry, version);
    pieces.push(line(event.type, text));
  };
}

function tableEncoder(options: EncoderOptions, version: 'v1' | 'v1beta1'): EventEncoder {
  const { entry, clock, query } = options;
  const table = { entry, version, include: includeObject(query.get('includeObject')), clock };
  let columns = columnDefinitions(entry);
  return (event, pieces) => {
    if (event.type === 'ERROR') return void pieces.push(errorLine(event.status));
    const bookmark = event.type === 'BOOKMARK' ? bookmarkObject(entry, event) : undefined;
    const resourceVersion =
      event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.object.metadata.resourceVersion ?? '');
    const row =
      event.type === 'BOOKMARK' ? objectRow(bookmark ?? { metadata: {} }, table) : storedRow(event.object, table);
    pieces.push(line(event.type, `${tableHead(version, { resourceVersion }, columns)}${row}${TABLE_TAIL}`));
    columns = 'null';
  };
}

function protobufEncoder(options: EncoderOptions): EventEncoder {
  const { entry, protobuf, media } = options;
  const typeMeta = { kind: entry.info.kind, apiVersion: apiVersionOf(entry.info) };
  const objectOf = (event: Exclude<RegistryWatchEvent, { type: 'ERROR' }>): KubeObject => {
    const bookmark = event.type === 'BOOKMARK';
    if (media.transform !== undefined) {
      const metadata = bookmark ? bookmarkMetadata(event) : internalMetadata(entry, event.object.object);
      return partialObject(metadata, media.transform.version);
    }
    return bookmark ? bookmarkObject(entry, event) : { ...(event.object.object as KubeObject), ...typeMeta };
  };
  return (event, pieces) =>
    void pieces.push(
      event.type === 'ERROR'
        ? protobuf.watchEvent('ERROR', event.status)
        : protobuf.watchEvent(event.type, objectOf(event)),
    );
}

/**
 * How events of one watch are written. A Table watch sends its columns once.
 * @throws StatusError 400 for a bad includeObject
 */
export function createEventEncoder(options: EncoderOptions): EventEncoder {
  const { transform, encoding } = options.media;
  if (encoding === PROTOBUF_TYPE) return protobufEncoder(options);
  if (transform?.kind === 'Table') return tableEncoder(options, transform.version);
  return transform === undefined ? plainEncoder(options) : metadataEncoder(options, transform.version);
}
