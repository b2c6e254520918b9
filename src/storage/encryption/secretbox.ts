import { randomBytes } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import type { Transformer } from './transformer.js';

/** NaCl's secretbox, XSalsa20 and Poly1305 (https://nacl.cr.yp.to/secretbox.html): the nonce comes first, then the tag. */
const NONCE = 24;
const TAG = 16;

export function secretbox(secret: Uint8Array): Transformer {
  return {
    seal(value) {
      const nonce = randomBytes(NONCE);
      return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(value)]);
    },
    open(stored) {
      if (stored.length < NONCE + TAG) throw new Error('the stored data was shorter than the required size');
      try {
        const value = xsalsa20poly1305(secret, stored.subarray(0, NONCE)).decrypt(stored.subarray(NONCE));
        return { value: Buffer.from(value), stale: false };
      } catch (cause) {
        // Upstream says this whatever is wrong with it.
        throw new Error('output array was not large enough for encryption', { cause });
      }
    },
  };
}
