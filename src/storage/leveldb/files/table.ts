import { crc32c, unmask } from '../crc32c.js';
import { entryOf, userKey, type Entry } from './internal-key.js';
import { unsnap } from './snappy.js';
import { ByteReader } from './varint.js';

const FOOTER = 48;
/** Of a block: one byte of kind, four of checksum. */
const TRAILER = 5;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
const COMPRESSED = 1;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

const readHandle = (from: ByteReader): Handle => ({ offset: from.varint(), size: from.varint() });

/**
 * Checks every byte of a table that means anything against its checksum: LevelDB itself does so for none of them when
 * it reads, and a flipped bit in its filter or index makes keys vanish.
 * @throws RangeError
 */
export function checkTable(bytes: Buffer): void {
  if (bytes.length < FOOTER || !bytes.subarray(-MAGIC.length).equals(MAGIC)) throw new RangeError('it has no end');
  const footer = new ByteReader(bytes.subarray(-FOOTER));
  const metaIndex = readHandle(footer);
  const index = readHandle(footer);
  const seen: Handle[] = [metaIndex, index];
  for (const from of [metaIndex, index])
    for (const value of blockValues(readBlock(bytes, from))) {
      const handle = readHandle(new ByteReader(value));
      seen.push(handle);
      readBlock(bytes, handle, false);
    }
  // Blocks lie one behind the other from the first byte to the footer: none may be left out.
  let end = 0;
  for (const { offset, size } of seen.sort((a, b) => a.offset - b.offset)) {
    if (offset !== end) throw new RangeError(`what lies at ${end} belongs to nothing`);
    end = offset + size + TRAILER;
  }
  if (end !== bytes.length - FOOTER) throw new RangeError(`what lies at ${end} belongs to nothing`);
}

function readBlock(bytes: Buffer, { offset, size }: Handle, wanted = true): Buffer {
  const end = offset + size;
  if (end + TRAILER > bytes.length) throw new RangeError(`the block at ${offset} is cut short`);
  if (crc32c(bytes.subarray(offset, end + 1)) !== unmask(bytes.readUInt32LE(end + 1)))
    throw new RangeError(`the block at ${offset} does not match its checksum`);
  const block = bytes.subarray(offset, end);
  return wanted && bytes.readUInt8(end) === COMPRESSED ? unsnap(block) : block;
}

/** The values of a block's entries, in order. */
function* blockValues(block: Buffer): Generator<Buffer> {
  for (const [, value] of blockEntries(block)) yield value;
}

/** A block's entries, in order; what follows them are the places where keys are written in full. */
function* blockEntries(block: Buffer): Generator<[key: Buffer, value: Buffer]> {
  const restarts = block.readUInt32LE(block.length - 4);
  const entries = new ByteReader(block.subarray(0, block.length - 4 - 4 * restarts));
  let key: Buffer = Buffer.alloc(0);
  while (!entries.atEnd) {
    const shared = entries.varint();
    const keyLength = entries.varint();
    const valueLength = entries.varint();
    if (shared > key.length) throw new RangeError('a key begins as none before it');
    const own = entries.take(keyLength);
    key = shared === 0 ? own : Buffer.concat([key.subarray(0, shared), own]);
    yield [key, entries.take(valueLength)];
  }
}

/** A part of a table that cannot be read, and between which keys it lies; undefined: it is not known. */
export interface DamagedPart {
  readonly problem: string;
  readonly after?: Buffer | undefined;
  readonly upTo?: Buffer | undefined;
}

/**
 * The entries of a table in their order, of every block that can be read.
 * @param onDamage told of those that cannot
 */
export function* tableEntries(bytes: Buffer, onDamage: (part: DamagedPart) => void): Generator<Entry> {
  let blocks: [Buffer, Buffer][];
  try {
    const footer = new ByteReader(bytes.subarray(-FOOTER));
    readHandle(footer);
    blocks = [...blockEntries(readBlock(bytes, readHandle(footer)))];
  } catch (error) {
    onDamage({ problem: `its index cannot be read: ${problemOf(error)}` });
    return;
  }
  let after: Buffer | undefined;
  for (const [separator, place] of blocks) {
    const upTo = userKey(separator);
    try {
      // As a whole before any of it is told: what does not match its checksum says nothing.
      const block = readBlock(bytes, readHandle(new ByteReader(place)));
      for (const [key, value] of blockEntries(block)) yield entryOf(key, value);
    } catch (error) {
      onDamage({ problem: problemOf(error), after, upTo });
    }
    after = upTo;
  }
}

/** @throws what is no finding about the bytes */
function problemOf(error: unknown): string {
  if (!(error instanceof RangeError)) throw error;
  return error.message;
}
