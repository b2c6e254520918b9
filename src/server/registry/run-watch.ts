import type { Timed } from '../../machinery/timeouts.js';
import { isAborted, whenAborted } from '../../machinery/waiter.js';
import type { RequestContext } from '../../api/strategy.js';
import type { CacheEvent } from '../../storage/event-history.js';
import type { Subscriber } from '../../storage/subscriptions.js';
import { Bookmarks } from './bookmarks.js';
import { INITIAL_CHUNK, tellInitial, type WatchStart } from './initial-events.js';
import type { ListOptions } from './list-options.js';
import type { OpenWatch, Scope } from './scope.js';
import type { Selection } from './selection.js';
import type { RegistryWatch, RegistryWatchEvent, WatchListener } from './types.js';

const MIN_TIMEOUT_S = 1_800;
/** Changes kept back while a client is still taking the initial events, or is not yet told of those before. */
const MAX_QUEUED_EVENTS = 10_000;
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** What a change is to a watcher with this selection; undefined: nothing. */
function seenAs(event: CacheEvent, scope: Scope, selection: Selection): CacheEvent['type'] | undefined {
  if (selection.everything) return event.type;
  const { view } = scope;
  const before = event.previous !== undefined && selection.matches(view.show(event.previous).object);
  const after = event.type !== 'DELETED' && selection.matches(view.show(event.object).object);
  if (after) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}

/**
 * Sends what is due first, then each change in turn, until its time is over, the client goes, or the kind is served no longer.
 * Of ten thousand that wait, each is this one object: nothing of the request that began it is kept.
 */
export class RunningWatch implements RegistryWatch, OpenWatch, Subscriber, Timed {
  links: Timed['links'];
  dueMs = 0;
  stopped = false;
  /** Changes that wait for the initial events to be through, or for a turn; undefined where none has to wait. */
  queue: CacheEvent[] | undefined = [];
  queuedBytes = 0;
  /** Ends a pause while the initial events are told. */
  waking: (() => void) | undefined;
  /** The initial events are through. */
  private caughtUp = false;
  /** The entry is served no longer: this ends when all that came before it is told. */
  private retired = false;
  /** How far it is has been asked, and is told when nothing waits any more. */
  private asked = false;
  /** The client knows of all changes up to here. */
  private told: number;
  private readonly timeoutMs: number;
  private readonly bookmarks: Bookmarks | undefined;
  private readonly unsubscribe: () => void;
  private readonly forgetAbort: () => void;

  constructor(
    readonly scope: Scope,
    readonly selection: Selection,
    private readonly from: number,
    readonly listener: WatchListener,
    ctx: RequestContext,
    namespace: string,
    options: ListOptions,
  ) {
    this.told = from;
    const { cache, random, timeouts, watches } = scope;
    this.unsubscribe = cache.subscribe({ namespace, name: selection.name }, this);
    // Whole seconds: those of one length have one timer.
    const seconds = options.timeoutSeconds > 0 ? options.timeoutSeconds : MIN_TIMEOUT_S * (1 + random.number());
    this.timeoutMs = Math.ceil(seconds) * 1000;
    timeouts.start(this.timeoutMs, this);
    this.bookmarks = options.allowWatchBookmarks ? new Bookmarks(this, this.timeoutMs) : undefined;
    watches.add(this);
    this.forgetAbort = whenAborted(ctx, () => this.end());
  }

  get wantsBookmarks(): boolean {
    return this.bookmarks !== undefined;
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.unsubscribe();
    this.scope.timeouts.stop(this.timeoutMs, this);
    this.bookmarks?.stop();
    this.scope.watches.delete(this);
    this.forgetAbort();
    this.waking?.();
  }

  end(): void {
    if (this.stopped) return;
    this.stop();
    this.listener.end();
  }

  expired(): void {
    this.end();
  }

  ended(): void {
    this.end();
  }

