import type { Op } from './kv-store.js';

/** One commit writes a key once, or its events would share a revision. @throws TypeError */
export function assertDistinctKeys(ops: readonly Op[]): void {
  if (ops.length < 2) return;
  const seen = new Set<string>();
  for (const { key } of ops) {
    if (seen.has(key)) throw new TypeError(`a commit names the key ${JSON.stringify(key)} twice`);
    seen.add(key);
  }
}
