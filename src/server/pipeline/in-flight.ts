import type { UserInfo } from '../../api/strategy.js';
import { isPrivileged } from '../auth/authorizer.js';
import type { Seat } from '../flow-control/types.js';
import { TooManyRequestsError } from './too-many-requests.js';

/** kube-apiserver's --max-requests-inflight and --max-mutating-requests-inflight; 0: no limit. */
export interface InFlightLimits {
  readonly reading: number;
  readonly writing: number;
}

const READING = new Set(['get', 'list', 'watch']);

/** How many requests are worked on at a time. Watches and streams do not count. */
export interface InFlight {
  /** @throws TooManyRequestsError */
  enter(verb: string, user: UserInfo): Seat;
}

/** k8s.io/apiserver pkg/server/filters/maxinflight.go. */
export function createInFlight(limits: InFlightLimits): InFlight {
  const counts = { reading: 0, writing: 0 };
  return {
    enter(verb, user) {
      const kind = READING.has(verb) ? 'reading' : 'writing';
      // Those who may do everything must be able to mend what is wrong.
      if (limits[kind] > 0 && counts[kind] >= limits[kind] && !isPrivileged(user)) throw new TooManyRequestsError();
      counts[kind]++;
      let held = true;
      return {
        turn: undefined,
        release() {
          if (held) counts[kind]--;
          held = false;
        },
      };
    },
  };
}
