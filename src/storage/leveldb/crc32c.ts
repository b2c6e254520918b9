const POLYNOMIAL = 0x82f63b78;
/** Eight tables of 256: eight bytes per step, close to a gigabyte a second. */
const TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
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

const at = (table: number, byte: number): number => TABLES[(table << 8) | (byte & 0xff)] as number;

/**
 * CRC32C (Castagnoli), the checksum of LevelDB's own files and of our values: node has none of its own before 22, and
 * that one is another polynomial.
 * @param before the checksum of what comes before, to go on from
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const b = bytes as { readonly [index: number]: number };
    crc ^= (b[i] as number) | ((b[i + 1] as number) << 8) | ((b[i + 2] as number) << 16) | ((b[i + 3] as number) << 24);
    crc =
      at(7, crc) ^
      at(6, crc >>> 8) ^
      at(5, crc >>> 16) ^
      at(4, crc >>> 24) ^
      at(3, b[i + 4] as number) ^
      at(2, b[i + 5] as number) ^
      at(1, b[i + 6] as number) ^
      at(0, b[i + 7] as number);
  }
  for (; i < bytes.length; i++) crc = at(0, crc ^ (bytes[i] as number)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const MASK_DELTA = 0xa282ead8;

/** LevelDB keeps its checksums masked, so that one over bytes that hold checksums stays a good one. */
export function unmask(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
