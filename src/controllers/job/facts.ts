import { isActive, isReady } from '../pods.js';
import { nextRecord, type BackoffRecord } from './backoff.js';
import { judgeFailure } from './failure-policy.js';
import { countIndexes, hasIndex, NO_INDEXES, parseIndexes, withIndexes, type Indexes } from './indexes.js';
import {
  absoluteFailureCount,
  countTerminating,
  failsIndex,
  hasIndexBackoff,
  indexOf,
  isFailed,
  isIndexed,
  isTracked,
  validIndex,
  type ReadonlyJob,
  type ReadonlyPod,
} from './job-pods.js';

/** What a Job's Pods and status come to, before anything is done (the first half of syncJob). */
export interface JobFacts {
  readonly pods: readonly ReadonlyPod[];
  readonly active: readonly ReadonlyPod[];
  readonly ready: number;
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Indexes already in status.completedIndexes. */
  readonly countedIndexes: Indexes;
  readonly succeededIndexes: Indexes;
  readonly failedIndexes: Indexes;
  readonly toReplace: ReadonlyMap<number, ReadonlyPod>;
  readonly backoff: BackoffRecord;
}

/** @param settled uids of Pods whose finalizer was removed but whose cached form still has it */
export function gatherFacts(
  job: ReadonlyJob,
  pods: readonly ReadonlyPod[],
  settled: ReadonlySet<string>,
  record: BackoffRecord,
): JobFacts {
  const uncounted = job.status?.uncountedTerminatedPods;
  const indexed = isIndexed(job);
  const open = pods.filter(
    pod => isTracked(pod) && !settled.has(pod.metadata.uid ?? '') && (!indexed || validIndex(job, pod) !== undefined),
  );
  const fresh = (uids: readonly string[] | undefined, test: (pod: ReadonlyPod) => boolean): ReadonlyPod[] =>
    open.filter(pod => uids?.includes(pod.metadata.uid ?? '') !== true && test(pod));
  const newSucceeded = fresh(uncounted?.succeeded, pod => pod.status?.phase === 'Succeeded');
  const newFailed = fresh(uncounted?.failed, pod => isFailed(job, pod));
  const counted = newFailed.filter(pod => judgeFailure(job.spec?.podFailurePolicy, pod).counts);

  const completions = job.spec?.completions ?? 0;
  const countedIndexes = indexed ? parseIndexes(job.status?.completedIndexes, completions) : NO_INDEXES;
  const indexesOf = (list: readonly ReadonlyPod[]): number[] => list.map(indexOf).filter(index => index !== undefined);
  const succeededIndexes = withIndexes(
    countedIndexes,
    indexed ? indexesOf(open.filter(pod => pod.status?.phase === 'Succeeded')) : [],
  );
  const perIndex = hasIndexBackoff(job);
  const failedPods = open.filter(pod => isFailed(job, pod));
  const failedIndexes = perIndex
    ? withIndexes(
        parseIndexes(job.status?.failedIndexes, completions),
        indexesOf(failedPods.filter(pod => failsIndex(job, pod))),
      )
    : NO_INDEXES;
  const active = pods.filter(isActive);
  return {
    pods,
    active,
    ready: active.filter(isReady).length,
    terminating: countTerminating(pods),
    succeeded: indexed
      ? countIndexes(succeededIndexes)
      : (job.status?.succeeded ?? 0) + newSucceeded.length + (uncounted?.succeeded ?? []).length,
    failed: (job.status?.failed ?? 0) + counted.length + (uncounted?.failed ?? []).length,
    countedIndexes,
    succeededIndexes,
    failedIndexes,
    toReplace: perIndex ? lastFailures(failedPods, active, failedIndexes) : new Map(),
    backoff: nextRecord(record, newSucceeded, newFailed),
  };
}

/** The last failed Pod of each index that is to be tried again: it carries the count of failures until then. */
function lastFailures(
  failed: readonly ReadonlyPod[],
  active: readonly ReadonlyPod[],
  given: Indexes,
): Map<number, ReadonlyPod> {
  const busy = new Set(active.map(indexOf));
  const last = new Map<number, ReadonlyPod>();
  for (const pod of failed) {
    const index = indexOf(pod);
    if (index === undefined || busy.has(index) || hasIndex(given, index)) continue;
    const other = last.get(index);
    if (other === undefined || absoluteFailureCount(other) <= absoluteFailureCount(pod)) last.set(index, pod);
  }
  return last;
}
