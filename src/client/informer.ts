import type { Clock } from '../machinery/clock.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import { createStore } from './indexer.js';
import { runReflector } from './reflector.js';
import type { Transport } from './transport.js';
import {
  keyOf,
  type EventHandler,
  type Informer,
  type InformerFactory,
  type InformerSelectors,
  type ResourceRef,
} from './types.js';

export interface InformerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Freezes every object handed out: proves in tests that nobody writes to the cache. */
  readonly freeze?: boolean;
  readonly onError?: (ref: ResourceRef, error: Error) => void;
}

interface RunnableInformer<T extends KubeObject> extends Informer<T> {
  run(signal: AbortSignal): void;
  /** Ends it, unless it has a handler. @returns whether it ended */
  endIfUnheard(): boolean;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** Resolves when `ready()` holds after one of the calls that `subscribe` causes; rejects with the signal's reason. */
function until(subscribe: (wake: () => void) => () => void, ready: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const finish = (done: () => void): void => {
      unsubscribe();
      signal.removeEventListener('abort', aborted);
      done();
    };
    const aborted = (): void => finish(() => reject(signal.reason as Error));
    const wake = (): void => {
      if (ready()) finish(resolve);
    };
    const unsubscribe = subscribe(wake);
    signal.addEventListener('abort', aborted);
    wake();
  });
}

function createInformer<T extends KubeObject>(
  options: InformerOptions,
  ref: ResourceRef,
  selectors: InformerSelectors,
): RunnableInformer<T> {
  const store = createStore<T>();
  const handlers = new Set<EventHandler<T>>();
  const waiters = new Set<() => void>();
  let synced = false;
  const ending = new AbortController();
  const readonly = (object: T): DeepReadonly<T> =>
    (options.freeze === true ? deepFreeze(object) : object) as DeepReadonly<T>;

  const upsert = (object: DeepReadonly<T>): void => {
    const old = store.put(object);
    for (const handler of handlers)
      if (old === undefined) handler.add?.(object);
      else if (old.metadata.uid !== object.metadata.uid) {
        // Deleted and made again while nobody watched: another object of the same name.
        handler.delete?.(old);
        handler.add?.(object);
      } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) handler.update?.(old, object);
  };
  const remove = (key: string, last?: DeepReadonly<T>): void => {
    const old = store.remove(key);
    if (old !== undefined) for (const handler of handlers) handler.delete?.(last ?? old);
  };

  return {
    indexer: store,
    addIndex: (name, index) => store.addIndex(name, index),
    addHandler(handler) {
      handlers.add(handler);
      for (const object of store.list()) handler.add?.(object);
      return () => handlers.delete(handler);
    },
    get synced() {
      return synced;
    },
    whenSynced: signal =>
      until(
        wake => {
          waiters.add(wake);
          return () => waiters.delete(wake);
        },
        () => synced,
        signal,
      ),
    endIfUnheard() {
      if (handlers.size > 0) return false;
      ending.abort();
      return true;
    },
    run(signal) {
      void runReflector<T>(
        {
          transport: options.transport,
          clock: options.clock,
          ref,
          ...selectors,
          onError: error => options.onError?.(ref, error),
        },
        {
          replace(objects) {
            const present = new Set<string>();
            for (const object of objects) {
              present.add(keyOf(object));
              upsert(readonly(object));
            }
            for (const key of [...store.keys()]) if (!present.has(key)) remove(key);
            synced = true;
            for (const wake of [...waiters]) wake();
          },
          upsert: object => upsert(readonly(object)),
          remove: object => remove(keyOf(object), readonly(object)),
        },
        AbortSignal.any([signal, ending.signal]),
      );
    },
  };
}

/** Informers of one process: one per resource and selector, over one transport. */
export function createInformerFactory(options: InformerOptions): InformerFactory {
  const informers = new Map<string, RunnableInformer<KubeObject>>();
  let running: AbortSignal | undefined;
  return {
    informer<T extends KubeObject>(ref: ResourceRef, selectors: InformerSelectors = {}) {
      const id = idOf(ref, selectors);
      let informer = informers.get(id);
      if (informer === undefined) {
        informer = createInformer<KubeObject>(options, ref, selectors);
        informers.set(id, informer);
        if (running !== undefined) informer.run(running);
      }
      return informer as unknown as Informer<T>;
    },
    release(ref, selectors = {}) {
      const id = idOf(ref, selectors);
      if (informers.get(id)?.endIfUnheard() === true) informers.delete(id);
    },
    start(signal) {
      // Those that come later run at once.
      if (running !== undefined) return;
      running = signal;
      for (const informer of informers.values()) informer.run(signal);
    },
    async whenSynced(signal) {
      await Promise.all([...informers.values()].map(informer => informer.whenSynced(signal)));
    },
  };
}

const idOf = (ref: ResourceRef, { labelSelector, fieldSelector }: InformerSelectors): string =>
  JSON.stringify([ref.group, ref.version, ref.resource, labelSelector, fieldSelector]);
