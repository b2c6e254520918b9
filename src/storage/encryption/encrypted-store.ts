import type { KeyValue, KvStore, Op, WatchEvent } from '../kv-store.js';
import { isEncrypted, type Transformer } from './transformer.js';

export interface EncryptedStoreOptions {
  /** Who keeps the values under a key; undefined: they are kept as they are. */
  readonly transformerOf: (key: string) => Transformer | undefined;
}

/** Said of a value that is encrypted where nothing should be. */
const UNEXPECTED = 'identity transformer tried to read encrypted data';

/**
 * A store whose values are encrypted where that is asked for: nobody above it sees that they are. A value that cannot be
 * read is told with the reason (`unreadable`), and stays as it is: the key for it may come back.
 */
export function encryptedStore(store: KvStore, { transformerOf }: EncryptedStoreOptions): KvStore {
  const opened = (kv: KeyValue): KeyValue => {
    const transformer = transformerOf(kv.key);
    if (transformer === undefined) return isEncrypted(kv.value) ? { ...kv, unreadable: UNEXPECTED } : kv;
    try {
      const { value, stale } = transformer.open(kv.value, kv.key);
      return value === kv.value && !stale ? kv : { ...kv, value, ...(stale ? { stale } : {}) };
    } catch (error) {
      return { ...kv, unreadable: (error as Error).message };
    }
  };
  const openedOrNone = (kv: KeyValue | undefined): KeyValue | undefined => (kv === undefined ? undefined : opened(kv));
  const sealed = (op: Op): Op => {
    if (op.type !== 'put') return op;
    const transformer = transformerOf(op.key);
    return transformer === undefined ? op : { ...op, value: transformer.seal(op.value, op.key) };
  };

  return {
    supports: store.supports,
    observed: () => store.observed(),
    latest: signal => store.latest(signal),
    compactedRevision: () => store.compactedRevision(),
    get: async (key, options) => openedOrNone(await store.get(key, options)),
    async range(prefix, options) {
      const found = await store.range(prefix, options);
      return { ...found, items: found.items.map(opened) };
    },
    async commit(preconditions, ops) {
      const result = await store.commit(preconditions, ops.map(sealed));
      if (result.ok || result.current === undefined) return result;
      return { ...result, current: opened(result.current) };
    },
    watch: (prefix, fromRevision, handlers, replay) =>
      store.watch(
        prefix,
        fromRevision,
        {
          progress: revision => handlers.progress?.(revision),
          events: events => handlers.events(events.map(event => openedEvent(event, opened))),
          lost: lost => handlers.lost(lost),
        },
        replay,
      ),
    assertWritable: () => store.assertWritable(),
    compact: revision => store.compact(revision),
    close: () => store.close(),
  };
}

/** An event whose values are opened when somebody looks: of an own write nobody does, who has what was written. */
function openedEvent(event: WatchEvent, opened: (kv: KeyValue) => KeyValue): WatchEvent {
  const { kv, previous } = event;
  const isPlain = (one: KeyValue | undefined): boolean => one === undefined || !isEncrypted(one.value);
  if (isPlain(kv) && isPlain(previous)) return event;
  let [openKv, openPrevious]: (KeyValue | undefined)[] = [];
  return {
    ...event,
    ...(kv === undefined
      ? {}
      : {
          get kv() {
            return (openKv ??= opened(kv));
          },
        }),
    ...(previous === undefined
      ? {}
      : {
          get previous() {
            return (openPrevious ??= opened(previous));
          },
        }),
  };
}
