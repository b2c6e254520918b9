import { deletionOrder } from '../replicaset/plan.js';
import { backoffLeft, indexBackoffLeft, type BackoffRecord } from './backoff.js';
import { hasIndex, type Indexes } from './indexes.js';
import {
  hasIndexBackoff,
  indexOf,
  isIndexed,
  isSuspended,
  replacesOnlyFailed,
  type ReadonlyJob,
  type ReadonlyPod,
} from './job-pods.js';

/** Upstream MaxPodCreateDeletePerSync. */
const MAX_PER_SYNC = 500;

export interface JobPlanInput {
  readonly job: ReadonlyJob;
  readonly pods: readonly ReadonlyPod[];
  readonly active: readonly ReadonlyPod[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly succeededIndexes: Indexes;
  readonly failedIndexes: Indexes;
  /** The last failed Pod of indexes that are to be tried again. */
  readonly toReplace: ReadonlyMap<number, ReadonlyPod>;
  readonly backoff: BackoffRecord;
  readonly nowMs: number;
}

export interface JobPlan {
  /** One entry per Pod; its index where the Job is indexed. */
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly ReadonlyPod[];
  /** Milliseconds after which there will be something to create. */
  readonly waitMs?: number;
}

const NOTHING: JobPlan = { create: [], remove: [] };

function wantedActive({ job, active, succeeded }: JobPlanInput): number {
  const parallelism = job.spec?.parallelism ?? 1;
  const completions = job.spec?.completions;
  // Without a number of completions one success means that the others are let run out.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(parallelism, completions - succeeded));
}

/** Second Pods of an index, and Pods of indexes that the Job has not. */
function surplusOfIndexes(job: ReadonlyJob, active: readonly ReadonlyPod[], nowMs: number): ReadonlyPod[] {
  const byIndex = new Map<number | undefined, ReadonlyPod[]>();
  for (const pod of active) byIndex.set(indexOf(pod), [...(byIndex.get(indexOf(pod)) ?? []), pod]);
  const surplus: ReadonlyPod[] = [];
  for (const [index, pods] of byIndex)
    if (index === undefined || index >= (job.spec?.completions ?? 0)) surplus.push(...pods);
    else surplus.push(...deletionOrder(pods, new Map(), nowMs).slice(0, -1));
  return surplus;
}

function toRemove({ job, active, nowMs }: JobPlanInput, atLeast: number): ReadonlyPod[] {
  const surplus = isIndexed(job) ? surplusOfIndexes(job, active, nowMs) : [];
  const left = active.filter(pod => !surplus.includes(pod));
  return [...surplus, ...deletionOrder(left, new Map(), nowMs).slice(0, Math.max(0, atLeast - surplus.length))];
}

/** The lowest indexes that nobody works on and that are neither done nor given up. */
function pendingIndexes({ job, pods, active, succeededIndexes, failedIndexes }: JobPlanInput, count: number): number[] {
  const busy = new Set((replacesOnlyFailed(job) ? pods.filter(p => stillRuns(p)) : active).map(indexOf));
  const found: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && found.length < count; index++)
    if (!busy.has(index) && !hasIndex(succeededIndexes, index) && !hasIndex(failedIndexes, index)) found.push(index);
  return found;
}

const stillRuns = ({ status }: ReadonlyPod): boolean => status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

/** Which Pods to make or to remove for a Job that is not finished (job_controller.go manageJob). Never both. */
export function planJob(input: JobPlanInput): JobPlan {
  const { job, active, terminating, toReplace, nowMs } = input;
  if (isSuspended(job)) return { ...NOTHING, remove: toRemove(input, active.length) };
  const wanted = wantedActive(input);
  const remove = toRemove(input, active.length - wanted).slice(0, MAX_PER_SYNC);
  if (remove.length > 0) return { ...NOTHING, remove };

  const missing = wanted - active.length - (replacesOnlyFailed(job) ? terminating : 0);
  if (missing <= 0) return NOTHING;
  const count = Math.min(missing, MAX_PER_SYNC);
  if (!hasIndexBackoff(job)) {
    const waitMs = backoffLeft(input.backoff, nowMs);
    if (waitMs > 0) return { ...NOTHING, waitMs };
    const create = isIndexed(job) ? pendingIndexes(input, count) : Array.from({ length: count }, () => undefined);
    return { ...NOTHING, create };
  }
  const waits = pendingIndexes(input, count).map(index => ({
    index,
    waitMs: indexBackoffLeft(toReplace.get(index), nowMs),
  }));
  const create = waits.filter(one => one.waitMs === 0).map(one => one.index);
  if (create.length > 0 || waits.length === 0) return { ...NOTHING, create };
  return { ...NOTHING, waitMs: Math.min(...waits.map(one => one.waitMs)) };
}
