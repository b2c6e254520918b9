import type { Row } from './columns.js';
import type { Clock } from '../machinery/clock.js';
import type { FieldError } from '../machinery/field-error.js';
import type { Status } from '../machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectKey, ObjectMeta } from '../machinery/types.js';
import type { Waiter } from '../machinery/waiter.js';
import type { Columns } from './columns.js';
import type { ResourceInfo } from './resource-info.js';

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a client asked beside the object. `dryRun`: everything runs but storage. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** What of it stood in the request, in upstream's words, but for the dry run: admission is told of it. */
  readonly asked?: { readonly fieldManager?: string; readonly fieldValidation?: string };
}

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly orphanDependents?: boolean;
  readonly preconditions?: Preconditions;
}

/**
 * Objects of other kinds, for strategies and admission. Reads come from the watch cache and are frozen: copy before
 * changing. `resource` is a resourceId such as "pods" or "replicasets.apps".
 */
export interface Objects {
  get(resource: string, key: ObjectKey): DeepReadonly<KubeObject> | undefined;
  list(resource: string, namespace?: string): Iterable<DeepReadonly<KubeObject>>;
  /** A number that moves whenever the resource's objects change, for who keeps an index of them. */
  generation?(resource: string): number;
  /** Tells of every object that changes, and after a loss of events of all there are, until the signal. */
  subscribe?(resource: string, onChange: (key: ObjectKey) => void, signal: AbortSignal): void;
  /** Resolves when reads of the resource show at least what the store held when this was called. */
  fresh?(resource: string, waiter: Waiter): Promise<void>;
  /** Writes through the whole registry path (validation, admission, events to watchers). @throws StatusError */
  create(ctx: RequestContext, resource: string, object: KubeObject): Promise<KubeObject>;
  /**
   * Reads, lets `change` alter a copy, writes; again on conflict. A `subresource` that the catalog does not list stands
   * for a change that is part of another request (a binding assigns a Pod): neither admission nor managedFields nor
   * metadata.generation take notice of it. @throws StatusError
   */
  update(
    ctx: RequestContext,
    resource: string,
    key: ObjectKey,
    change: (object: KubeObject) => void,
    options?: { subresource?: string; dryRun?: boolean },
  ): Promise<KubeObject>;
  delete(ctx: RequestContext, resource: string, key: ObjectKey, options: DeleteOptions): Promise<KubeObject | Status>;
  /** The catalog entry of a resource, in its preferred version. */
  info(resource: string): ResourceInfo | undefined;
}

/** One request, as far as strategies and admission need it. Another is made of it by `derivedContext`, never by a spread. */
export interface RequestContext extends Waiter {
  readonly user: UserInfo;
  readonly clock: Clock;
  readonly options: WriteOptions;
  readonly objects: Objects;
  /** When the request's time is up, by the monotonic clock; absent: never. */
  readonly deadlineMs?: number;
  /** Asked when an update or an apply turns into a creation: whether the user may create too. @throws StatusError 403 */
  mayCreate?(): Promise<void>;
  /** Adds to the annotations of the request's audit event; of a `detail` only where the object is recorded too. */
  annotate?(key: string, value: string, detail?: boolean): void;
  /** Nobody is asked to admit it: a part of what has been admitted, or the server's own housekeeping. */
  readonly unadmitted?: boolean;
  /** Adds a `Warning: 299` header to the answer. */
  warn(text: string): void;
}

/** All that a validator may know beside the object itself, so that it can be asked anywhere. */
export interface ValidationContext {
  /** The Namespace that the object is in. */
  namespace(): DeepReadonly<KubeObject> | undefined;
}

/** A value that only one object may have (an address, a port), as an object of its own that is named for it. */
export interface Reservation {
  /** A resourceId; what starts with "ranges/" has no API. */
  readonly resource: string;
  /** Not in a namespace. */
  readonly object: KubeObject;
}

/**
 * Values that no two objects may have. A reservation is made in the commit that gives the value to its holder, on the
 * condition that there is none, and goes in the commit that takes it away: however many servers write, and wherever they
 * stop, no value is handed out twice and none is lost.
 */
export interface Reservations<T extends KubeObject = KubeObject> {
  /** Every resource that reservations may be of. */
  readonly resources: readonly string[];
  /** All that an object holds. Pure. */
  heldBy(object: DeepReadonly<T>): Reservation[];
  /** Whose a reservation is; undefined: it was not made for this kind. */
  holderOf(reservation: DeepReadonly<KubeObject>): ObjectKey | undefined;
}

