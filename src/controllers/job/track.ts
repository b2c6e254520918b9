import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { condition, withCondition, type JobCondition, type JobStatus } from './conditions.js';
import { judgeFailure } from './failure-policy.js';
import type { JobFacts } from './facts.js';
import { formatIndexes, hasIndex, withIndexes, countIndexes } from './indexes.js';
import {
  hasIndexBackoff,
  indexOf,
  isFailed,
  isIndexed,
  isTracked,
  validIndex,
  type ReadonlyJob,
  type ReadonlyPod,
} from './job-pods.js';

/** Upstream MaxUncountedPods: how many uids a status holds at once. */
const MAX_UNCOUNTED = 500;

export interface Tracking {
  /** With the uids of Pods that have ended, and the interim condition, to be written before finalizers go. */
  readonly status: JobStatus;
  readonly release: readonly ReadonlyPod[];
  /** More has ended than the status can hold: the Job is not finished yet. */
  readonly full: boolean;
}

/** A Pod may go once it is, or is about to be, in the status; or when nobody will count it any more. */
function mayRelease(job: ReadonlyJob, facts: JobFacts, pod: ReadonlyPod, ending: boolean): boolean {
  if (job.metadata.deletionTimestamp !== undefined || ending || pod.status?.phase === 'Succeeded') return true;
  if (!isFailed(job, pod)) return false;
  // The last failed Pod of an index carries its count of failures to the next one.
  const index = hasIndexBackoff(job) ? indexOf(pod) : undefined;
  return index === undefined || facts.toReplace.get(index)?.metadata.uid !== pod.metadata.uid;
}

/**
 * Enters ended Pods into a Job's status, so that none is counted twice or forgotten whenever this process dies: first
 * their uids are written, then finalizers are removed, then uids become counts (trackJobStatusAndRemoveFinalizers).
 */
export function trackPods(
  job: ReadonlyJob,
  facts: JobFacts,
  settled: ReadonlySet<string>,
  status: JobStatus,
  interim: JobCondition | undefined,
): Tracking {
  const pending = facts.pods.filter(pod => isTracked(pod) && !settled.has(pod.metadata.uid ?? ''));
  const counted = countReleased(status, new Set(pending.map(pod => pod.metadata.uid ?? '')));
  const succeeded = [...(counted.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(counted.uncountedTerminatedPods?.failed ?? [])];
  const newIndexes: number[] = [];
  const release: ReadonlyPod[] = [];
  const indexed = isIndexed(job);
  const byIndex = indexed ? [...pending].sort((a, b) => (indexOf(a) ?? 0) - (indexOf(b) ?? 0)) : pending;
  const failing = interim !== undefined && interim.type !== 'SuccessCriteriaMet';
  let full = false;
  for (const pod of byIndex) {
    if (!mayRelease(job, facts, pod, interim !== undefined)) continue;
    const uid = pod.metadata.uid ?? '';
    release.push(pod);
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      const index = validIndex(job, pod);
      if (!indexed && !succeeded.includes(uid)) succeeded.push(uid);
      if (indexed && index !== undefined && !hasIndex(facts.countedIndexes, index)) newIndexes.push(index);
    } else if ((isFailed(job, pod) || failing) && !failed.includes(uid)) {
      const isOurs = !indexed || validIndex(job, pod) !== undefined;
      if (isOurs && judgeFailure(job.spec?.podFailurePolicy, pod).counts) failed.push(uid);
    }
    full = newIndexes.length + succeeded.length + failed.length >= MAX_UNCOUNTED;
    if (full) break;
  }
  const next: JobStatus = {
    ...counted,
    uncountedTerminatedPods: {
      ...(succeeded.length === 0 ? {} : { succeeded }),
      ...(failed.length === 0 ? {} : { failed }),
    },
  };
  if (indexed) {
    const indexes = withIndexes(facts.countedIndexes, newIndexes);
    next.succeeded = countIndexes(indexes);
    next.completedIndexes = formatIndexes(indexes);
    if (hasIndexBackoff(job)) next.failedIndexes = formatIndexes(facts.failedIndexes);
  }
  if (interim !== undefined) next.conditions = withCondition(next.conditions ?? [], interim) ?? next.conditions ?? [];
  return { status: next, release, full };
}

/** Counts that are 0 and no indexes are not stored, but for `ready`, `terminating` and `failedIndexes`, which are. */
const STORED_EMPTY = new Set(['ready', 'terminating', 'failedIndexes']);
const stored = (status: DeepReadonly<JobStatus> | undefined): object =>
  Object.fromEntries(
    Object.entries(status ?? {}).filter(([key, value]) => STORED_EMPTY.has(key) || (value !== 0 && value !== '')),
  );

export const sameStatus = (a: DeepReadonly<JobStatus>, b: DeepReadonly<JobStatus> | undefined): boolean =>
  b?.uncountedTerminatedPods !== undefined &&
  a.ready === b.ready &&
  a.terminating === b.terminating &&
  a.failedIndexes === b.failedIndexes &&
  semanticEqual(stored(a), stored(b));

/** Uids of Pods without a finalizer become counts (cleanUncountedPodsWithoutFinalizers). */
export function countReleased(status: JobStatus, withFinalizer: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const kept = (uids: readonly string[]): string[] => uids.filter(uid => withFinalizer.has(uid));
  const [keptSucceeded, keptFailed] = [kept(succeeded), kept(failed)];
  return {
    ...status,
    uncountedTerminatedPods: {
      ...(keptSucceeded.length === 0 ? {} : { succeeded: keptSucceeded }),
      ...(keptFailed.length === 0 ? {} : { failed: keptFailed }),
    },
    ...count('succeeded', status.succeeded, succeeded.length - keptSucceeded.length),
    ...count('failed', status.failed, failed.length - keptFailed.length),
  };
}

const count = (field: 'succeeded' | 'failed', before: number | undefined, more: number): object =>
  more === 0 && before === undefined ? {} : { [field]: (before ?? 0) + more };

/** The final condition, once every Pod has been counted and is gone (enactJobFinished); undefined until then. */
export function finalStatus(
  status: JobStatus,
  interim: JobCondition | undefined,
  nowMs: number,
): { status: JobStatus; final: JobCondition } | undefined {
  if (interim === undefined || (status.terminating ?? 0) > 0) return undefined;
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if (succeeded.length + failed.length > 0) return undefined;
  const complete = interim.type === 'SuccessCriteriaMet';
  const type = complete ? 'Complete' : 'Failed';
  const final = condition(type, 'True', interim.reason ?? '', interim.message ?? '', nowMs);
  const conditions = withCondition(status.conditions ?? [], final) ?? status.conditions ?? [];
  return {
    final,
    status: { ...status, conditions, ...(complete ? { completionTime: final.lastTransitionTime as string } : {}) },
  };
}
