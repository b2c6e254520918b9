import type { DeepReadonly, PodTemplateSpec } from '../../machinery/types.js';

/** Upstream rand.SafeEncodeString: no vowels and no look-alikes, so that no words appear. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export const safeEncode = (text: string): string =>
  [...text].map(char => ALPHABET[char.charCodeAt(0) % ALPHABET.length]).join('');

/** JSON with sorted keys and without nulls: equal templates give equal texts however they were written. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const parts = Object.entries(value)
    .filter(([, field]) => field !== undefined && field !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${parts.join(',')}}`;
}

/**
 * The pod-template-hash. Upstream hashes a Go struct dump with FNV-32a, which nobody else can reproduce; ours hashes
 * canonical JSON, so it is as stable, and ReplicaSets are matched by template and not by hash in any case.
 */
export function templateHash(template: DeepReadonly<PodTemplateSpec>, collisionCount: number | undefined): string {
  const bytes = Buffer.from(canonicalJson(template) + (collisionCount === undefined ? '' : String(collisionCount)));
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return safeEncode(String(hash));
}
