import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import type { UserInfo } from '../../api/strategy.js';
import type { RequestInfo } from '../pipeline/request-info.js';

export type FlowSchema = DeepReadonly<KubeObject & Wire<Pick<k8s.V1FlowSchema, 'spec' | 'status'>>>;
export type PriorityLevel = DeepReadonly<KubeObject & Wire<Pick<k8s.V1PriorityLevelConfiguration, 'spec' | 'status'>>>;

/** A request that asks to be worked on. Where it belongs is noted in it before it is decided whether there is room. */
export interface Asked {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly request: { readonly query: URLSearchParams };
  /** The time that it has in all; undefined: no limit. */
  readonly limitMs?: number;
  classification?: Classification;
}

/** The flow schema and the priority level that a request belongs to. */
export interface Classification {
  readonly schemaUid: string;
  readonly levelUid: string;
}

/** A place among the requests that are worked on, or in a queue for it. */
export interface Seat {
  /** Resolves when its turn has come; undefined: it has come. Rejects with TooManyRequestsError when it does not. */
  readonly turn: Promise<void> | undefined;
  /** Gives it back, or leaves the queue; nothing when that has been done. */
  release(): void;
}

/** How much of the server a request takes: seats while it is served, and others for a while after its answer. */
export interface Work {
  readonly initialSeats: number;
  readonly finalSeats: number;
  /** How long the final seats are held, which nobody waits for. */
  readonly lingerMs: number;
}

export const maxSeats = ({ initialSeats, finalSeats }: Work): number => Math.max(initialSeats, finalSeats);

/** How many requests a schema has put into a level, and where they are. */
export interface Flow {
  readonly level: string;
  readonly schema: string;
  inQueue: number;
  seatsInQueue: number;
  executing: number;
  seatsExecuting: number;
  dispatched: number;
  noAccommodation: number;
  readonly rejected: Record<RejectReason, number>;
  /** The length of the queue that a request has joined. */
  queued(length: number): void;
}

/** What is counted of one schema's requests in one level. */
export interface FlowSeries extends Flow {
  waited(seconds: number, executes: boolean): void;
  executed(seconds: number, kind: 'regular' | 'watch'): void;
  /** The watches that a write has to tell. */
  watched(count: number): void;
  /** The seats that a request is thought to take. */
  estimated(seats: number): void;
}

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out';
