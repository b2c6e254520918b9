import type { SecureContext } from 'node:tls';
import type { Origin, Rule } from '../routing/route-table.js';
import type { Route } from '../routing/route.js';

export interface ShownCertificate {
  /** "a.example.com", "*.example.com", or "" for every other. */
  readonly host: string;
  readonly origin: Origin;
  readonly context: () => SecureContext;
}

/** What rules of one kind come to, at this moment. */
export interface Contribution {
  /** By the port that they are for. */
  readonly rules: ReadonlyMap<number, readonly Rule<Route>[]>;
  readonly certificates: readonly ShownCertificate[];
}

/** Objects that say what becomes of requests, and are told what has become of them. */
export interface Source {
  compile(): Contribution;
  /** What is to be told of what was compiled last: keys for `tell`. */
  untold(): Iterable<string>;
  /** Writes statuses and Events of one object. @throws StatusError */
  tell(key: string): Promise<void>;
}
