import type { UserInfo } from '../../api/strategy.js';
import { isPrivileged } from '../auth/authorizer.js';

/** kube-apiserver's --max-requests-inflight and --max-mutating-requests-inflight. */
const MAX_READING = 400;
const MAX_WRITING = 200;

const READING = new Set(['get', 'list', 'watch']);

/** Answered in plain text, as upstream does: it is not the API that speaks here. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError';
  readonly retryAfterSeconds = 1;

  constructor() {
    super('Too many requests, please try again later.');
  }
}

/** How many requests are worked on at a time. Watches and streams do not count. */
export interface InFlight {
  /** The returned function gives the place back. @throws TooManyRequestsError */
  enter(verb: string, user: UserInfo): () => void;
}

/** k8s.io/apiserver pkg/server/filters/maxinflight.go. */
export function createInFlight(limits = { reading: MAX_READING, writing: MAX_WRITING }): InFlight {
  const counts = { reading: 0, writing: 0 };
  return {
    enter(verb, user) {
      const kind = READING.has(verb) ? 'reading' : 'writing';
      // Those who may do everything must be able to mend what is wrong.
      if (counts[kind] >= limits[kind] && !isPrivileged(user)) throw new TooManyRequestsError();
      counts[kind]++;
      return () => void counts[kind]--;
    },
  };
}
