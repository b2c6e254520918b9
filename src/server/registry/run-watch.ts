import type { RequestContext } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import type { CacheEvent } from '../../storage/event-history.js';
import type { ListOptions } from './list-options.js';
import type { OpenWatch, Scope } from './scope.js';
import type { Selection } from './selection.js';
import type { RegistryWatch, RegistryWatchEvent, WatchListener } from './types.js';

const MIN_TIMEOUT_MS = 1_800_000;
const BOOKMARK_EVERY_MS = 60_000;
const BOOKMARK_BEFORE_END_MS = 2000;
/** Bytes under way above which initial events wait for the client. */
const INITIAL_BACKLOG_BYTES = 1024 * 1024;
const INITIAL_POLL_MS = 20;
/** Initial events handed over at a time, so that a large collection does not hold up everything else. */
const INITIAL_CHUNK = 200;
const INITIAL_CHUNK_BYTES = 256 * 1024;
/** Changes kept back while a client is still taking the initial events, or is not yet told of those before. */
const MAX_QUEUED_EVENTS = 10_000;
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Where a watch starts: changes above `revision`, after the events that are due first. */
export interface WatchStart {
  readonly revision: number;
  /** Those of them that the selection wants are sent. */
  readonly objects: readonly CachedObject[];
  readonly missed: readonly CacheEvent[];
  /** Whether the end of the initial events is marked by a bookmark. */
  readonly mark: boolean;
}

/** What a change is to a watcher with this selection; undefined: nothing. */
function seenAs(event: CacheEvent, scope: Scope, selection: Selection): CacheEvent['type'] | undefined {
  if (selection.everything) return event.type;
  const { view } = scope;
  const before = event.previous !== undefined && selection.matches(view.show(event.previous).object);
  const after = event.type !== 'DELETED' && selection.matches(view.show(event.object).object);
  if (after) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}

