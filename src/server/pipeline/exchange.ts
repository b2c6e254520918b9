import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { FieldRequirement } from '../../machinery/fields.js';
import type { Status } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { SubresourceInfo } from '../../api/resource-info.js';
import type { UserInfo } from '../../api/strategy.js';
import type { AuditRecord } from '../audit/audit-record.js';
import type { MediaType } from '../negotiation/media-types.js';
import type { ListResult, Registry, StoredObject } from '../registry/types.js';
import type { Classification, Seat } from '../flow-control/types.js';
import type { Memory } from '../responses/chunked.js';
import type { RequestInfo } from './request-info.js';

/** What the client said, fixed for the whole request. */
export interface IncomingRequest {
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  /** As sent, with the query. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly auditId: string;
  /** Set when the client asks to leave HTTP (WebSocket, SPDY): bytes that came after the request head. */
  readonly upgradeHead: Buffer | undefined;
  /**
   * Aborts when the client goes, the deadline passes or the server stops. Made when it is first asked for: V8 keeps signals
   * through many collections, and with one the request that it belongs to. `abortedBy` and `onAbort` do without.
   */
  readonly signal: AbortSignal;
  /** Why it is aborted; undefined: it is not. */
  readonly abortedBy: Error | undefined;
  /** Calls once when it is aborted; what is returned takes that back. */
  onAbort(listener: (reason: Error) => void): () => void;
  /** Client's address and certificate come from here. */
  readonly socket: TLSSocket;
}

/** A request on its way through the pipeline; each step fills in what the later ones need. Has the memory that its answer takes. */
export interface Exchange extends Memory {
  readonly request: IncomingRequest;
  info: RequestInfo;
  /** What a field selector asks for, for authorization. */
  fields?: readonly FieldRequirement[] | undefined;
  user: UserInfo;
  /** Who is really there, when `user` is impersonated. */
  impersonator?: UserInfo;
  readonly warnings: string[];
  /** The request's time is not limited by the deadline. */
  longRunning: boolean;
  route: Route;
  media: MediaType;
  /** The body, for routes that take one. */
  body: Buffer;
  /** By the wall clock. */
  readonly receivedMs: number;
  /** By the monotonic clock. */
  readonly startedMs: number;
  /** undefined: nothing of this request is recorded. */
  audit?: AuditRecord | undefined;
  /** When the deadline passes, by the monotonic clock. */
  deadlineMs?: number;
  /** What the deadline gives it in all; undefined: no limit. */
  limitMs?: number;
  /** The flow schema and the priority level that it belongs to, by uid: every answer tells. */
  classification?: Classification;
  /** Its place among the requests that are worked on. */
  seat?: Seat;
  /** A stopping server waits for its answer. @throws StatusError 503 when it has begun to stop */
  enter(): void;
  /** From now on it has so long: sets `limitMs` and `deadlineMs`, and ends it then. */
  limitTo(ms: number): void;
  /** Reads of it show the state of this revision, whatever they ask for; undefined: as they ask. */
  asOf?: number;
  /** Ends the request with this error, wherever it is. */
  abort(reason: Error): void;
}

/** Where a request goes. Resource routes are bound to a catalog entry; all others are one function. */
export type Route = ResourceRoute | DocumentRoute;

export interface DocumentRoute {
  readonly kind: 'document';
  /** Whether the router refuses an Accept header that names nothing the server writes. */
  readonly negotiated: boolean;
  handle(exchange: Exchange): Promise<Answer> | Answer;
}

export type ResourceAction =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  /** POST to a subresource that does something. */
  | 'invoke'
  /** A request passed on to a node. */
  | 'connect';

export interface ResourceRoute {
  readonly kind: 'resource';
  readonly action: ResourceAction;
  readonly entry: CatalogEntry;
  readonly registry: Registry;
  readonly subresource: SubresourceInfo | undefined;
  /** '' for cluster-scoped resources and for lists across namespaces. */
  readonly namespace: string;
  /** '' for collections. */
  readonly name: string;
  /** What follows the subresource in the path, with its slash, escaped anew: "/metrics" of nodes/n/proxy/metrics. */
  readonly rest: string;
}

/** What a handler answers; written by responses/, in the form that was negotiated. */
export type Answer =
  /** One object of the route's resource, or of its subresource's kind. */
  | { readonly kind: 'object'; readonly code: number; readonly object: StoredObject | KubeObject }
  | { readonly kind: 'list'; readonly result: ListResult }
  /** Never transformed into a Table. */
  | { readonly kind: 'status'; readonly code: number; readonly status: Status }
  /** A fixed API document such as a discovery list. */
  | { readonly kind: 'document'; readonly code: number; readonly document: object }
  /** Bytes with their own headers: text, OpenAPI, cached discovery. */
  | {
      readonly kind: 'raw';
      readonly code: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer | string;
    }
  /** The handler has taken over the response (watch, connect). */
  | { readonly kind: 'taken' };

export const isStored = (object: StoredObject | KubeObject): object is StoredObject =>
  typeof (object as StoredObject).encode === 'function';
