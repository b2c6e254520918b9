import { ProtobufError, ProtobufReader, ProtobufWriter } from '../../machinery/protobuf-wire.js';
import type { StructType } from '../../machinery/schema.js';
import type { Status } from '../../machinery/status.js';
import type { Steps } from '../../machinery/steps.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import { apiVersionOf, type ResourceInfo } from '../resource-info.js';
import { messageSteps } from './protobuf-decode.js';
import { writeMessage } from './protobuf-encode.js';

/** "k8s\0", then a runtime.Unknown: {1: {1: apiVersion, 2: kind}, 2: raw, 3: contentEncoding, 4: contentType}. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/**
 * Opens the envelope of a protobuf body.
 * @throws ProtobufError with the texts of apimachinery serializer/protobuf
 */
export function openEnvelope(bytes: Buffer): Envelope {
  if (bytes.length === 0) throw new ProtobufError('empty data');
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(' ')}]`,
    );
  if (bytes.length === MAGIC.length) throw new ProtobufError('empty body');
  const reader = new ProtobufReader(bytes, MAGIC.length);
  const envelope = { apiVersion: '', kind: '', raw: Buffer.alloc(0) as Buffer };
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) Object.assign(envelope, readTypeMeta(reader.message()));
    else if (number === 2 && wire === 2) envelope.raw = reader.data();
    else reader.skip(wire);
  }
  return envelope;
}

function readTypeMeta(reader: ProtobufReader): { apiVersion: string; kind: string } {
  const meta = { apiVersion: '', kind: '' };
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) meta.apiVersion = reader.string();
    else if (number === 2 && wire === 2) meta.kind = reader.string();
    else reader.skip(wire);
  }
  return meta;
}

/** The object inside an envelope. @throws ProtobufError */
export function* readRawObject(raw: Buffer, type: StructType): Steps<JsonObject> {
  try {
    return yield* messageSteps(new ProtobufReader(raw), type);
  } catch (error) {
    if (error instanceof RangeError) throw new ProtobufError('exceeded max depth', { cause: error });
    throw error;
  }
}

function envelope(apiVersion: string, kind: string, writeRaw: (writer: ProtobufWriter) => void): Buffer {
  const writer = new ProtobufWriter();
  writer.stringField(4, '');
  writer.stringField(3, '');
  const rawMark = writer.mark;
  writeRaw(writer);
  writer.tagged(2, rawMark);
  const metaMark = writer.mark;
  writer.stringField(2, kind);
  writer.stringField(1, apiVersion);
  writer.tagged(1, metaMark);
  writer.data(MAGIC);
  return writer.finish();
}

/** An envelope around `length` bytes that are written between its two parts. */
function openedEnvelope(apiVersion: string, kind: string, length: number): [before: Buffer, behind: Buffer] {
  const behind = new ProtobufWriter(16);
  behind.stringField(4, '');
  behind.stringField(3, '');
  const before = new ProtobufWriter(256);
  before.varint(length);
  before.varint((2 << 3) | 2);
  const mark = before.mark;
  before.stringField(2, kind);
  before.stringField(1, apiVersion);
  before.tagged(1, mark);
  before.data(MAGIC);
  return [before.finish(), behind.finish()];
}

/** Writes a list item by item, so that a long one can be made in several turns. */
export interface ProtobufListWriter {
  item(object: KubeObject): Buffer;
  /** All of the answer, from the items in order. */
  join(items: readonly Buffer[]): Buffer[];
}

/** What the server answers, as protobuf with its envelope. */
export interface ProtobufAnswers {
  /** undefined: the object's kind has no protobuf form (Table, custom resources). */
  object(object: KubeObject): Buffer | undefined;
  list(info: ResourceInfo, metadata: object): ProtobufListWriter;
  /** undefined: the kind has no protobuf form. */
  listOf(apiVersion: string, kind: string, metadata: object): ProtobufListWriter | undefined;
  status(status: Status): Buffer;
  /** One frame of a watch: 4 bytes of length, then a WatchEvent whose object has the envelope. */
  watchEvent(type: string, object: KubeObject | Status): Buffer;
}

export function createProtobufAnswers(api: Api): ProtobufAnswers {
  const typeOf = (apiVersion: string, kind: string): StructType | undefined => {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    if (group === 'meta.k8s.io') return api.type(`meta.v1.${kind}`);
    const known = api.kind(group ?? '', version ?? '', kind)?.type;
    // Discovery documents are of v1, or of no version at all.
    return known ?? (group === '' ? api.type(`meta.v1.${kind}`) : undefined);
  };
  const encode = (object: KubeObject | Status): Buffer | undefined => {
    const { apiVersion = '', kind = '' } = object;
    const type = typeOf(apiVersion, kind);
    if (type === undefined) return undefined;
    return envelope(apiVersion, kind, writer => writeMessage(writer, type, object as unknown as JsonObject));
  };
  const listOf = (apiVersion: string, kind: string, metadata: object): ProtobufListWriter | undefined => {
    const type = typeOf(apiVersion, kind);
    const field = type?.byName.get('items');
    if (type === undefined || field?.protobuf === undefined || field.type.kind !== 'list') return undefined;
    const { items } = field.type;
    if (items.kind !== 'struct') return undefined;
    const number = field.protobuf;
    return {
      item(object) {
        const writer = new ProtobufWriter();
        writeMessage(writer, items.struct, object);
        writer.tagged(number, 0);
        return writer.finish();
      },
      join(encoded) {
        const metadataOnly = new ProtobufWriter();
        writeMessage(metadataOnly, type, { metadata });
        const head = metadataOnly.finish();
        let length = head.length;
        for (const item of encoded) length += item.length;
        const [before, behind] = openedEnvelope(apiVersion, kind, length);
        return [before, head, ...encoded, behind];
      },
    };
  };
  const status = (value: Status): Buffer => {
    const bytes = encode(value);
    if (bytes === undefined) throw new Error('api-schemas/ has no Status');
    return bytes;
  };
  return {
    object: encode,
    list(info, metadata) {
      const writer = listOf(apiVersionOf(info), info.listKind, metadata);
      if (writer === undefined) throw new Error(`api-schemas/ has no ${info.listKind}`);
      return writer;
    },
    listOf,
    status,
    watchEvent(type, object) {
      const bytes = encode(object);
      if (bytes === undefined) throw new Error(`${object.kind ?? 'an object without a kind'} has no protobuf form`);
      const writer = new ProtobufWriter(bytes.length + 64);
      const mark = writer.mark;
      writer.dataField(1, bytes);
      writer.tagged(2, mark);
      writer.stringField(1, type);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(writer.mark);
      writer.data(length);
      return writer.finish();
    },
  };
}
