import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly, JsonObject, KubeObject, ObjectKey } from '../../machinery/types.js';
import type { Status } from '../../machinery/status.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { ConnectTarget, DeleteOptions, RequestContext } from '../../api/strategy.js';

/**
 * An object as the watch cache keeps it: parsed once, encoded at most once per form, frozen. Everything the server
 * sends is made from these.
 */
export interface StoredObject {
  readonly key: ObjectKey;
  readonly revision: number;
  /** With metadata.resourceVersion, without kind and apiVersion when kept as a list item; read-only. */
  readonly object: DeepReadonly<KubeObject>;
  /** JSON with kind and apiVersion first, no newline. The same bytes each time. */
  encode(): Buffer;
  /** Where in them an item of a built-in list goes on behind its brace: it has no kind and no apiVersion. */
  itemStart(): number;
  /** metadata as it stands in them; undefined: they were made for one answer, and it has to be made, too. */
  metadataText(): string | undefined;
}

/** The raw query of a list or watch; the registry owns their rules (reference: k8s.io/apiserver list and watch options). */
export interface ListQuery {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: string;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly sendInitialEvents?: string;
  readonly allowWatchBookmarks?: string;
  readonly timeoutSeconds?: string;
}

export interface ListResult {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  readonly items: readonly StoredObject[];
}

export type RegistryWatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: StoredObject }
  /** `initialEventsEnd`: carries the annotation k8s.io/initial-events-end. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd?: boolean }
  /** Ends the watch. */
  | { readonly type: 'ERROR'; readonly status: Status };

export interface RegistryWatch {
  /** Ends the watch: no call to the listener after it returns. */
  stop(): void;
}

export interface WatchListener {
  /** Events that became visible together; write them in one go. Called synchronously; never after `end`. */
  events(batch: readonly RegistryWatchEvent[]): void;
  /** The watch ended by itself (timeout, error already sent, shutdown). */
  end(): void;
  /** The client is too slow to be told of everything: its connection is cut, so that it starts again. */
  cut(): void;
  /** What was there at the start has been delivered. */
  begun?(): void;
  /** Bytes accepted but not yet taken by the client; initial events wait until they are few. */
  backlog(): number;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchRequest {
  readonly type: PatchType;
  /**
   * The patch as JSON, and keys that it gives twice, where the decoder finds them. Decoded once, when first asked for.
   * @throws StatusError 400
   */
  decode(): Steps<{ readonly patch: unknown; readonly duplicateKeys: readonly string[] }>;
  /** The body as sent, for error texts. */
  readonly raw: Buffer;
  readonly force: boolean;
}

export interface WriteResult {
  readonly object: StoredObject | KubeObject;
  /** True when an update, patch or apply created the object (201). */
  readonly created: boolean;
}

/**
 * All operations on one resource; the only writer of objects. Every method throws StatusError with the real server's
 * reason and text. `namespace` is '' for cluster-scoped resources and for lists across namespaces.
 */
export interface Registry {
  readonly info: ResourceInfo;
  get(ctx: RequestContext, key: ObjectKey, query: { resourceVersion?: string }): Promise<StoredObject>;
  list(ctx: RequestContext, namespace: string, query: ListQuery): Promise<ListResult>;
  watch(ctx: RequestContext, namespace: string, query: ListQuery, listener: WatchListener): Promise<RegistryWatch>;
  create(ctx: RequestContext, namespace: string, object: KubeObject): Promise<WriteResult>;
  /** GET of a subresource that shows the object: the object itself (status, ...) or a view of it (scale). */
  getSubresource(
    ctx: RequestContext,
    key: ObjectKey,
    subresource: string,
    query: { resourceVersion?: string },
  ): Promise<StoredObject | KubeObject>;
  /** POST to an action subresource (binding, eviction, token), through admission. `code` is the HTTP status. */
  createSubresource(
    ctx: RequestContext,
    key: ObjectKey,
    subresource: string,
    body: KubeObject | undefined,
  ): Promise<{ object: KubeObject | Status; code: number }>;
  /** Where a connection goes (exec, proxy, ...), through admission. undefined: there is nothing to answer (204). */
  connect(
    ctx: RequestContext,
    key: ObjectKey,
    subresource: string,
    asked: { readonly query: URLSearchParams; readonly path: string },
  ): Promise<ConnectTarget | undefined>;
  update(ctx: RequestContext, key: ObjectKey, object: KubeObject, subresource: string): Promise<WriteResult>;
  patch(ctx: RequestContext, key: ObjectKey, patch: PatchRequest, subresource: string): Promise<WriteResult>;
  /** `object` set: answer it; else the Status. */
  delete(ctx: RequestContext, key: ObjectKey, options: DeleteOptions): Promise<DeleteResult>;
  deleteCollection(
    ctx: RequestContext,
    namespace: string,
    options: DeleteOptions,
    query: ListQuery,
  ): Promise<ListResult>;
}

/** `deleted`: the object is gone; false while grace or finalizers keep it (202 when orphanDependents=false was asked). */
export type DeleteResult =
  | { readonly kind: 'object'; readonly object: StoredObject | KubeObject; readonly deleted: boolean }
  | { readonly kind: 'status'; readonly status: Status; readonly deleted: boolean };

export type RawObject = JsonObject;
