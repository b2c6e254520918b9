import type { SchedulerName } from '../types.js';
import { destinationHashing, sourceHashing } from './hashing.js';
import { leastConnection, neverQueue, shortestExpectedDelay, weightedLeastConnection } from './least-connection.js';
import { localityLeastConnection, localityWithReplication } from './locality.js';
import { maglevHashing } from './maglev.js';
import { roundRobin, weightedRoundRobin } from './round-robin.js';
import type { Destination, Scheduler, SchedulerOptions } from './types.js';

/** The scheduler of a virtual server, by the name that `ipvsadm -s` has for it. */
export function createScheduler<D extends Destination>(name: SchedulerName, options: SchedulerOptions): Scheduler<D> {
  switch (name) {
    case 'rr':
      return roundRobin();
    case 'wrr':
      return weightedRoundRobin();
    case 'lc':
      return leastConnection();
    case 'wlc':
      return weightedLeastConnection();
    case 'lblc':
      return localityLeastConnection(options);
    case 'lblcr':
      return localityWithReplication(options);
    case 'sh':
      return sourceHashing(options);
    case 'dh':
      return destinationHashing();
    case 'sed':
      return shortestExpectedDelay();
    case 'nq':
      return neverQueue();
    case 'mh':
      return maglevHashing(options);
    default:
      return name satisfies never;
  }
}
