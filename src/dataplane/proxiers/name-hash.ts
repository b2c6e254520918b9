import { createHash } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first `length` characters, at most 32, of the base32 SHA-256 of `text`. */
export function nameHash(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest();
  let hash = '';
  let bits = 0;
  let buffer = 0;
  for (let i = 0; hash.length < length; i++) {
    buffer = (buffer << 8) | (digest[i] ?? 0);
    for (bits += 8; bits >= 5 && hash.length < length; bits -= 5) hash += BASE32[(buffer >>> (bits - 5)) & 31] ?? '';
    buffer &= (1 << bits) - 1;
  }
  return hash;
}