/** Sends what is due first, then each change in turn, until its time is over, the client goes, or the kind is served no longer. */
export function runWatch(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  options: ListOptions,
  selection: Selection,
  start: WatchStart,
  listener: WatchListener,
): RegistryWatch {
  const { cache, clock, random, view, turns, line } = scope;
  /** Changes that wait for the initial events to be through, or for a turn; undefined where none has to wait. */
  let queue: CacheEvent[] | undefined = [];
  let queuedBytes = 0;
  /** The initial events are through. */
  let caughtUp = false;
  /** The entry is served no longer: this ends when all that came before it is told. */
  let retired = false;
  /** How far it is has been asked, and is told when nothing waits any more. */
  let asked = false;
  /** The client knows of all changes up to here. */
  let told = start.revision;
  let stopped = false;
  const ended = new AbortController();

  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    unsubscribe();
    cancelTimeout();
    cancelBookmark();
    scope.watches.delete(open);
    ctx.signal.removeEventListener('abort', end);
    scope.retired.removeEventListener('abort', retire);
    ended.abort();
  };
  const end = (): void => {
    if (stopped) return;
    stop();
    listener.end();
  };

  /** An end that looks like one would be taken for a watch whose time is over. */
  const cut = (): void => {
    if (stopped) return;
    stop();
    queue = undefined;
    listener.cut();
  };

  /** A listener that throws is cut off: its failure must not reach the writer whose change it was told of. */
  const send = (batch: readonly RegistryWatchEvent[]): void => {
    try {
      listener.events(batch);
    } catch (error) {
      scope.report(error, 'delivery of watch events');
      end();
    }
  };

  const deliver = (changes: readonly CacheEvent[]): void => {
    const batch: RegistryWatchEvent[] = [];
    for (const change of changes) {
      if (change.revision <= start.revision) continue;
      const type = seenAs(change, scope, selection);
      if (type === undefined) continue;
      batch.push(view.event(change, type));
      told = change.revision;
    }
    if (batch.length > 0) send(batch);
  };

  const onEvents = (changes: readonly CacheEvent[]): void => {
    if (queue === undefined) {
      if (line.hasRoom()) return deliver(changes);
      queue = [];
      line.stand(catchUp);
    }
    for (const change of changes) {
      queue.push(change);
      queuedBytes += change.object.size;
    }
    if (queue.length > MAX_QUEUED_EVENTS || queuedBytes > MAX_QUEUED_BYTES) cut();
  };
  /** One of thousands that are told of a change has its turn. */
  const catchUp = (): void => {
    if (stopped) return;
    const now = queue?.slice(0, INITIAL_CHUNK) ?? [];
    const rest = queue?.slice(INITIAL_CHUNK) ?? [];
    queue = rest.length > 0 ? rest : undefined;
    queuedBytes = rest.reduce((sum, change) => sum + change.object.size, 0);
    if (queue !== undefined) line.stand(catchUp);
    try {
      deliver(now);
    } catch (error) {
      scope.report(error, 'delivery of watch events');
      end();
    }
    if (asked) tell();
  };
  const unsubscribe = cache.subscribe({ namespace, name: selection.name }, { events: onEvents, ended: end });

  const tell = (): void => {
    // Before the queue is empty the newest revision would promise events that have not been sent.
    asked = queue !== undefined;
    if (asked || stopped) return;
    told = cache.revision();
    send([{ type: 'BOOKMARK', resourceVersion: String(told) }]);
  };
  const open: OpenWatch = {
    tell(changed) {
      if (options.allowWatchBookmarks && told < changed) tell();
    },
    end,
  };
  const bookmark = (): void => {
    if (queue === undefined) tell();
    if (stopped) return;
    cancelBookmark = scheduleBookmark();
  };
  const timeoutMs = options.timeoutSeconds > 0 ? options.timeoutSeconds * 1000 : MIN_TIMEOUT_MS * (1 + random.number());
  const deadline = clock.monotonic() + timeoutMs;
  const scheduleBookmark = (): (() => void) => {
    if (!options.allowWatchBookmarks) return () => undefined;
    const beforeEnd = deadline - BOOKMARK_BEFORE_END_MS - clock.monotonic();
    const wait = beforeEnd > 0 ? Math.min(BOOKMARK_EVERY_MS, beforeEnd) : BOOKMARK_EVERY_MS;
    return clock.after(wait, bookmark, { unref: true });
  };
  let cancelBookmark = scheduleBookmark();
  scope.watches.add(open);
  const cancelTimeout = clock.after(timeoutMs, end, { unref: true });
  ctx.signal.addEventListener('abort', end, { once: true });
  /** What it was the turn of others for is told all the same: the last objects of a kind may have gone just before it. */
  const retire = (): void => {
    retired = true;
    if (!caughtUp) return;
    const rest = queue ?? [];
    queue = undefined;
    if (rest.length > 0) deliver(rest);
    end();
  };
  if (scope.retired.aborted) setImmediate(retire);
  scope.retired.addEventListener('abort', retire, { once: true });

  const initial = async (): Promise<void> => {
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
      if (batch.length > 0) send(batch);
      batch = [];
      bytes = 0;
      await drained();
      if (stopped) return;
    }
    if (start.mark && options.allowWatchBookmarks) {
      send([{ type: 'BOOKMARK', resourceVersion: String(start.revision), initialEventsEnd: true }]);
    }
    await deliverSlowly(start.missed);
    while (queue !== undefined && queue.length > INITIAL_CHUNK && !stopped) {
      const waiting = queue;
      queue = [];
      queuedBytes = 0;
      await deliverSlowly(waiting);
    }
    // Nothing is awaited from here to the end: what comes later is delivered directly.
    const waiting = queue ?? [];
    queue = undefined;
    caughtUp = true;
    if (!stopped) {
      deliver(waiting);
      listener.begun?.();
      if (asked) tell();
    }
    if (retired) end();
  };
  const deliverSlowly = async (changes: readonly CacheEvent[]): Promise<void> => {
    let end = 0;
    for (let i = 0; i < changes.length && !stopped; i = end) {
      let bytes = 0;
      for (end = i; end < changes.length && end - i < INITIAL_CHUNK && bytes < INITIAL_CHUNK_BYTES; end++)
        bytes += changes[end]?.object.size ?? 0;
      deliver(changes.slice(i, end));
      await drained();
    }
  };
  const drained = async (): Promise<void> => {
    await turns.next();
    while (!stopped && listener.backlog() > INITIAL_BACKLOG_BYTES) {
      await clock.sleep(INITIAL_POLL_MS, ended.signal, { work: true }).catch((error: unknown) => {
        if (!stopped) throw error;
      });
    }
  };
  const failedInitially = (error: unknown): void => {
    scope.report(error, 'delivery of initial events');
    end();
  };
  setImmediate(() => {
    if (ctx.signal.aborted) return end();
    if (!stopped) initial().catch(failedInitially);
  });
  return { stop };
}
