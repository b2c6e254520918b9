import type { DeepReadonly, JsonObject, KubeObject, ObjectKey } from '../machinery/types.js';

/** Where a resource lives: `{group: 'apps', version: 'v1', resource: 'deployments', namespaced: true}`. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

export interface PatchOptions {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  readonly fieldManager?: string;
  readonly force?: boolean;
  readonly subresource?: string;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** A typed handle on one resource. Every method throws StatusError (machinery/status) as the server answered it. */
export interface ResourceClient<T extends KubeObject = KubeObject> {
  readonly ref: ResourceRef;
  get(key: ObjectKey): Promise<T>;
  list(options?: ListOptions): Promise<{ items: T[]; resourceVersion: string }>;
  /** The same objects, so many at a time: a large list is neither held nor read as a whole. */
  pages(options?: ListOptions): AsyncIterable<readonly T[]>;
  create(namespace: string, object: T): Promise<T>;
  update(object: T, options?: { subresource?: string }): Promise<T>;
  patch(key: ObjectKey, patch: unknown, options: PatchOptions): Promise<T>;
  delete(
    key: ObjectKey,
    options?: {
      gracePeriodSeconds?: number;
      propagationPolicy?: string;
      preconditions?: { uid?: string; resourceVersion?: string };
    },
  ): Promise<void>;
  /** POST to a subresource (binding, eviction, token). */
  createSubresource(key: ObjectKey, subresource: string, body: JsonObject): Promise<JsonObject>;
}

/** One connection pool to an API server. */
export interface Client {
  resource<T extends KubeObject = KubeObject>(ref: ResourceRef): ResourceClient<T>;
  /** A plain JSON request, e.g. for /version or discovery. */
  request(method: string, path: string, body?: unknown, options?: { readonly accept: string }): Promise<unknown>;
  close(): void;
}

/** A local, read-only mirror of one resource. */
export interface Indexer<T extends KubeObject = KubeObject> {
  get(key: string): DeepReadonly<T> | undefined;
  list(): Iterable<DeepReadonly<T>>;
  /** Objects whose index function named `index` gave `value`. "namespace" is always there. */
  byIndex(index: string, value: string): readonly DeepReadonly<T>[];
  /** How many those are. */
  countByIndex(index: string, value: string): number;
}

export interface EventHandler<T extends KubeObject = KubeObject> {
  add?(object: DeepReadonly<T>): void;
  update?(old: DeepReadonly<T>, object: DeepReadonly<T>): void;
  /** `object` is the last known state. */
  delete?(object: DeepReadonly<T>): void;
}

/** A reflector, an indexer and its handlers; shared by all users of a resource in a process. */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly indexer: Indexer<T>;
  /** Handlers get an `add` for everything already known. Must be called before or after start; returns a remover. */
  addHandler(handler: EventHandler<T>): () => void;
  addIndex(name: string, index: (object: DeepReadonly<T>) => readonly string[]): void;
  /** True once the first list has been delivered to the handlers. */
  readonly synced: boolean;
  whenSynced(signal: AbortSignal): Promise<void>;
}

/** Which objects an informer mirrors, and how much of each. */
export interface InformerSelectors {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only apiVersion, kind and metadata (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
}

/** One informer per resource, started together. */
export interface InformerFactory {
  informer<T extends KubeObject = KubeObject>(ref: ResourceRef, options?: InformerSelectors): Informer<T>;
  /** Ends the informer of a resource that is served no longer, or in another version, unless somebody listens to it. */
  release?(ref: ResourceRef, options?: InformerSelectors): void;
  /** Starts all informers asked for so far and later; they stop with the signal. */
  start(signal: AbortSignal): void;
  whenSynced(signal: AbortSignal): Promise<void>;
}

/** "namespace/name", or "name" for cluster-scoped objects. */
export const keyOf = (object: { metadata: { namespace?: string; name?: string } }): string =>
  object.metadata.namespace === undefined || object.metadata.namespace === ''
    ? (object.metadata.name ?? '')
    : `${object.metadata.namespace}/${object.metadata.name ?? ''}`;

export const splitKey = (key: string): ObjectKey => {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};
