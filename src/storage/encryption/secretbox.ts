import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Transformer } from './transformer.js';

/**
 * NaCl's secretbox, XSalsa20 and Poly1305 (https://nacl.cr.yp.to/secretbox.html), which OpenSSL has not: the whole of it is
 * here, so that a library can take its place. The nonce comes first, then the tag.
 */
const NONCE = 24;
const TAG = 16;
const KEY = 32;
const BLOCK = 64;

export function secretbox(secret: Uint8Array): Transformer {
  return {
    seal(value) {
      const nonce = randomBytes(NONCE);
      return Buffer.concat([nonce, seal(value, nonce, secret)]);
    },
    open(stored) {
      if (stored.length < NONCE + TAG) throw new Error('the stored data was shorter than the required size');
      const value = unseal(stored.subarray(NONCE), stored.subarray(0, NONCE), secret);
      // Upstream says this whatever is wrong with it.
      if (value === undefined) throw new Error('output array was not large enough for encryption');
      return { value, stale: false };
    },
  };
}

/** Tag and ciphertext. */
export function seal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  const stream = xsalsa20(key, nonce, KEY + message.length);
  const out = Buffer.alloc(TAG + message.length);
  for (let i = 0; i < message.length; i++) out[TAG + i] = (message[i] ?? 0) ^ (stream[KEY + i] ?? 0);
  poly1305(out.subarray(TAG), stream.subarray(0, KEY)).copy(out);
  return out;
}

/** undefined: it has been altered, or the key is another. */
export function unseal(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
  const body = box.subarray(TAG);
  const stream = xsalsa20(key, nonce, KEY + body.length);
  if (!timingSafeEqual(poly1305(body, stream.subarray(0, KEY)), box.subarray(0, TAG))) return undefined;
  const out = Buffer.alloc(body.length);
  for (let i = 0; i < body.length; i++) out[i] = (body[i] ?? 0) ^ (stream[KEY + i] ?? 0);
  return out;
}

/** "expand 32-byte k" */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

const words = (bytes: Uint8Array): Uint32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
};

/** The four words that a quarter round changes, for a double round: columns, then rows. */
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

function rounds(x: Uint32Array): void {
  const mix = (to: number, a: number, b: number, by: number): void => {
    const sum = ((x[a] ?? 0) + (x[b] ?? 0)) | 0;
    x[to] = (x[to] ?? 0) ^ ((sum << by) | (sum >>> (32 - by)));
  };
  for (let round = 0; round < 10; round++)
    for (const [a, b, c, d] of QUARTERS) {
      mix(b, a, d, 7);
      mix(c, b, a, 9);
      mix(d, c, b, 13);
      mix(a, d, c, 18);
    }
}

const state = (key: Uint32Array, input: readonly number[]): Uint32Array =>
  Uint32Array.of(SIGMA[0], ...key.subarray(0, 4), SIGMA[1], ...input, SIGMA[2], ...key.subarray(4), SIGMA[3]);

/** The key for Salsa20 that the first 16 bytes of the nonce make of a key. */
function hsalsa20(key: Uint32Array, nonce: Uint32Array): Uint32Array {
  const x = state(key, [...nonce.subarray(0, 4)]);
  rounds(x);
  return Uint32Array.of(...[0, 5, 10, 15, 6, 7, 8, 9].map(i => x[i] ?? 0));
}

function xsalsa20(key: Uint8Array, nonce: Uint8Array, length: number): Buffer {
  const parts = words(nonce);
  const inner = hsalsa20(words(key), parts);
  const out = Buffer.alloc(Math.ceil(length / BLOCK) * BLOCK);
  const x = new Uint32Array(16);
  for (let block = 0; block * BLOCK < length; block++) {
    // Values end far below 2^32 blocks.
    const start = state(inner, [parts[4] ?? 0, parts[5] ?? 0, block, 0]);
    x.set(start);
    rounds(x);
    for (let i = 0; i < 16; i++) out.writeUInt32LE(((x[i] ?? 0) + (start[i] ?? 0)) >>> 0, block * BLOCK + 4 * i);
  }
  return out.subarray(0, length);
}

/** Of 13 bits each, as products of two must stay whole numbers. */
const LIMBS = 10;
const LIMB_BITS = 13;
const LIMB_MASK = (1 << LIMB_BITS) - 1;

/** A little-endian number in limbs; `high` is set at the bit behind its bytes. */
function limbsOf(bytes: Uint8Array, high: boolean): Float64Array {
  const limbs = new Float64Array(LIMBS);
  const put = (bit: number, value: number): void => {
    const [limb, shift] = [Math.floor(bit / LIMB_BITS), bit % LIMB_BITS];
    const wide = value << shift;
    limbs[limb] = (limbs[limb] ?? 0) + (wide & LIMB_MASK);
    if (limb + 1 < LIMBS) limbs[limb + 1] = (limbs[limb + 1] ?? 0) + (wide >>> LIMB_BITS);
  };
  bytes.forEach((byte, i) => put(8 * i, byte));
  if (high) put(8 * bytes.length, 1);
  return limbs;
}

/** Brings limbs below their size again; what runs over the top counts five times at the bottom (2^130 = 5). */
function carry(limbs: Float64Array): void {
  let over = 0;
  for (let i = 0; i < LIMBS; i++) {
    const value = (limbs[i] ?? 0) + over;
    over = Math.floor(value / (LIMB_MASK + 1));
    limbs[i] = value - over * (LIMB_MASK + 1);
  }
  limbs[0] = (limbs[0] ?? 0) + 5 * over;
}

/** https://cr.yp.to/mac.html */
function poly1305(message: Uint8Array, key: Uint8Array): Buffer {
  const clamped = Buffer.from(key.subarray(0, 16));
  for (const i of [3, 7, 11, 15]) clamped[i] = (clamped[i] ?? 0) & 15;
  for (const i of [4, 8, 12]) clamped[i] = (clamped[i] ?? 0) & 252;
  const r = limbsOf(clamped, false);
  let sum = new Float64Array(LIMBS);
  for (let at = 0; at < message.length; at += 16) {
    const block = limbsOf(message.subarray(at, at + 16), true);
    for (let i = 0; i < LIMBS; i++) sum[i] = (sum[i] ?? 0) + (block[i] ?? 0);
    const product = new Float64Array(LIMBS);
    for (let i = 0; i < LIMBS; i++)
      for (let j = 0; j < LIMBS; j++) {
        const times = (sum[i] ?? 0) * (r[j] ?? 0);
        const to = i + j;
        if (to < LIMBS) product[to] = (product[to] ?? 0) + times;
        else product[to - LIMBS] = (product[to - LIMBS] ?? 0) + 5 * times;
      }
    carry(product);
    carry(product);
    sum = product;
  }
  let value = 0n;
  for (let i = LIMBS - 1; i >= 0; i--) value = (value << BigInt(LIMB_BITS)) + BigInt(sum[i] ?? 0);
  value %= (1n << 130n) - 5n;
  const pad = Buffer.from(key.subarray(16, 32));
  const total = value + pad.readBigUInt64LE(0) + (pad.readBigUInt64LE(8) << 64n);
  const tag = Buffer.alloc(TAG);
  tag.writeBigUInt64LE(total & 0xffffffffffffffffn, 0);
  tag.writeBigUInt64LE((total >> 64n) & 0xffffffffffffffffn, 8);
  return tag;
}
