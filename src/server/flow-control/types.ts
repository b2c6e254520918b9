import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';

export type FlowSchema = DeepReadonly<KubeObject & Wire<Pick<k8s.V1FlowSchema, 'spec' | 'status'>>>;
export type PriorityLevel = DeepReadonly<KubeObject & Wire<Pick<k8s.V1PriorityLevelConfiguration, 'spec' | 'status'>>>;

/** How much of the server a request takes: seats while it is served, and others for a while after its answer. */
export interface Work {
  readonly initialSeats: number;
  readonly finalSeats: number;
  /** How long the final seats are held, which nobody waits for. */
  readonly lingerMs: number;
}

export const maxSeats = ({ initialSeats, finalSeats }: Work): number => Math.max(initialSeats, finalSeats);

/** What is counted of the requests that one schema puts into one level. */
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

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out';
