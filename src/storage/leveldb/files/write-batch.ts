import { DELETED, PUT, type Entry } from './internal-key.js';
import { ByteReader } from './varint.js';

const SEQUENCE_BYTES = 8;
const HEADER = SEQUENCE_BYTES + 4;

/** The writes of one record of a write-ahead log. @throws RangeError */
export function batchEntries(record: Buffer): Entry[] {
  let sequence = Number(record.readBigUInt64LE(0));
  const count = record.readUInt32LE(SEQUENCE_BYTES);
  const writes = new ByteReader(record.subarray(HEADER));
  const entries: Entry[] = [];
  while (!writes.atEnd) {
    const type = writes.take(1).readUInt8(0);
    if (type !== PUT && type !== DELETED) throw new RangeError('a write is of an unknown kind');
    const key = writes.take(writes.varint());
    entries.push({ key, sequence: sequence++, value: type === PUT ? writes.take(writes.varint()) : undefined });
  }
  if (entries.length !== count) throw new RangeError(`a batch has ${entries.length} writes where it had ${count}`);
  return entries;
}
