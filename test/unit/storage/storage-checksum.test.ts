import t from 'tap';
import { crc32c, crc32cOfText } from '../../../src/storage/leveldb/crc32c.js';

/** A bit at a time, as the definition has it. */
function slowly(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

t.test('the checksum is CRC32C, wherever bytes lie in memory and however many they are', async t => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283, 'the check value of its specification');
  t.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa, 'of RFC 3720');
  const memory = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 167 + (i >> 3)) & 0xff));
  for (let from = 0; from < 5; from++)
    for (let length = 0; length < 160; length++) {
      const bytes = memory.subarray(from, from + length);
      if (crc32c(bytes) !== slowly(bytes)) t.fail(`${length} bytes at ${from}`);
    }
});

t.test('a checksum goes on from the one of what comes before', async t => {
  const bytes = Buffer.from(
    'of a key and of its value, one behind the other, in pieces of any size, as long as they like',
  );
  const wrong = Array.from(bytes.keys()).filter(
    at => crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at))) !== crc32c(bytes),
  );
  t.same(wrong, []);
});

t.test('a part of bytes has the checksum that a view of it has', async t => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 89) & 0xff));
  for (let from = 0; from < 20; from++)
    for (let to = from; to <= bytes.length; to += 7)
      if (crc32c(bytes, 5, from, to) !== crc32c(bytes.subarray(from, to), 5)) t.fail(`${from} to ${to}`);
});

t.test('a text has the checksum of its UTF-8', async t => {
  for (const text of [
    '',
    '/registry/pods/default/a',
    '/registry/pods/default/ü',
    'l0000000000000001000000/€',
    '\u{1f600}',
  ])
    t.equal(crc32cOfText(text), crc32c(Buffer.from(text)), JSON.stringify(text));
});
