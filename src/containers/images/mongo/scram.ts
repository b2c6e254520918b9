import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** SCRAM-SHA-256 (RFC 7677), as both ends of it need it. */
export const ITERATIONS = 4096;

const derive = promisify(pbkdf2);
const hmac = (key: Buffer, text: string | Buffer): Buffer => createHmac('sha256', key).update(text).digest();
const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));

export interface Proof {
  /** What the client sends. */
  readonly client: Buffer;
  /** What the server answers. */
  readonly server: Buffer;
}

export async function proofs(password: string, salt: Buffer, iterations: number, exchange: string): Promise<Proof> {
  const salted = await derive(password, salt, iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const stored = createHash('sha256').update(clientKey).digest();
  return { client: xor(clientKey, hmac(stored, exchange)), server: hmac(hmac(salted, 'Server Key'), exchange) };
}

export const sameProof = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

/** "r=...,s=...,i=..." by letter. */
export const attributesOf = (text: string): ReadonlyMap<string, string> =>
  new Map(text.split(',').map(part => [part.slice(0, 1), part.slice(2)] as const));

export const escapeName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');
export const unescapeName = (name: string): string => name.replaceAll('=2C', ',').replaceAll('=3D', '=');
