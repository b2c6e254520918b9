import type { DeepReadonly, Job, Pod } from '../../machinery/types.js';
import { isDeleting, isTerminal, podCondition } from '../pods.js';
import { judgeFailure } from './failure-policy.js';

export type ReadonlyJob = DeepReadonly<Job>;
export type ReadonlyPod = DeepReadonly<Pod>;

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
export const INDEX = 'batch.kubernetes.io/job-completion-index';
export const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';
export const IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';

export const isTracked = (pod: ReadonlyPod): boolean => pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true;

export const isIndexed = (job: ReadonlyJob): boolean => job.spec?.completionMode === 'Indexed';
export const isSuspended = (job: ReadonlyJob): boolean => job.spec?.suspend === true;
export const hasIndexBackoff = (job: ReadonlyJob): boolean =>
  isIndexed(job) && job.spec?.backoffLimitPerIndex !== undefined;

/** Such a Job starts no Pod in the place of one that is still ending. */
export const replacesOnlyFailed = (job: ReadonlyJob): boolean =>
  job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined;

/** undefined: none, or not a number. */
export function indexOf(pod: ReadonlyPod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The Pod's index if it is one of the Job's. */
export function validIndex(job: ReadonlyJob, pod: ReadonlyPod): number | undefined {
  const index = indexOf(pod);
  return index !== undefined && index < (job.spec?.completions ?? 0) ? index : undefined;
}

/** A deleted Pod counts as failed, for it may never report; unless the Job waits for its end anyway. */
export function isFailed(job: ReadonlyJob, pod: ReadonlyPod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return !replacesOnlyFailed(job) && isDeleting(pod) && pod.status?.phase !== 'Succeeded';
}

export const countTerminating = (pods: readonly ReadonlyPod[]): number =>
  pods.filter(pod => isDeleting(pod) && !isTerminal(pod)).length;

const annotationCount = (pod: ReadonlyPod, key: string): number => Number(pod.metadata.annotations?.[key] ?? '0') || 0;
export const failureCount = (pod: ReadonlyPod): number => annotationCount(pod, FAILURE_COUNT);
/** Ignored ones included: they too slow down the next try. */
export const absoluteFailureCount = (pod: ReadonlyPod): number =>
  failureCount(pod) + annotationCount(pod, IGNORED_FAILURE_COUNT);

/** Counts to write on the Pod that replaces a failed one of its index. */
export function nextFailureCounts(job: ReadonlyJob, replaced: ReadonlyPod | undefined): Record<string, string> {
  if (replaced === undefined) return { [FAILURE_COUNT]: '0' };
  const { counts } = judgeFailure(job.spec?.podFailurePolicy, replaced);
  const failures = failureCount(replaced) + (counts ? 1 : 0);
  const ignored = annotationCount(replaced, IGNORED_FAILURE_COUNT) + (counts ? 0 : 1);
  return {
    [FAILURE_COUNT]: String(failures),
    ...(ignored === 0 ? {} : { [IGNORED_FAILURE_COUNT]: String(ignored) }),
  };
}

/** True when this failure is the last that its index may have. */
export function failsIndex(job: ReadonlyJob, pod: ReadonlyPod): boolean {
  if (judgeFailure(job.spec?.podFailurePolicy, pod).action === 'FailIndex') return true;
  return failureCount(pod) >= (job.spec?.backoffLimitPerIndex ?? Infinity);
}

/** Milliseconds since the epoch (backoff_utils.go getFinishedTime). */
export function finishedAt(pod: ReadonlyPod): number {
  const statuses = pod.status?.containerStatuses ?? [];
  const ends = statuses.map(status => Date.parse(status.state?.terminated?.finishedAt ?? ''));
  if (ends.length > 0 && ends.every(end => !Number.isNaN(end))) return Math.max(...ends);
  const ready = podCondition(pod, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime !== undefined) return Date.parse(ready.lastTransitionTime);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp = '' } = pod.metadata;
  return deletionTimestamp === undefined
    ? Date.parse(creationTimestamp)
    : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}
