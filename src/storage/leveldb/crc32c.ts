const POLYNOMIAL = 0x82f63b78;
const STEP = 16;
/** One table of 256 for each byte of a step. Signed: what a Uint32Array gives is a number that may not fit a register. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[i] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (tables[before & 0xff] as number) ^ (before >>> 8);
  }
  return tables;
}

const at = (table: number, byte: number): number => TABLES[(table << 8) | byte] as number;

/** What the four bytes of `word` come to, when `after` more bytes of the step follow them. */
const four = (word: number, after: number): number =>
  at(after + 3, word & 0xff) ^
  at(after + 2, (word >>> 8) & 0xff) ^
  at(after + 1, (word >>> 16) & 0xff) ^
  at(after, word >>> 24);

function bytewise(crc: number, bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) crc = at(0, (crc ^ (bytes[i] as number)) & 0xff) ^ (crc >>> 8);
  return crc;
}

/**
 * CRC32C (Castagnoli), the checksum of LevelDB's own files and of our values: the one that node has is another
 * polynomial. Reads words as the machine has them, which is the low byte first on every one that LevelDB is built for.
 * @param before the checksum of what comes before, to go on from
 * @param from of the bytes, only those from here to `to`: a view of them would cost more than a short value's checksum
 */
export function crc32c(bytes: Uint8Array, before = 0, from = 0, to = bytes.length): number {
  // A view of words is dearer than a few bytes.
  if (to - from < 4 * STEP) return ~bytewise(~before, bytes, from, to) >>> 0;
  const start = from + (-(bytes.byteOffset + from) & 3);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, ((to - start) >> 4) * 4);
  let crc = bytewise(~before, bytes, from, start);
  for (let i = 0; i < words.length; i += 4)
    crc =
      four(crc ^ (words[i] as number), 12) ^
      four(words[i + 1] as number, 8) ^
      four(words[i + 2] as number, 4) ^
      four(words[i + 3] as number, 0);
  return ~bytewise(crc, bytes, start + words.byteLength, to) >>> 0;
}

/** Of a text's UTF-8: of one that is ASCII, as keys are, without making it. */
export function crc32cOfText(text: string): number {
  let crc = ~0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return crc32c(Buffer.from(text));
    crc = at(0, (crc ^ code) & 0xff) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

const MASK_DELTA = 0xa282ead8;

/** LevelDB keeps its checksums masked, so that one over bytes that hold checksums stays a good one. */
export function unmask(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
