import { formatTime } from '../../machinery/clock.js';
import type { DeepReadonly, Job } from '../../machinery/types.js';

export type JobStatus = NonNullable<Job['status']>;
export type JobCondition = NonNullable<JobStatus['conditions']>[number];

export const condition = (
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): JobCondition => ({
  type,
  status,
  lastProbeTime: formatTime(nowMs),
  lastTransitionTime: formatTime(nowMs),
  reason,
  message,
});

export const findCondition = (
  status: DeepReadonly<JobStatus> | undefined,
  type: string,
): DeepReadonly<JobCondition> | undefined => status?.conditions?.find(one => one.type === type);

const holds = (status: DeepReadonly<JobStatus> | undefined, type: string): boolean =>
  findCondition(status, type)?.status === 'True';

/** "Complete", "Failed", or "" for a Job that goes on. */
export const finishedType = (job: DeepReadonly<Job>): 'Complete' | 'Failed' | '' =>
  holds(job.status, 'Complete') ? 'Complete' : holds(job.status, 'Failed') ? 'Failed' : '';

/**
 * The conditions in which this one holds; undefined when it holds already. One that is False is not added where there
 * was none (job_controller.go ensureJobConditionStatus).
 */
export function withCondition(conditions: readonly JobCondition[], next: JobCondition): JobCondition[] | undefined {
  const old = conditions.find(one => one.type === next.type);
  if (old === undefined) return next.status === 'False' ? undefined : [...conditions, next];
  if (old.status === next.status && old.reason === next.reason && old.message === next.message) return undefined;
  return conditions.map(one => (one === old ? next : one));
}
