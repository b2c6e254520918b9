import { ProtobufReader, ProtobufWriter } from '../../../machinery/protobuf-wire.js';
import type { KeyValue } from '../../kv-store.js';
import { eachField, readHeader } from './header.js';
import { readKeyValue } from './key-value.js';

/** The keys from one up to another; without an end, the one. */
export interface Span {
  readonly key: string;
  readonly end?: string;
}

/** All keys from one on. */
export const NO_END = '\0';

export interface RangeRequest extends Span {
  readonly limit?: number;
  readonly revision?: number;
  /** Only how many there are. */
  readonly countOnly?: boolean;
}

export interface RangeResponse {
  /** The store's, not that of what was asked for. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  /** Of all keys of the span, whatever the limit. */
  readonly count: number;
}

export function writeSpan(writer: ProtobufWriter, { key, end }: Span): void {
  if (end !== undefined) writer.stringField(2, end);
  writer.stringField(1, key);
}

export function writeInt(writer: ProtobufWriter, field: number, value: number): void {
  writer.varint(value);
  writer.tag(field, 0);
}

export function writeRange(writer: ProtobufWriter, request: RangeRequest): void {
  if (request.countOnly === true) writeInt(writer, 9, 1);
  if (request.revision !== undefined) writeInt(writer, 4, request.revision);
  if (request.limit !== undefined) writeInt(writer, 3, request.limit);
  writeSpan(writer, request);
}

export function encodeRange(request: RangeRequest): Buffer {
  const writer = new ProtobufWriter(128);
  writeRange(writer, request);
  return writer.finish();
}

export function readRange(reader: ProtobufReader): RangeResponse {
  let [revision, count] = [0, 0];
  const kvs: KeyValue[] = [];
  eachField(reader, number => {
    if (number === 1) revision = readHeader(reader.message());
    else if (number === 2) kvs.push(readKeyValue(reader.message()));
    else if (number === 4) count = reader.int64();
    else return false;
    return true;
  });
  return { revision, kvs, count };
}

export const decodeRange = (bytes: Buffer): RangeResponse => readRange(new ProtobufReader(bytes));
