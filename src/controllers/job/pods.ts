import type { ResourceClient } from '../../client/types.js';
import { isStatusError } from '../../machinery/status.js';
import type { Pod } from '../../machinery/types.js';
import { isReady } from '../pods.js';
import { slowStart } from '../slow-start.js';
import type { Expectations } from '../expectations.js';
import { controllerReference } from '../ownership.js';
import type { PodControl } from '../pod-control.js';
import { isNamespaceTerminating } from '../pod-template.js';
import { isTracked, TRACKING_FINALIZER, type ReadonlyJob, type ReadonlyPod } from './job-pods.js';
import { jobPod } from './template.js';

export interface Removed {
  readonly count: number;
  readonly ready: number;
  readonly error?: Error;
}

/** A Pod that is gone, or another of its name, has no finalizer of ours. */
export async function removeFinalizer(pods: ResourceClient<Pod>, pod: ReadonlyPod): Promise<void> {
  const key = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '' };
  const patch = {
    metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] },
  };
  try {
    await pods.patch(key, patch, { type: 'strategic' });
  } catch (error) {
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Invalid') && !isStatusError(error, 'Conflict'))
      throw error;
  }
}

export function createJobPods(pods: ResourceClient<Pod>, control: PodControl, expectations: Expectations) {
  /** @param counted whether the Job still counts these Pods; if not, their finalizers go first */
  const remove = async (
    key: string,
    job: ReadonlyJob,
    list: readonly ReadonlyPod[],
    counted: boolean,
  ): Promise<Removed> => {
    if (!counted)
      expectations.expectDeletions(
        key,
        list.map(pod => pod.metadata.uid ?? ''),
      );
    const results = await Promise.allSettled(
      list.map(async pod => {
        let written = false;
        try {
          if (!counted && isTracked(pod)) await removeFinalizer(pods, pod);
          written = await control.delete(job, pod);
        } finally {
          if (!counted && !written) expectations.deletionObserved(key, pod.metadata.uid ?? '');
        }
      }),
    );
    const done = list.filter((_, i) => results[i]?.status === 'fulfilled');
    const failed = results.find(result => result.status === 'rejected');
    return {
      count: done.length,
      ready: done.filter(isReady).length,
      ...(failed === undefined ? {} : { error: failed.reason as Error }),
    };
  };

  const create = async (
    key: string,
    job: ReadonlyJob,
    indexes: readonly (number | undefined)[],
    toReplace: ReadonlyMap<number, ReadonlyPod>,
  ): Promise<{ done: number; error?: Error }> => {
    const reference = controllerReference(job, 'batch/v1', 'Job');
    expectations.expectCreations(key, indexes.length);
    const { done, error } = await slowStart(indexes, async index => {
      await control.create(job, jobPod(job, reference, index, index === undefined ? undefined : toReplace.get(index)));
    });
    for (let missing = indexes.length - done; missing > 0; missing--) expectations.creationObserved(key);
    return error === undefined || isNamespaceTerminating(error) ? { done } : { done, error };
  };
  return { create, remove };
}