export interface Heavy {
  readonly nodes: number;
  /** So much text is as much work as a node; absent: text is only looked at. */
  readonly characters?: number;
  /** Where so much less is, by names of members: expressions, which are compiled. */
  readonly texts?: ReadonlyMap<string, number>;
}

/**
 * What a kind does beyond its data. Every hook is optional, is named for its moment, and runs in this order on a write:
 * default → (admission) → reserve → prepareForCreate|prepareForUpdate → validate|validateUpdate → warnings →
 * canonicalize → store → afterCreate|afterDelete.
 * T is the kind's wire type; hooks marked "mutates" may change `object` and nothing else.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Mutates. Defaults that the schema cannot say. Pure: runs again whenever an object is decoded for writing. */
  default?(object: T): void;
  /**
   * Mutates. Chooses values that nobody has reserved. Runs again, from the start, when another writer was faster.
   * @throws StatusError
   */
  reserve?(ctx: RequestContext, object: T, old: DeepReadonly<T> | undefined): Promise<void>;
  readonly reservations?: Reservations<T>;
  /** Mutates. Drops what clients may not set, fills in initial status. */
  prepareForCreate?(ctx: RequestContext, object: T): void;
  /** Mutates. Restores what this endpoint may not change. Generic code has already reset status (see resetFields). */
  prepareForUpdate?(ctx: RequestContext, object: T, old: DeepReadonly<T>): void;
  /**
   * How many nodes of an object, and how much text instead of one, make its checks too long for the event loop, where they
   * do more than look at everything once.
   */
  readonly heavy?: Heavy;
  /** Must not mutate. Generic code checks metadata. Of a big object it runs in another thread, as do the next two. */
  validate?(ctx: ValidationContext, object: DeepReadonly<T>): FieldError[];
  /** Must not mutate. Called instead of `validate`, which it may call. */
  validateUpdate?(ctx: ValidationContext, object: DeepReadonly<T>, old: DeepReadonly<T>): FieldError[];
  /** Must not mutate. Texts for Warning headers. */
  warnings?(ctx: ValidationContext, object: DeepReadonly<T>, old: DeepReadonly<T> | undefined): string[];
  /** Mutates. Brings equal objects to one form, after validation. */
  canonicalize?(object: T): void;
  /** Whether metadata.generation moves, for kinds that depart from their catalog entry. */
  generationChanged?(object: DeepReadonly<T>, old: DeepReadonly<T>): boolean;
  afterCreate?(ctx: RequestContext, object: DeepReadonly<T>): Promise<void>;
  afterUpdate?(ctx: RequestContext, object: DeepReadonly<T>, old: DeepReadonly<T>): Promise<void>;
  afterDelete?(ctx: RequestContext, object: DeepReadonly<T>): Promise<void>;
  /** Refuses a deletion or warns of it. @throws StatusError */
  beforeDelete?(ctx: RequestContext, object: DeepReadonly<T>, options: DeleteOptions): void;
  /**
   * Seconds an object stays with a deletionTimestamp before it goes; undefined: the kind is deleted at once.
   * `requested` is the client's gracePeriodSeconds.
   */
  gracePeriodSeconds?(object: DeepReadonly<T>, requested: number | undefined): number | undefined;
  /** Mutates. Called when a deletion leaves the object in place (grace or finalizers), e.g. a Namespace turns Terminating. */
  markDeleting?(object: T): void;
  /**
   * For kinds that are deleted in two phases (Namespace): the first DELETE only marks the object, with no grace period
   * recorded. It goes once nothing is in metadata.finalizers and this says true: by the update that makes it so, or by a
   * later DELETE.
   */
  finalized?(object: DeepReadonly<T>): boolean;
  /** Values of computed field selector labels, beside those that are plain paths. */
  fields?(object: DeepReadonly<T>): Record<string, string>;
  /** Upstream's words for an unknown field selector label, where they differ from "field label not supported: x". */
  unknownFieldLabel?(label: string): string;
  /** The table row, when columns have no `source`. */
  cells?(object: DeepReadonly<T>, nowMs: number): Row;
  /** Mutates a copy. Fills in what is not stored but always answered. */
  decorate?(object: T): void;
  /**
   * Metadata as upstream's internal type has it, which Tables and partial objects show, where this version keeps more in
   * it: annotations for what has become fields.
   */
  internalMetadata?(object: DeepReadonly<T>): DeepReadonly<ObjectMeta>;
  /** Turns an object of this version into the storage version and back, for kinds served in several versions. */
  toStorage?(object: T): KubeObject;
  fromStorage?(object: KubeObject): T;
  /** Behaviour of the subresources that the catalog entry lists. "status" needs an entry only when it is special. */
  readonly subresources?: Readonly<Record<string, Subresource>>;
  /** For kinds that are not stored: their objects, as they are at this moment. */
  madeUp?(ctx: RequestContext): Iterable<KubeObject>;
  /** For kinds that are not stored: answers the POST. */
  review?(ctx: RequestContext, object: T, namespace: string): Promise<KubeObject>;
}

