import type { KeyValue, ReplayBound, WatchEvent } from '../kv-store.js';
import { currentKey, decodeChange, decodeCurrent, loggedKey, logRevision, logStart } from './layout.js';
import type { LogIndex } from './log-index.js';
import type { Db } from './raw.js';
import { entries, withSnapshot } from './read.js';

/** Events above a revision under a prefix; the newest of them that fit when there is a bound. */
export interface Wanted {
  readonly prefix: string;
  readonly fromRevision: number;
  readonly replay?: ReplayBound | undefined;
}

export interface Replayed {
  /** Oldest first. */
  readonly events: WatchEvent[];
  readonly upTo: number;
}

interface Reader extends Wanted {
  events: WatchEvent[];
  size: number;
}

/** What was missed by all who ask, in one pass over the part of the log that has it: it is read once, however many they are. */
export function readEvents(db: Db, index: LogIndex, wanted: readonly Wanted[]): Promise<Replayed[]> {
  return withSnapshot(db, async (snapshot, newest) => {
    const readers = wanted.map((one): Reader => ({ ...one, events: [], size: 0 }));
    const active = byPrefix(readers.filter(reader => startOf(reader, index) < Infinity));
    let [oldest, last] = [Infinity, 0];
    for (const reader of readers) {
      oldest = Math.min(oldest, startOf(reader, index));
      last = Math.max(last, index.spanOf(reader.prefix)?.last ?? 0);
    }
    if (oldest === Infinity) return readers.map(() => ({ events: [], upTo: newest }));
    const bounds = { gte: logStart(oldest), lt: logStart(Math.min(last, newest) + 1), reverse: true };
    // Backwards, because what a change wrote is what the next change of that key found.
    const found = new Map<string, KeyValue | undefined>();
    log: for await (const chunk of entries(db, snapshot, bounds)) {
      for (const [logKey, bytes] of chunk) {
        const key = loggedKey(logKey);
        const revision = logRevision(logKey);
        const concerned = active.of(key).filter(reader => revision > reader.fromRevision);
        for (const reader of concerned) if (isFull(reader, bytes.length)) active.remove(cut(reader, revision));
        if (active.size === 0) break log;
        const takers = concerned.filter(reader => active.has(reader));
        if (takers.length === 0) continue;
        const change = decodeChange(logKey, bytes);
        let kv = found.get(key);
        if (!found.has(key)) {
          const now = db.getSync(currentKey(key), { snapshot });
          kv = now === undefined ? undefined : decodeCurrent(key, now);
        }
        const previous = change.previous === undefined ? undefined : decodeCurrent(key, change.previous);
        found.set(key, previous);
        const event: WatchEvent = {
          type: change.type,
          key,
          revision,
          ...(change.type === 'put' && kv !== undefined ? { kv } : {}),
          ...(previous === undefined ? {} : { previous }),
        };
        for (const reader of takers) reader.events.push(event);
      }
    }
    return readers.map(({ events }) => ({ events: events.reverse(), upTo: newest }));
  });
}

/** The first revision that may have something for it; Infinity: none has. */
function startOf({ prefix, fromRevision }: Wanted, index: LogIndex): number {
  const span = index.spanOf(prefix);
  return span === undefined || span.last <= fromRevision ? Infinity : Math.max(fromRevision + 1, span.first);
}

function isFull(reader: Reader, bytes: number): boolean {
  reader.size += bytes;
  return reader.replay !== undefined && reader.size > reader.replay.bytes;
}

/** A commit is replayed as a whole or not at all. */
function cut(reader: Reader, revision: number): Reader {
  reader.events = reader.events.filter(event => event.revision > revision);
  reader.replay?.onCut(revision);
  return reader;
}

/** Those whose prefix a key has are found by its beginnings, and not by asking each. */
function byPrefix(readers: readonly Reader[]) {
  const all = new Set(readers);
  const groups = new Map<string, Reader[]>();
  for (const reader of readers) {
    const group = groups.get(reader.prefix);
    if (group === undefined) groups.set(reader.prefix, [reader]);
    else group.push(reader);
  }
  const lengths = [...new Set(readers.map(({ prefix }) => prefix.length))];
  return {
    get size() {
      return all.size;
    },
    has: (reader: Reader): boolean => all.has(reader),
    remove: (reader: Reader): boolean => all.delete(reader),
    of: (key: string): Reader[] =>
      lengths.flatMap(length => groups.get(key.slice(0, length)) ?? []).filter(reader => all.has(reader)),
  };
}

/** Gathers those who ask while the log is read for others. */
export function createReplays(
  read: (wanted: readonly Wanted[]) => Promise<Replayed[]>,
): (wanted: Wanted) => Promise<Replayed> {
  let waiting: { readonly wanted: Wanted; resolve(replayed: Replayed): void; reject(error: unknown): void }[] = [];
  let reading: Promise<void> | undefined;

  const readAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      // Those of the same moment come together.
      await Promise.resolve();
      const batch = waiting;
      waiting = [];
      try {
        const replayed = await read(batch.map(one => one.wanted));
        for (const [i, one] of batch.entries()) one.resolve(replayed[i] as Replayed);
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    reading = undefined;
  };
  return wanted =>
    new Promise((resolve, reject) => {
      waiting.push({ wanted, resolve, reject });
      reading ??= readAll();
    });
}
