import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Transformer } from './transformer.js';

/** k8s.io/apiserver pkg/storage/value/encrypt/aes: the initialization vector or nonce comes first. */
const BLOCK = 16;
const NONCE = 12;
const TAG = 16;

const tooShort = (): Error => new Error('the stored data was shorter than the required size');

/** Without authentication: what was altered may be read as something else, or not at all. */
export function aesCbc(secret: Uint8Array): Transformer {
  const algorithm = `aes-${secret.length * 8}-cbc`;
  return {
    seal(value) {
      const iv = randomBytes(BLOCK);
      const cipher = createCipheriv(algorithm, secret, iv);
      return Buffer.concat([iv, cipher.update(value), cipher.final()]);
    },
    open(stored) {
      if (stored.length < BLOCK) throw tooShort();
      const body = stored.subarray(BLOCK);
      if (body.length % BLOCK !== 0) throw new Error('the stored data is not a multiple of the block size');
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, BLOCK)).setAutoPadding(false);
      return { value: unpad(Buffer.concat([decipher.update(body), decipher.final()])), stale: false };
    },
  };
}

/** PKCS#7, each of its errors in upstream's words. */
function unpad(padded: Buffer): Buffer {
  const size = padded.at(-1) ?? 0;
  if (size === 0 || size > padded.length) throw new Error('invalid PKCS7 data (empty or not padded)');
  const end = padded.length - size;
  for (let i = end; i < padded.length; i++) if (padded[i] !== size) throw new Error('invalid padding on input');
  return padded.subarray(0, end);
}

export function aesGcm(secret: Uint8Array): Transformer {
  const algorithm = `aes-${secret.length * 8}-gcm` as 'aes-256-gcm';
  return {
    seal(value, key) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv(algorithm, secret, nonce).setAAD(Buffer.from(key));
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    },
    open(stored, key) {
      if (stored.length < NONCE) throw tooShort();
      const end = stored.length - TAG;
      if (end < NONCE) throw new Error('cipher: message authentication failed');
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(key)).setAuthTag(stored.subarray(end));
      const value = decipher.update(stored.subarray(NONCE, end));
      try {
        return { value: Buffer.concat([value, decipher.final()]), stale: false };
      } catch (error) {
        throw new Error('cipher: message authentication failed', { cause: error });
      }
    },
  };
}
