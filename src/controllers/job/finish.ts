import { condition, findCondition, type JobCondition } from './conditions.js';
import { judgeFailure } from './failure-policy.js';
import { countCommon, countIndexes, parseIndexes, type Indexes } from './indexes.js';
import { hasIndexBackoff, isFailed, isIndexed, isSuspended, type ReadonlyJob, type ReadonlyPod } from './job-pods.js';

export interface FinishInput {
  readonly job: ReadonlyJob;
  readonly pods: readonly ReadonlyPod[];
  readonly failed: number;
  readonly succeededIndexes: Indexes;
  readonly failedIndexes: Indexes;
  readonly startMs: number | undefined;
  readonly nowMs: number;
}

/** Milliseconds until activeDeadlineSeconds is over; undefined without a running deadline. */
export function deadlineLeft(job: ReadonlyJob, startMs: number | undefined, nowMs: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  if (seconds === undefined || startMs === undefined || isSuspended(job)) return undefined;
  return startMs + seconds * 1000 - nowMs;
}

/** With restartPolicy OnFailure it is restarts within Pods that count. */
function tooManyRestarts({ job, pods }: FinishInput): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  const running = pods.filter(pod => pod.status?.phase === 'Running' || pod.status?.phase === 'Pending');
  const statuses = running.flatMap(pod => [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ]);
  const restarts = statuses.reduce((total, status) => total + status.restartCount, 0);
  const limit = job.spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Source: success_policy.go matchSuccessPolicy. */
function successPolicyMet(job: ReadonlyJob, succeeded: Indexes): string | undefined {
  const completions = job.spec?.completions ?? 0;
  for (const [i, rule] of (job.spec?.successPolicy?.rules ?? []).entries()) {
    const wanted = rule.succeededIndexes === undefined ? undefined : parseIndexes(rule.succeededIndexes, completions);
    const have = wanted === undefined ? countIndexes(succeeded) : countCommon(succeeded, wanted);
    const need = rule.succeededCount ?? (wanted === undefined ? Infinity : countIndexes(wanted));
    if (have >= need) return `Matched rules at index ${i}`;
  }
  return undefined;
}

/**
 * Why the Job is to end now, as the interim condition (SuccessCriteriaMet or FailureTarget) that says so before the
 * final one; undefined while it goes on. Reaching all completions is found elsewhere.
 */
export function finishReason(input: FinishInput): JobCondition | undefined {
  const { job, pods, failed, succeededIndexes, failedIndexes, startMs, nowMs } = input;
  const fail = (reason: string, message: string): JobCondition =>
    condition('FailureTarget', 'True', reason, message, nowMs);
  const decided = findCondition(job.status, 'SuccessCriteriaMet') ?? findCondition(job.status, 'FailureTarget');
  if (decided !== undefined) return decided;
  for (const pod of pods) {
    const message = isFailed(job, pod) ? judgeFailure(job.spec?.podFailurePolicy, pod).message : undefined;
    if (message !== undefined) return fail('PodFailurePolicy', message);
  }
  if (failed > (job.spec?.backoffLimit ?? 6) || tooManyRestarts(input))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  if ((deadlineLeft(job, startMs, nowMs) ?? 1) <= 0)
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  if (!isIndexed(job)) return undefined;
  if (hasIndexBackoff(job)) {
    const failedCount = countIndexes(failedIndexes);
    if (failedCount > (job.spec?.maxFailedIndexes ?? Infinity))
      return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
    if (failedCount > 0 && failedCount + countIndexes(succeededIndexes) >= (job.spec?.completions ?? 0))
      return fail('FailedIndexes', 'Job has failed indexes');
  }
  const met = successPolicyMet(job, succeededIndexes);
  return met === undefined ? undefined : condition('SuccessCriteriaMet', 'True', 'SuccessPolicy', met, nowMs);
}
