import { hash } from 'node:crypto';

const BASE32 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');

/** The first `length` characters, at most 32, of the base32 SHA-256 of `text`. */
export function nameHash(text: string, length: number): string {
  const digest = hash('sha256', text, 'binary');
  const name = Buffer.alloc(length);
  let written = 0;
  let bits = 0;
  let buffer = 0;
  for (let i = 0; written < length; i++) {
    buffer = (buffer << 8) | digest.charCodeAt(i);
    for (bits += 8; bits >= 5 && written < length; bits -= 5)
      name[written++] = BASE32[(buffer >>> (bits - 5)) & 31] ?? 0;
    buffer &= (1 << bits) - 1;
  }
  return name.toString('latin1');
}