  /** What it was the turn of others for is told all the same: the last objects of a kind may have gone just before it. */
  retire(): void {
    this.retired = true;
    if (!this.caughtUp) return;
    const rest = this.queue ?? [];
    this.queue = undefined;
    if (rest.length > 0) this.deliver(rest);
    this.end();
  }

  tell(changed: number): void {
    if (this.wantsBookmarks && this.told < changed) this.bookmark();
  }

  /** Says how far it is, now or when nothing waits. */
  bookmark(): void {
    // Before the queue is empty the newest revision would promise events that have not been sent.
    this.asked = this.queue !== undefined;
    if (this.asked || this.stopped) return;
    this.told = this.scope.cache.revision();
    this.send([{ type: 'BOOKMARK', resourceVersion: String(this.told) }]);
  }

  /** A listener that throws is cut off: its failure must not reach the writer whose change it was told of. */
  send(batch: readonly RegistryWatchEvent[]): void {
    try {
      this.listener.events(batch);
    } catch (error) {
      this.failed(error, 'delivery of watch events');
    }
  }

  failed(error: unknown, what: string): void {
    this.scope.report(error, what);
    this.end();
  }

  deliver(changes: readonly CacheEvent[]): void {
    const { scope, selection, from } = this;
    const batch: RegistryWatchEvent[] = [];
    for (const change of changes) {
      if (change.revision <= from) continue;
      const type = seenAs(change, scope, selection);
      if (type === undefined) continue;
      batch.push(scope.view.event(change, type));
      this.told = change.revision;
    }
    if (batch.length > 0) this.send(batch);
  }

  events(changes: readonly CacheEvent[]): void {
    if (this.queue === undefined) {
      if (this.scope.line.hasRoom()) return this.deliver(changes);
      this.queue = [];
      this.stand();
    }
    for (const change of changes) {
      this.queue.push(change);
      this.queuedBytes += change.object.size;
    }
    if (this.queue.length > MAX_QUEUED_EVENTS || this.queuedBytes > MAX_QUEUED_BYTES) this.cut();
  }

  /** Nothing is awaited here: what comes later is delivered directly. */
  begun(): void {
    const waiting = this.queue ?? [];
    this.queue = undefined;
    this.caughtUp = true;
    if (!this.stopped) {
      this.deliver(waiting);
      this.listener.begun?.();
      if (this.asked) this.bookmark();
    }
    if (this.retired) this.end();
  }

  private stand(): void {
    this.scope.line.stand(() => this.catchUp());
  }

  /** One of thousands that are told of a change has its turn. */
  private catchUp(): void {
    if (this.stopped) return;
    const now = this.queue?.slice(0, INITIAL_CHUNK) ?? [];
    const rest = this.queue?.slice(INITIAL_CHUNK) ?? [];
    this.queue = rest.length > 0 ? rest : undefined;
    this.queuedBytes = rest.reduce((sum, change) => sum + change.object.size, 0);
    if (this.queue !== undefined) this.stand();
    try {
      this.deliver(now);
    } catch (error) {
      this.failed(error, 'delivery of watch events');
    }
    if (this.asked) this.bookmark();
  }

  /** An end that looks like one would be taken for a watch whose time is over. */
  private cut(): void {
    if (this.stopped) return;
    this.stop();
    this.queue = undefined;
    this.listener.cut();
  }
}

export function runWatch(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  options: ListOptions,
  selection: Selection,
  start: WatchStart,
  listener: WatchListener,
): RegistryWatch {
  const watch = new RunningWatch(scope, selection, start.revision, listener, ctx, namespace, options);
  if (scope.retired.aborted) setImmediate(() => watch.retire());
  setImmediate(() => {
    if (isAborted(ctx)) return watch.end();
    if (!watch.stopped) tellInitial(watch, start).catch((error: unknown) => watch.failed(error, INITIAL));
  });
  return watch;
}

const INITIAL = 'delivery of initial events';
