import { ProtobufReader, ProtobufWriter } from '../../../machinery/protobuf-wire.js';
import { eachField, readHeader } from './header.js';
import { writeInt } from './range.js';

export interface ServerStatus {
  readonly revision: number;
  /** "3.5.13" */
  readonly version: string;
  /** What the server complains about, as "alarm:NOSPACE". */
  readonly errors: readonly string[];
}

export function decodeStatus(bytes: Buffer): ServerStatus {
  const reader = new ProtobufReader(bytes);
  let [revision, version] = [0, ''];
  const errors: string[] = [];
  eachField(reader, number => {
    if (number === 1) revision = readHeader(reader.message());
    else if (number === 2) version = reader.string();
    else if (number === 8) errors.push(reader.string());
    else return false;
    return true;
  });
  return { revision, version, errors };
}

export function encodeCompact(revision: number): Buffer {
  const writer = new ProtobufWriter(16);
  writeInt(writer, 1, revision);
  return writer.finish();
}
