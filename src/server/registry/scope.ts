import type { Clock } from '../../machinery/clock.js';
import type { Line } from '../../machinery/line.js';
import type { Random } from '../../machinery/random.js';
import type { Steps } from '../../machinery/steps.js';
import type { Timeouts } from '../../machinery/timeouts.js';
import type { Turns } from '../../machinery/turns.js';
import type { GroupResource } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectKey } from '../../machinery/types.js';
import type { Waiter } from '../../machinery/waiter.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import type { KindSchema } from '../../api/kind-schema.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { Strategy } from '../../api/strategy.js';
import type { AdmissionPlugin } from '../admission/types.js';
import type { CachedObject } from '../../storage/cached-object.js';
import type { ConvertedCache } from '../../storage/converted-cache.js';
import type { KeyValue, KvStore } from '../../storage/kv-store.js';
import type { Progress } from '../../storage/progress.js';
import type { Page, WatchCache } from '../../storage/watch-cache.js';
import type { Validator } from '../validation/validator.js';
import type { FieldManagers } from './field-managers.js';
import type { View } from './view.js';

/** A watch that is open. */
export interface OpenWatch {
  /** Tells how far it is by a bookmark, unless its client knows of the last change, whose revision is given. */
  tell(changed: number): void;
  end(): void;
  /** The entry that it goes by is served no longer. */
  retire(): void;
  readonly scope: Scope;
}

/** What all operations on one resource in one version share. */
export interface Scope {
  readonly info: ResourceInfo;
  readonly schema: KindSchema;
  readonly strategy: Strategy;
  readonly store: KvStore;
  /** What watches tell and writes start from, in the resource's own version. */
  readonly cache: ConvertedCache;
  readonly versions: StoredVersions;
  readonly progress: Progress;
  /** Where reservations of a resource are kept. */
  readonly shelf: (resource: string) => Shelf;
  readonly view: View;
  readonly clock: Clock;
  readonly random: Random;
  /** Cuts what takes long. */
  readonly turns: Turns;
  /** Watchers beyond the first few that are told of a change. */
  readonly line: Line;
  /** Of watches. */
  readonly timeouts: Timeouts;
  readonly admission: readonly AdmissionPlugin[];
  readonly watches: Set<OpenWatch>;
  /** Told of failures that no request can be told of. */
  readonly report: (error: unknown, what: string) => void;
  /** Aborts when the entry is served no longer, or served anew: who watches by it comes back. */
  readonly retired: AbortSignal;
  /** The schema of a subresource's body. */
  readonly body: Catalog['body'];
  readonly validate: Validator;
  readonly fieldManagers: FieldManagers;
  /** The strategy's `fields`, computed once per object however many watchers ask. */
  readonly computedFields: ((object: DeepReadonly<KubeObject>) => Readonly<Record<string, string>>) | undefined;
  /** Mutates an object into what upstream's store would give back. */
  readonly normalize: (object: KubeObject) => Steps<void>;
}

/**
 * What the store has now, in the resource's version. Where somebody else converts, `get` and `page` ask anew each time, as
 * upstream does whenever it reads an object from etcd.
 */
export interface Newest {
  loaded(): Promise<void>;
  fresh(waiter: Waiter): Promise<void>;
  /** The revision that get is consistent with. */
  revision(): number;
  get(key: ObjectKey, waiter: Waiter): Promise<CachedObject | undefined> | CachedObject | undefined;
  page(namespace: string, revision: number, after: string, limit: number, waiter: Waiter): Promise<Page>;
}

/** Between what is stored and what the resource's version shows. Somebody may have to be asked for either. */
export interface StoredVersions {
  readonly newest: Newest;
  /**
   * Upstream makes of what its watch cache has of an object what is stored, before it changes or deletes it: whoever converts
   * is asked, and who cannot has refused the write.
   */
  checkStorable(existing: CachedObject, waiter: Waiter): Promise<void> | void;
  /** As `cache` has it. */
  fromStore(kv: KeyValue): Promise<CachedObject> | CachedObject;
  /** What has just been stored, as `cache` will have it. */
  committed(object: CachedObject): Promise<CachedObject> | CachedObject;
  /** The object to store. May be `object` itself. */
  toStorage(object: KubeObject, waiter: Waiter): Promise<KubeObject> | KubeObject;
  /** Runs what needs an object in other versions of its kind, again with what it has asked for. It must start anew. */
  withOthers<T>(waiter: Waiter, make: () => Promise<T>): Promise<T>;
}

/** Where reservations of one resource are kept. */
export interface Shelf {
  readonly cache: WatchCache;
  /** Of a resource with an API. */
  readonly scope: Scope | undefined;
}

export const groupResource = (info: ResourceInfo): GroupResource => ({ group: info.group, resource: info.plural });

export const entryOf = (scope: Scope): CatalogEntry => ({
  info: scope.info,
  schema: scope.schema,
  strategy: scope.strategy,
});

/**
 * A name that the catalog does not list stands for a change that the server makes as part of another request (e.g. a
 * binding assigns a Pod): neither admission, nor managedFields, nor generation take notice.
 */
export const isInternal = (info: ResourceInfo, subresource: string): boolean =>
  subresource !== '' && !info.subresources.some(s => s.name === subresource);

/**
 * To be called between the steps of a write, which of a big object take long: others have their turn of the event loop.
 * The first call of a turn only notes when it began.
 */
export async function breathe({ turns }: Pick<Scope, 'turns'>): Promise<void> {
  if (turns.isOver()) await turns.next();
}