export type Subresource = PartSubresource | ViewSubresource | ActionSubresource | ConnectSubresource;

/** Reads and writes the object itself, under rules of its own (status, finalize, resize, ephemeralcontainers). */
export interface PartSubresource {
  readonly kind: 'part';
  prepareForUpdate?(ctx: RequestContext, object: KubeObject, old: DeepReadonly<KubeObject>): void;
  validateUpdate?(
    ctx: ValidationContext,
    object: DeepReadonly<KubeObject>,
    old: DeepReadonly<KubeObject>,
  ): FieldError[];
  warnings?(object: DeepReadonly<KubeObject>): string[];
}

/** Shows the object as another kind and writes back through it (scale). */
export interface ViewSubresource {
  readonly kind: 'view';
  get(object: DeepReadonly<KubeObject>): KubeObject;
  /** Says why a reader cannot be shown the object so. @throws StatusError */
  checkRead?(object: DeepReadonly<KubeObject>): void;
  /** What a writer finds, where that may be more than a reader is shown. Default: `get`. */
  forWriting?(object: DeepReadonly<KubeObject>): KubeObject;
  /** Mutates `object` so that it says what `view` asks. */
  put(object: KubeObject, view: DeepReadonly<KubeObject>): void;
  validate?(view: DeepReadonly<KubeObject>): FieldError[];
  /** The table of the view. */
  readonly columns?: Columns;
  /** Fields of the view and of the object that are the same value for managedFields, e.g. {'spec.replicas': 'spec.replicas'}. */
  readonly fieldMap: Readonly<Record<string, string>>;
  /** Where the replicas are in each version of the kind, '' in one without this view. Default: as in `fieldMap`, in one. */
  readonly replicasPaths?: Readonly<Record<string, string>>;
}

/** A POST that does something (binding, eviction, token). */
export interface ActionSubresource {
  readonly kind: 'action';
  /** Mutates. Defaults of the body, before managedFields say what the client set. */
  default?(body: KubeObject): void;
  /** Mutates. What the body says by the time that it is validated. @throws StatusError */
  prepare?(ctx: RequestContext, parent: ObjectKey, body: KubeObject): void;
  /** `code` is the HTTP status, 201 unless said. @throws StatusError */
  create(
    ctx: RequestContext,
    parent: ObjectKey,
    body: KubeObject | undefined,
  ): Promise<{ object: KubeObject | Status; code?: number }>;
}

/** A request that is passed on to the node that runs the object (log, exec, attach, portforward, proxy). */
export interface ConnectSubresource {
  readonly kind: 'connect';
  /** A verb that the sender must be allowed besides the one of the request's method. */
  readonly needs?: string;
  /**
   * Says where the request goes. @throws StatusError (e.g. "pod x does not have a host assigned")
   * undefined: there is nothing to answer (204).
   */
  target(ctx: RequestContext, parent: ObjectKey, query: URLSearchParams): ConnectTarget | undefined;
  /**
   * What admission is shown of the request: its options as an object (PodExecOptions and the like). `path` is what follows
   * the subresource, from its slash on. Absent for what only reads (log), which admission does not see.
   */
  options?(query: URLSearchParams, path: string): KubeObject;
}

export type ConnectTarget = KubeletTarget | KubeletProxyTarget | AddressTarget;

/** One request to the kubelet API of a node, made up by the API server: nothing of the client's path is in it. */
export interface KubeletTarget {
  readonly kind: 'kubelet';
  readonly node: string;
  /** Path and query. */
  readonly path: string;
  /** Whether a plain request (no Upgrade header) is refused with 400 "Upgrade request required". */
  readonly upgrade: boolean;
}

/** The kubelet API itself, under the path that the client asked for (nodes/proxy). */
export interface KubeletProxyTarget {
  readonly kind: 'kubelet-proxy';
  readonly node: string;
}

/** A server in the cluster's network, asked for the client's path. `node` is where the connection starts. */
export interface AddressTarget {
  readonly kind: 'address';
  readonly node: string;
  readonly scheme: 'http' | 'https';
  readonly address: string;
  readonly port: number;
}
