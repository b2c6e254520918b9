import { crc32c, unmask } from '../crc32c.js';

const BLOCK = 32_768;
const HEADER = 7;
const [FULL, FIRST, LAST] = [1, 2, 4];

/**
 * The records of a file in LevelDB's log format, which its manifest has. A record that is cut off at the very end was
 * being written when the machine stopped, and counts as never begun; everything else that is not right is damage.
 * @throws RangeError
 */
export function logRecords(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  let parts: Buffer[] | undefined;
  for (let at = 0; at < bytes.length;) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    // Room that was given to the file and not yet written.
    if (at + HEADER > bytes.length || bytes.subarray(at).every(byte => byte === 0)) break;
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes.readUInt8(at + 6);
    const end = at + HEADER + length;
    if (length > left - HEADER) throw new RangeError(`the record at ${at} has a bad length`);
    if (end > bytes.length) break;
    if (crc32c(bytes.subarray(at + 6, end)) !== unmask(bytes.readUInt32LE(at)))
      throw new RangeError(`the record at ${at} does not match its checksum`);
    const part = bytes.subarray(at + HEADER, end);
    const begins = type === FULL || type === FIRST;
    if (begins === (parts !== undefined) || type < FULL || type > LAST)
      throw new RangeError(`the record at ${at} is out of order`);
    if (begins) parts = [];
    parts?.push(part);
    if (type === FULL || type === LAST) {
      records.push(Buffer.concat(parts ?? []));
      parts = undefined;
    }
    at = end;
  }
  return records;
}
