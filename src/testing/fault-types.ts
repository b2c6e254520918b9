import type { RequestFilter } from './request-types.js';
import type { Duration } from './types.js';

/** Which requests a fault is for, and how many of them. */
export interface FaultFilter extends RequestFilter {
  /**
   * So many requests are hit, then it is over. Default of `next` and `conflict`: 1; of `gone`: as many as there are open
   * watches; of the others: all, until it is ended.
   */
  readonly times?: number;
  /** Of the requests that match, this share is hit, chosen by the cluster's `seed`: 0 to 1. Default 1. */
  readonly probability?: number;
}

/** Takes one fault back. */
export interface Fault {
  /** How many requests it has hit. */
  readonly hits: number;
  end(): void;
}

/**
 * What goes wrong between clients and the API server. Faults are tried in the order in which they were set; of those that answer,
 * the first that matches does. The components of the cluster itself are clients, too: name a user or a resource, or they are hit as well.
 */
export interface Faults {
  /**
   * The next requests are answered with this HTTP status, as a Status of the reason that kube-apiserver gives it; 429 and 503 say
   * when to try again. 'reset' breaks the connection without an answer. @throws RangeError for a status that is no error
   */
  next(
    filter: FaultFilter & {
      readonly status: number | 'reset';
      readonly message?: string;
      /** Of a 429. Default 1. */
      readonly retryAfterSeconds?: number;
    },
  ): Fault;
  /** Writes are refused as if somebody else had been faster: 409 Conflict, or AlreadyExists for a `create`. */
  conflict(filter?: FaultFilter): Fault;
  /** Requests wait so long before anything is done, by the cluster's clock; between the two if a pair is given. */
  latency(filter: FaultFilter & { readonly delay: Duration | readonly [Duration, Duration] }): Fault;
  /** Breaks the connections of the watches that are open now. Gives their number. */
  cut(filter?: RequestFilter): number;
  /** The same, and their next attempt to go on is told 410 Expired: they have to list anew. */
  gone(filter?: FaultFilter): Fault;
  /**
   * Until it is ended, gets and lists show the state of now, and watches stand still; then watches tell of what they have
   * missed. As an API server whose watch cache lags behind.
   */
  stale(filter?: FaultFilter): Fault;
  /** Commits take so much longer, by the cluster's clock; 0 ends it. */
  slowDisk(delay: Duration): void;
  /** Ends all faults. */
  clear(): void;
}
