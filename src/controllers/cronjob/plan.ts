import { parseCron, type CronSchedule } from '../../machinery/cron.js';
import { quote } from '../../machinery/go-text.js';
import type { CronJob, DeepReadonly, Job } from '../../machinery/types.js';
import { finishedType } from '../job/conditions.js';
import { controllerReference } from '../ownership.js';
import { missedTimes, nextTime } from './schedule.js';
import { formatRfc1123, formatZoned, localOffset, zoneOffset, type OffsetAt } from './time-zone.js';

export type ReadonlyCronJob = DeepReadonly<CronJob>;
export type ReadonlyJob = DeepReadonly<Job>;
export type CronJobStatus = NonNullable<CronJob['status']>;

export interface Note {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}
const note = (type: Note['type'], reason: string, message: string): Note => ({ type, reason, message });

export interface CronJobPlan {
  readonly notes: readonly Note[];
  /** The time for which a Job is to be made now. */
  readonly startMs?: number;
  /** When to look again, in milliseconds from now; undefined: when something changes. */
  readonly againMs?: number;
}

/** Upstream waits a little past the time, so that clocks that differ a little do not wake it too early. */
const DELTA_MS = 100;

/** Named after its minute, so that no time is served twice. */
export const jobName = (cronJob: ReadonlyCronJob, scheduledMs: number): string =>
  `${cronJob.metadata.name ?? ''}-${Math.floor(scheduledMs / 60_000)}`;

/** Which zone a schedule is in: spec.timeZone, "TZ=..." in the schedule (not official), or this process's. */
function zoneOf(cronJob: ReadonlyCronJob): OffsetAt {
  const inline = /^(?:CRON_)?TZ=(\S*)\s/.exec(cronJob.spec?.schedule ?? '')?.[1];
  const name = inline ?? cronJob.spec?.timeZone;
  return name === undefined ? localOffset : zoneOffset(name);
}

/** Whether a Job is due, and when to look again (syncCronJob, from the schedule on). */
export function planCronJob(cronJob: ReadonlyCronJob, nowMs: number): CronJobPlan {
  const { spec, status, metadata } = cronJob;
  const notes: Note[] = [];
  const warn = (reason: string, message: string): CronJobPlan => ({
    notes: [...notes, note('Warning', reason, message)],
  });
  if (metadata.deletionTimestamp !== undefined) return { notes };
  let zone: OffsetAt;
  try {
    zone = zoneOf(cronJob);
  } catch (error) {
    return warn('UnknownTimeZone', `invalid timeZone: ${quote(spec?.timeZone ?? '')}: ${(error as Error).message}`);
  }
  if (spec?.suspend === true) return { notes };
  const text = spec?.schedule ?? '';
  if (text.includes('TZ'))
    notes.push(
      note(
        'Warning',
        'UnsupportedSchedule',
        `CRON_TZ or TZ used in schedule ${quote(text)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`,
      ),
    );
  let schedule: CronSchedule;
  try {
    schedule = parseCron(text);
  } catch (error) {
    return warn('UnparseableSchedule', `unparseable schedule: ${quote(text)} : ${(error as Error).message}`);
  }
  const next = (afterMs: number): number | undefined => nextTime(schedule, afterMs, zone);
  const since = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  const deadline = spec?.startingDeadlineSeconds;
  let dueMs: number | undefined;
  try {
    const missed = missedTimes(next, since, deadline, nowMs);
    dueMs = missed.latestMs;
    if (missed.many)
      notes.push(
        note(
          'Warning',
          'TooManyMissedTimes',
          'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
        ),
      );
  } catch (error) {
    return warn('InvalidSchedule', `invalid schedule schedule: ${quote(text)} : ${(error as Error).message}`);
  }
  const again = { againMs: (next(dueMs ?? Math.max(since, nowMs)) ?? Infinity) + DELTA_MS - nowMs };
  const later = (...more: Note[]): CronJobPlan => ({ notes: [...notes, ...more], ...again });
  if (dueMs === undefined) return later();
  if (deadline !== undefined && dueMs + deadline * 1000 < nowMs)
    return later(note('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${formatRfc1123(dueMs)}`));
  const active = status?.active ?? [];
  const name = jobName(cronJob, dueMs);
  if (active.some(job => job.name === name) || Date.parse(status?.lastScheduleTime ?? '') === dueMs) return later();
  if (spec?.concurrencyPolicy === 'Forbid' && active.length > 0)
    return later(
      note(
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      ),
    );
  return { notes, ...again, startMs: dueMs };
}

export function newJob(cronJob: ReadonlyCronJob, scheduledMs: number): Job {
  const template = cronJob.spec?.jobTemplate;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(cronJob, scheduledMs),
      namespace: cronJob.metadata.namespace ?? '',
      ...(template?.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
      annotations: {
        ...template?.metadata?.annotations,
        'batch.kubernetes.io/cronjob-scheduled-timestamp': formatZoned(scheduledMs, zoneOf(cronJob)),
      },
      ownerReferences: [controllerReference(cronJob, 'batch/v1', 'CronJob')],
    },
    spec: template?.spec,
  } as unknown as Job;
}

const isListed = (status: DeepReadonly<CronJobStatus> | undefined, job: ReadonlyJob): boolean =>
  status?.active?.some(reference => reference.uid === job.metadata.uid) === true;

export const hasUnlisted = ({ status }: ReadonlyCronJob, jobs: readonly ReadonlyJob[]): boolean =>
  jobs.some(job => finishedType(job) === '' && !isListed(status, job));

/** The status after looking at the CronJob's Jobs, with what is to be told (first part of syncCronJob). */
export function observeJobs(
  cronJob: ReadonlyCronJob,
  jobs: readonly ReadonlyJob[],
): { status: CronJobStatus; notes: Note[] } {
  const status = { ...cronJob.status } as CronJobStatus;
  const notes: Note[] = [];
  for (const job of jobs) {
    const { uid = '', name = '' } = job.metadata;
    const listed = isListed(status, job);
    const finished = finishedType(job);
    if (!listed && finished === '')
      notes.push(note('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`));
    if (listed && finished !== '') {
      status.active = (status.active ?? []).filter(reference => reference.uid !== uid);
      notes.push(note('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${finished}`));
    }
    const completed = finished === 'Complete' ? job.status?.completionTime : undefined;
    if (completed !== undefined && completed > (status.lastSuccessfulTime ?? '')) status.lastSuccessfulTime = completed;
  }
  return { status, notes };
}

const started = (job: ReadonlyJob): string => job.status?.startTime ?? '';

/** The oldest finished Jobs beyond the history limits. */
export function expiredJobs({ spec }: ReadonlyCronJob, jobs: readonly ReadonlyJob[]): ReadonlyJob[] {
  const beyond = (type: 'Complete' | 'Failed', limit: number | undefined): ReadonlyJob[] => {
    if (limit === undefined) return [];
    const finished = jobs.filter(job => finishedType(job) === type);
    // One that has not started sorts last.
    finished.sort((a, b) => {
      const [x, y] = [started(a) || '~', started(b) || '~'];
      return x === y ? ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1) : x < y ? -1 : 1;
    });
    return finished.slice(0, Math.max(0, finished.length - limit));
  };
  return [...beyond('Complete', spec?.successfulJobsHistoryLimit), ...beyond('Failed', spec?.failedJobsHistoryLimit)];
}
