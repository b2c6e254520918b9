import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Job } from '../../machinery/types.js';
import { JOBS } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { findCondition, finishedType } from '../job/conditions.js';

/** Milliseconds since the epoch at which the Job may go; undefined while it runs or when it is to stay. */
export function expiresAt(job: DeepReadonly<Job>): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  const type = finishedType(job);
  if (seconds === undefined || type === '') return undefined;
  const finished = findCondition(job.status, type)?.lastTransitionTime;
  return finished === undefined ? undefined : Date.parse(finished) + seconds * 1000;
}

/** Deletes finished Jobs with their Pods after spec.ttlSecondsAfterFinished (pkg/controller/ttlafterfinished). */
export const ttlAfterFinishedController: ControllerDefinition = {
  name: 'ttl-after-finished-controller',
  aliases: ['ttl-after-finished'],
  workers: 5,
  build({ client, informers, queue, clock }) {
    const jobs = informers.informer<Job>(JOBS);
    const writer = client.resource<Job>(JOBS);
    const consider = (job: DeepReadonly<Job>): void => {
      if (job.metadata.deletionTimestamp === undefined && expiresAt(job) !== undefined) queue.add(keyOf(job));
    };
    jobs.addHandler({ add: consider, update: (_old, job) => consider(job) });
    return {
      async reconcile(key) {
        const cached = jobs.indexer.get(key);
        const due = cached === undefined ? undefined : expiresAt(cached);
        if (due === undefined) return;
        if (due > clock.now()) return queue.addAfter(key, due - clock.now());
        try {
          // The ttl may have been raised a moment ago; nothing can be undone after this.
          const fresh = await writer.get(splitKey(key));
          const freshDue = expiresAt(fresh);
          if (freshDue === undefined || fresh.metadata.deletionTimestamp !== undefined) return;
          if (freshDue > clock.now()) return queue.addAfter(key, freshDue - clock.now());
          const preconditions = {
            uid: fresh.metadata.uid ?? '',
            resourceVersion: fresh.metadata.resourceVersion ?? '',
          };
          await writer.delete(splitKey(key), { propagationPolicy: 'Foreground', preconditions });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
    };
  },
};
