import { crc32c, unmask } from '../crc32c.js';

const BLOCK = 32_768;
const HEADER = 7;
const [FULL, FIRST, LAST] = [1, 2, 4];

/**
 * The records of a file in LevelDB's log format, which its manifest has. A record that is cut off at the very end was
 * being written when the machine stopped, and counts as never begun; everything else that is not right is damage.
 * @param onDamage told what is damaged; reading goes on where LevelDB would, at the next block. Absent: it is thrown
 * @throws RangeError
 */
export function logRecords(bytes: Buffer, onDamage?: (problem: string) => void): Buffer[] {
  const records: Buffer[] = [];
  let parts: Buffer[] | undefined;
  for (let at = 0; at < bytes.length;) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    // Room that was given to the file and not yet written.
    if (at + HEADER > bytes.length || isEmptyFrom(bytes, at)) break;
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes.readUInt8(at + 6);
    const end = at + HEADER + length;
    const begins = type === FULL || type === FIRST;
    if (length <= left - HEADER && end > bytes.length) break;
    const problem =
      length > left - HEADER
        ? 'has a bad length'
        : crc32c(bytes.subarray(at + 6, end)) !== unmask(bytes.readUInt32LE(at))
          ? 'does not match its checksum'
          : begins === (parts !== undefined) || type < FULL || type > LAST
            ? 'is out of order'
            : undefined;
    if (problem !== undefined) {
      const text = `the record at ${at} ${problem}`;
      if (onDamage === undefined) throw new RangeError(text);
      onDamage(text);
      parts = undefined;
      at += left;
      continue;
    }
    if (begins) parts = [];
    parts?.push(bytes.subarray(at + HEADER, end));
    if (type === FULL || type === LAST) {
      records.push(Buffer.concat(parts ?? []));
      parts = undefined;
    }
    at = end;
  }
  return records;
}

/** Looks no further than it has to: what is written does not begin with zeros. */
function isEmptyFrom(bytes: Buffer, at: number): boolean {
  for (let i = at; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
