import type { KeyValue, WatchEvent } from '../kv-store.js';
import type { KeySpace } from './key-space.js';
import type { StoredEvent } from './messages/watch.js';

export const ourKeyValue = (kv: KeyValue, keys: KeySpace): KeyValue => ({ ...kv, key: keys.ours(kv.key) });

/** Events as watchers know them, but for those of the fence, which is no key of theirs. */
export function ourEvents(
  events: readonly StoredEvent[],
  keys: KeySpace,
  decodedOf?: (kv: KeyValue) => unknown,
): WatchEvent[] {
  const ours: WatchEvent[] = [];
  for (const { type, kv: stored, previous } of events) {
    if (stored.key === keys.fence) continue;
    const kv = ourKeyValue(stored, keys);
    const decoded = type === 'put' ? decodedOf?.(kv) : undefined;
    ours.push({
      type,
      key: kv.key,
      revision: kv.modRevision,
      ...(type === 'put' ? { kv } : {}),
      ...(previous === undefined ? {} : { previous: ourKeyValue(previous, keys) }),
      ...(decoded === undefined ? {} : { decoded }),
    });
  }
  return ours;
}
