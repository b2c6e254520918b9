import type { CachedObject } from '../../storage/cached-object.js';
import type { CacheEvent } from '../../storage/event-history.js';
import type { Scope } from './scope.js';
import type { Selection } from './selection.js';
import type { RegistryWatchEvent, WatchListener } from './types.js';

/** Bytes under way above which initial events wait for the client. */
const INITIAL_BACKLOG_BYTES = 1024 * 1024;
const INITIAL_POLL_MS = 20;
/** Initial events handed over at a time, so that a large collection does not hold up everything else. */
export const INITIAL_CHUNK = 200;
const INITIAL_CHUNK_BYTES = 256 * 1024;

/** Where a watch starts: changes above `revision`, after the events that are due first. */
export interface WatchStart {
  readonly revision: number;
  /** Those of them that the selection wants are sent. */
  readonly objects: readonly CachedObject[];
  readonly missed: readonly CacheEvent[];
  /** Whether the end of the initial events is marked by a bookmark. */
  readonly mark: boolean;
}

/** A watch that begins. */
export interface Beginning {
  readonly scope: Pick<Scope, 'view' | 'turns' | 'clock'>;
  readonly selection: Selection;
  readonly listener: Pick<WatchListener, 'backlog'>;
  readonly wantsBookmarks: boolean;
  readonly stopped: boolean;
  /** What comes meanwhile. */
  queue: CacheEvent[] | undefined;
  queuedBytes: number;
  /** Ends a pause; undefined: there is none. */
  waking: (() => void) | undefined;
  send(batch: readonly RegistryWatchEvent[]): void;
  deliver(changes: readonly CacheEvent[]): void;
  /** All that was due first is told. */
  begun(): void;
}

/** Tells what is due first, and what has happened meanwhile; then the watch goes on by itself. */
export async function tellInitial(watch: Beginning, start: WatchStart): Promise<void> {
  const { selection, scope } = watch;
  const { view, turns } = scope;
  let batch: RegistryWatchEvent[] = [];
  let bytes = 0;
  for (const [i, stored] of start.objects.entries()) {
    const object = view.show(stored);
    if (selection.everything || selection.matches(object.object)) {
      batch.push({ type: 'ADDED', object });
      bytes += stored.size;
    }
    const full = batch.length >= INITIAL_CHUNK || bytes >= INITIAL_CHUNK_BYTES;
    if (!full && i + 1 < start.objects.length && !turns.isOver()) continue;
    if (batch.length > 0) watch.send(batch);
    batch = [];
    bytes = 0;
    await drained(watch);
    if (watch.stopped) return;
  }
  if (start.mark && watch.wantsBookmarks)
    watch.send([{ type: 'BOOKMARK', resourceVersion: String(start.revision), initialEventsEnd: true }]);
  await deliverSlowly(watch, start.missed);
  while (watch.queue !== undefined && watch.queue.length > INITIAL_CHUNK && !watch.stopped) {
    const waiting = watch.queue;
    watch.queue = [];
    watch.queuedBytes = 0;
    await deliverSlowly(watch, waiting);
  }
  watch.begun();
}

async function deliverSlowly(watch: Beginning, changes: readonly CacheEvent[]): Promise<void> {
  let end = 0;
  for (let i = 0; i < changes.length && !watch.stopped; i = end) {
    let bytes = 0;
    for (end = i; end < changes.length && end - i < INITIAL_CHUNK && bytes < INITIAL_CHUNK_BYTES; end++)
      bytes += changes[end]?.object.size ?? 0;
    watch.deliver(changes.slice(i, end));
    await drained(watch);
  }
}

async function drained(watch: Beginning): Promise<void> {
  const { turns, clock } = watch.scope;
  await turns.next();
  while (!watch.stopped && watch.listener.backlog() > INITIAL_BACKLOG_BYTES) {
    await new Promise<void>(resolve => {
      const cancel = clock.after(INITIAL_POLL_MS, resolve, { work: true });
      watch.waking = () => {
        cancel();
        resolve();
      };
    });
    watch.waking = undefined;
  }
}
