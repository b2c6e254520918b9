import type { Clock } from '../machinery/clock.js';
import { atRevision, cachedObject, isPending, type CachedObject } from './cached-object.js';
import { createEventHistory, type CacheEvent, type EventHistory, type HistoryBounds } from './event-history.js';
import type { HistoryBudget } from './history-budget.js';
import { parseKey } from './keys.js';
import type { KeyValue, WatchEvent } from './kv-store.js';
import { createSortedObjects } from './sorted-objects.js';
import { createSubscriptions, type Subscriptions } from './subscriptions.js';

export interface CacheStateOptions {
  /** Storage key prefix of the resource. */
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly bounds?: Partial<HistoryBounds>;
  /** Shared with other resources. */
  readonly budget?: HistoryBudget;
  /** Told of failures that no caller can be told of. */
  readonly onError: (error: unknown) => void;
}

/** Whether an object of the same revision was read as the store reads it now. */
const isSaidOf = ({ unreadable, stale }: CachedObject, kv: KeyValue): boolean =>
  unreadable === kv.unreadable && stale === (kv.stale === true);

/** All objects of a resource, their recent changes, and who wants to know: it takes in what a store tells, from wherever that comes. */
export class CacheState {
  readonly objects = createSortedObjects();
  readonly subscriptions: Subscriptions;
  history: EventHistory = createEventHistory(0, { events: 0 });
  /** Revision of the newest change of this resource. */
  changed = 0;
  /** What others read may change without a revision: what nobody could read is read, a deletion is forgotten before it is seen. */
  generation = 0;
  /** Whether any object ever was unreadable: else nobody has to look. */
  private sawUnreadable = false;

  constructor(private readonly options: CacheStateOptions) {
    this.subscriptions = createSubscriptions(options.onError);
  }

  /** What the store holds, as the cached object when that is the same. */
  objectOf(kv: KeyValue): CachedObject {
    const known = this.known(kv.key);
    return known?.revision === kv.modRevision && isSaidOf(known, kv) ? known : this.fromKeyValue(kv);
  }

  /** The first object that cannot be read; undefined: there is none. */
  unreadable(): CachedObject | undefined {
    return this.sawUnreadable ? this.objects.list('').find(object => object.unreadable !== undefined) : undefined;
  }

  /** What has happened since. */
  apply(events: readonly WatchEvent[]): void {
    const { clock, budget } = this.options;
    const visible: CacheEvent[] = [];
    const now = clock.monotonic();
    for (const raw of events) {
      const event = this.toEvent(raw, this.known(raw.key));
      if (event === undefined) continue;
      if (event.type === 'DELETED') this.objects.delete(event.object.key);
      else this.objects.set(event.object);
      this.history.push(event, now);
      this.changed = event.revision;
      this.generation++;
      visible.push(event);
    }
    budget?.settle();
    this.subscriptions.dispatch(visible);
    // Watchers have looked at what was replaced; those that come later parse it again.
    for (const { type, object, previous } of visible) {
      previous?.release();
      if (type === 'DELETED') object.release();
    }
  }

  /** Begins anew: what there is, and what has become of it since `start`. */
  replace(items: readonly KeyValue[], start: number, past: readonly WatchEvent[]): void {
    const { clock, bounds, budget } = this.options;
    this.subscriptions.endAll();
    budget?.remove(this.history);
    this.history = createEventHistory(start, bounds);
    budget?.add(this.history);
    const known = items.map(kv => this.objectOf(kv));
    this.objects.clear();
    this.generation++;
    for (const object of known) {
      this.objects.set(object);
      this.changed = Math.max(this.changed, object.revision);
    }
    for (const raw of past) {
      const event = this.toEvent(raw, undefined);
      if (event === undefined) continue;
      this.history.push(event, clock.monotonic());
      this.changed = Math.max(this.changed, event.revision);
    }
    budget?.settle();
  }

  /** Takes in what the store says of the same values now. @returns whether watchers may go on; else nothing is right but to begin anew */
  reread(items: readonly KeyValue[]): boolean {
    let isWhole = true;
    for (const kv of items) {
      const known = this.known(kv.key);
      if (known?.revision !== kv.modRevision || isSaidOf(known, kv)) continue;
      // Watchers have been told of something else: they have to begin anew.
      if (known.unreadable !== kv.unreadable) isWhole = false;
      else {
        this.objects.set(this.fromKeyValue(kv));
        this.generation++;
      }
    }
    return isWhole;
  }

  close(): void {
    this.options.budget?.remove(this.history);
    this.subscriptions.clear();
  }

  private known(key: string): CachedObject | undefined {
    return this.objects.get(parseKey(this.options.prefix, key, this.options.namespaced));
  }

  private read(key: string, revision: number, kv: KeyValue | undefined): CachedObject {
    const { prefix, namespaced } = this.options;
    const object = cachedObject(parseKey(prefix, key, namespaced), revision, kv?.value ?? new Uint8Array(), kv);
    if (object.unreadable !== undefined) this.sawUnreadable = true;
    return object;
  }

  private fromKeyValue(kv: KeyValue): CachedObject {
    return this.read(kv.key, kv.modRevision, kv);
  }

  private toEvent(event: WatchEvent, before: CachedObject | undefined): CacheEvent | undefined {
    const previous = before ?? (event.previous === undefined ? undefined : this.fromKeyValue(event.previous));
    if (event.type === 'delete') {
      if (previous === undefined) return undefined;
      return { type: 'DELETED', revision: event.revision, object: atRevision(previous, event.revision), previous };
    }
    const own = isPending(event.decoded) ? event.decoded : undefined;
    const object = own ?? this.read(event.key, event.revision, event.kv);
    own?.committed(event.revision);
    return previous === undefined
      ? { type: 'ADDED', revision: event.revision, object }
      : { type: 'MODIFIED', revision: event.revision, object, previous };
  }
}
