import { createHash, timingSafeEqual } from 'node:crypto';

/** Ways to prove a password without sending it. */
export type Plugin = 'caching_sha2_password' | 'mysql_native_password';

const hash = (name: 'sha1' | 'sha256', ...parts: readonly Buffer[]): Buffer => {
  const made = createHash(name);
  for (const part of parts) made.update(part);
  return made.digest();
};

const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));

/** What a client sends for a password and a server's nonce; nothing for none. */
export function proofOf(plugin: Plugin, password: string, nonce: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const text = Buffer.from(password, 'utf8');
  if (plugin === 'mysql_native_password') {
    const once = hash('sha1', text);
    return xor(once, hash('sha1', nonce, hash('sha1', once)));
  }
  const once = hash('sha256', text);
  return xor(once, hash('sha256', hash('sha256', once), nonce));
}

export const isPlugin = (name: string): name is Plugin =>
  name === 'caching_sha2_password' || name === 'mysql_native_password';

export function proves(plugin: Plugin, proof: Buffer, password: string, nonce: Buffer): boolean {
  const wanted = proofOf(plugin, password, nonce);
  // An empty password is a zero to some clients.
  if (wanted.length === 0) return proof.length === 0 || (proof.length === 1 && proof[0] === 0);
  return wanted.length === proof.length && timingSafeEqual(wanted, proof);
}
