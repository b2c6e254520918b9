import { createStore, type Store } from '../../src/client/indexer.js';
import type {
  Client,
  EventHandler,
  Informer,
  InformerFactory,
  ResourceClient,
  ResourceRef,
} from '../../src/client/types.js';
import { keyOf } from '../../src/client/types.js';
import { createWorkQueue } from '../../src/machinery/work-queue.js';
import type { ControllerContext, ControllerOptions } from '../../src/controllers/controller.js';
import { FakeClock, formatTime } from '../../src/machinery/clock.js';
import { seededRandom } from '../../src/machinery/random.js';
import { applyMergePatch } from '../../src/machinery/merge-patch.js';
import { atOnce } from '../../src/machinery/steps.js';
import { alreadyExistsError, notFoundError } from '../../src/machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectKey } from '../../src/machinery/types.js';

export interface Action {
  readonly verb: 'create' | 'update' | 'patch' | 'delete' | 'post';
  readonly resource: string;
  readonly key: string;
  readonly subresource?: string;
  readonly body?: unknown;
}

/**
 * A cluster in memory for controller tests: informers over preloaded indexers, a client that writes into them at once
 * and remembers what it was asked. Objects handed out are frozen, so that a controller that writes to its cache fails.
 */
export interface FakeCluster {
  readonly actions: Action[];
  readonly events: { reason: string; message: string; type: string }[];
  readonly clock: FakeClock;
  readonly queued: Set<string>;
  load(ref: ResourceRef, ...objects: KubeObject[]): void;
  get(ref: ResourceRef, key: string): KubeObject | undefined;
  list(ref: ResourceRef): KubeObject[];
  /** The next write of this verb and resource fails with the error. */
  failNext(verb: Action['verb'], resource: string, error: Error): void;
  context(options?: Partial<ControllerOptions>): ControllerContext;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A status update carries annotations too, as the server's strategies let it. */
const withAnnotationsOf = (object: KubeObject, stored: KubeObject): KubeObject['metadata'] => ({
  ...stored.metadata,
  ...(object.metadata.annotations === undefined ? {} : { annotations: object.metadata.annotations }),
});

const REMOVE_FINALIZERS = '$deleteFromPrimitiveList/finalizers';

/** The fake merges; of strategic merge it knows what controllers ask for: that finalizers come and go. */
function withFinalizers(stored: KubeObject, patch: unknown): unknown {
  const { metadata, ...rest } = patch as { metadata?: Record<string, unknown> };
  if (metadata === undefined) return patch;
  const { [REMOVE_FINALIZERS]: gone = [], finalizers: come = [], ...others } = metadata as Record<string, string[]>;
  const left = (stored.metadata.finalizers ?? []).filter(name => !gone.includes(name));
  const finalizers = [...left, ...come.filter(name => !left.includes(name))];
  return { ...rest, metadata: { ...others, ...(gone.length + come.length === 0 ? {} : { finalizers }) } };
}

export function createFakeCluster(): FakeCluster {
  const clock = new FakeClock();
  const stores = new Map<string, { store: Store<KubeObject>; handlers: Set<EventHandler> }>();
  const actions: Action[] = [];
  const events: FakeCluster['events'] = [];
  const queued = new Set<string>();
  const failures: { verb: string; resource: string; error: Error }[] = [];
  let counter = 0;

  const of = (resource: string): { store: Store<KubeObject>; handlers: Set<EventHandler> } => {
    let entry = stores.get(resource);
    if (entry === undefined) {
      entry = { store: createStore<KubeObject>(), handlers: new Set() };
      stores.set(resource, entry);
    }
    return entry;
  };
  const put = (resource: string, object: KubeObject): void => {
    const { store, handlers } = of(resource);
    const frozen = deepFreeze(copy(object)) as DeepReadonly<KubeObject>;
    const old = store.put(frozen);
    for (const handler of handlers)
      if (old === undefined) handler.add?.(frozen);
      else handler.update?.(old, frozen);
  };
  const remove = (resource: string, key: string): void => {
    const { store, handlers } = of(resource);
    const old = store.remove(key);
    if (old !== undefined) for (const handler of handlers) handler.delete?.(old);
  };
  const text = (key: ObjectKey): string => keyOf({ metadata: key });
  const note = (action: Action): void => {
    const at = failures.findIndex(f => f.verb === action.verb && f.resource === action.resource);
    actions.push(action);
    const [failure] = at < 0 ? [] : failures.splice(at, 1);
    if (failure !== undefined) throw failure.error;
  };
  const stamp = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(++counter) },
  });

  const resource = <T extends KubeObject>(ref: ResourceRef): ResourceClient<T> => {
    const name = ref.resource;
    const current = (key: ObjectKey): KubeObject => {
      const found = of(name).store.get(text(key));
      if (found === undefined) throw notFoundError({ group: ref.group, resource: name }, key.name);
      return copy(found) as KubeObject;
    };
    const listed = (namespace: string | undefined): T[] =>
      [...of(name).store.list()]
        .filter(o => namespace === undefined || o.metadata.namespace === namespace)
        .map(o => copy(o) as T);
    return {
      ref,
      get: async key => current(key) as T,
      list: async ({ namespace } = {}) => ({ items: listed(namespace), resourceVersion: String(counter) }),
      async *pages({ namespace } = {}) {
        yield listed(namespace);
      },
      create: async (namespace, object) => {
        const metadata = { ...object.metadata, ...(ref.namespaced ? { namespace } : {}) };
        metadata.name ??= `${metadata.generateName ?? ''}${String(++counter).padStart(5, '0')}`;
        metadata.uid ??= `uid-${++counter}`;
        metadata.creationTimestamp ??= formatTime(clock.now());
        // As the server's strategy of Pods does.
        const status = name === 'pods' ? { status: { phase: 'Pending' } } : {};
        const created = stamp({ ...status, ...copy(object), metadata });
        note({ verb: 'create', resource: name, key: keyOf(created), body: created });
        if (of(name).store.get(keyOf(created)) !== undefined)
          throw alreadyExistsError({ group: ref.group, resource: name }, metadata.name);
        put(name, created);
        return created as T;
      },
      update: async (object, options) => {
        const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
        const subresource = options?.subresource;
        note({
          verb: 'update',
          resource: name,
          key: text(key),
          body: copy(object),
          ...(subresource === undefined ? {} : { subresource }),
        });
        const stored = current(key);
        const next =
          subresource === 'status'
            ? { ...stored, metadata: withAnnotationsOf(object, stored), status: object['status'] }
            : { ...object, status: stored['status'] };
        const updated = stamp(copy(next));
        put(name, updated);
        return updated as T;
      },
      patch: async (key, patch, options) => {
        const { subresource } = options;
        note({
          verb: 'patch',
          resource: name,
          key: text(key),
          body: patch,
          ...(subresource === undefined ? {} : { subresource }),
        });
        const wanted = options.type === 'strategic' ? withFinalizers(current(key), patch) : patch;
        const updated = stamp(atOnce(applyMergePatch(current(key), wanted)) as KubeObject);
        put(name, updated);
        return updated as T;
      },
      delete: async key => {
        note({ verb: 'delete', resource: name, key: text(key) });
        current(key);
        remove(name, text(key));
      },
      createSubresource: async (key, subresource, body) => {
        note({ verb: 'post', resource: name, key: text(key), subresource, body });
        return {};
      },
    };
  };

  const client: Client = {
    resource,
    request: async (method, path) => {
      if (path.includes('/proxy/volumes/')) {
        note({ verb: 'delete', resource: 'nodes/proxy', key: `${method} ${path}` });
        return {};
      }
      throw new Error(`the fake cluster does not serve ${method} ${path}`);
    },
    close: () => undefined,
  };
  const informers: InformerFactory = {
    informer<T extends KubeObject>(ref: ResourceRef): Informer<T> {
      const { store, handlers } = of(ref.resource);
      return {
        indexer: store,
        synced: true,
        whenSynced: async () => undefined,
        addIndex: (name: string, index: never) => store.addIndex(name, index),
        addHandler: (handler: EventHandler) => {
          handlers.add(handler);
          for (const object of store.list()) handler.add?.(object);
          return () => handlers.delete(handler);
        },
      } as unknown as Informer<T>;
    },
    start: () => undefined,
    whenSynced: async () => undefined,
  };

  return {
    actions,
    events,
    clock,
    queued,
    load: (ref, ...objects) => objects.forEach(object => put(ref.resource, stamp(object))),
    get: (ref, key) => of(ref.resource).store.get(key) as KubeObject | undefined,
    list: ref => [...of(ref.resource).store.list()] as KubeObject[],
    failNext: (verb, name, error) => void failures.push({ verb, resource: name, error }),
    context: options => {
      const queue = createWorkQueue({ clock });
      return {
        client,
        informers,
        clock,
        random: seededRandom(1),
        queue: {
          ...queue,
          add: key => void queued.add(key),
          addAfter: (key, ms) => void (ms <= 0 ? queued.add(key) : clock.after(ms, () => void queued.add(key))),
        },
        signal: new AbortController().signal,
        log: { info: () => undefined, warn: () => undefined, error: () => undefined },
        options: { nodeMonitorPeriodMs: 5_000, nodeMonitorGracePeriodMs: 50_000, ...options },
        recorder: () => ({
          event: (_object, type, reason, message) => void events.push({ type, reason, message }),
          flush: async () => undefined,
        }),
      };
    },
  };
}
