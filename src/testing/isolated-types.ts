import type { ClusterApi } from './cluster-api-types.js';
import type { Fault, Faults } from './fault-types.js';
import type { RecordedRequest, RequestFilter } from './request-types.js';
import type { TestNode } from './node-types.js';
import type { ResetOptions } from './time-types.js';
import type { Access, Duration } from './types.js';

/** The same functions, with answers from another process. */
export type Promised<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<PromisedResult<Awaited<R>>>
    : T[K];
};
type PromisedResult<R> = R extends Fault ? IsolatedFault : R;

/** A fault of a cluster in another process. */
export interface IsolatedFault {
  /** How many requests it has hit. */
  hits(): Promise<number>;
  end(): Promise<void>;
}

/**
 * A cluster in a process of its own, which ends with this one: `Cluster.create({ isolate: true })`. What `Cluster` tells at once
 * has to be waited for here. Filters are texts: an expression does not leave this process.
 */
export interface IsolatedCluster extends Access, Omit<ClusterApi, 'defaultServiceAccount'>, AsyncDisposable {
  /** "https://127.0.0.1:41234" */
  readonly url: string;
  /** Ends its process. */
  stop(): Promise<void>;
  /** Of the process. */
  readonly pid: number;
  /** Where it is steered; docs/testing.md tells what may be asked for there. */
  readonly controlUrl: string;
  readonly faults: Omit<Promised<Faults>, 'cut'> & { cut(filter?: RequestFilter): Promise<void> };
  readonly clock: { now(): Promise<number>; advance(duration: Duration): Promise<void> };
  settled(): Promise<void>;
  reset(options?: ResetOptions): Promise<void>;
  snapshot(): Promise<Uint8Array>;
  restore(snapshot: Uint8Array, options?: ResetOptions): Promise<void>;
  as(user: string, groups?: readonly string[]): Promise<Access>;
  requests(filter?: RequestFilter): Promise<RecordedRequest[]>;
  /** @throws RangeError from its functions when there is none of that name */
  node(name: string): Promised<Pick<TestNode, 'partition' | 'heal' | 'kill' | 'start' | 'clockSkew'>>;
}
