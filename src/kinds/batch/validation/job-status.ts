import { invalidOmitted, duplicate, invalid, path, required, type FieldError } from '../../../machinery/field-error.js';
import { semanticEqual } from '../../../machinery/json-equal.js';
import type { DeepReadonly, Job } from '../../../machinery/types.js';
import { checkNonNegative, list } from '../../validation/formats.js';
import { overlap, parseIndexes } from './job-indexes.js';

type ReadonlyJob = DeepReadonly<Job>;
type Status = NonNullable<ReadonlyJob['status']>;
const STATUS = path('status');
const CONDITIONS = STATUS.child('conditions');

export const hasCondition = (job: ReadonlyJob, type: string): boolean =>
  (job.status?.conditions ?? []).some(condition => condition.type === type && condition.status === 'True');

/** The state of one side of the update. */
const factsOf = (job: ReadonlyJob) => {
  const has = (type: string): boolean => hasCondition(job, type);
  const [complete, failed] = [has('Complete'), has('Failed')];
  return {
    complete,
    failed,
    finished: complete || failed,
    failureTarget: has('FailureTarget'),
    criteriaMet: has('SuccessCriteriaMet'),
    status: job.status ?? {},
    indexed: job.spec?.completionMode === 'Indexed',
  };
};
type Facts = ReturnType<typeof factsOf>;

/** Pods that are not counted yet: each once, in one of two lists. */
function checkUncounted(out: FieldError[], { uncountedTerminatedPods: uncounted }: Status): void {
  const seen = new Set<string>();
  for (const field of ['succeeded', 'failed'] as const)
    list(uncounted?.[field]).forEach((uid, i) => {
      const at = STATUS.child('uncountedTerminatedPods', field).index(i);
      if (uid === '') out.push(invalid(at, uid, 'must not be empty'));
      else if (seen.has(uid)) out.push(duplicate(at, uid));
      seen.add(uid);
    });
}

/** Rules of the end of a Job. What has not changed is not held against a status. */
function checkEnd(out: FieldError[], job: ReadonlyJob, now: Facts, old: Facts): void {
  const { status } = now;
  const moved = (fact: keyof Facts): boolean => now[fact] !== old[fact];
  const changed = (field: keyof Status): boolean => !semanticEqual(status[field], old.status[field]);
  const refuse = (text: string): void => void out.push(invalidOmitted(CONDITIONS, text));
  const end = status.completionTime;
  const endAt = STATUS.child('completionTime');
  if ((moved('complete') || moved('failed')) && now.complete && now.failed)
    refuse('cannot set Complete=True and Failed=true conditions');
  if ((moved('complete') || moved('failureTarget')) && now.complete && now.failureTarget)
    refuse('cannot set Complete=True and FailureTarget=true conditions');
  if (moved('complete') || changed('completionTime')) {
    if (end !== undefined && !now.complete)
      out.push(invalid(endAt, end, 'cannot set completionTime when there is no Complete=True condition'));
    if (end === undefined && now.complete) out.push(required(endAt, 'completionTime is required for Complete jobs'));
  }
  const isEarly = end !== undefined && status.startTime !== undefined && Date.parse(end) < Date.parse(status.startTime);
  if (isEarly && (changed('startTime') || changed('completionTime')))
    out.push(invalid(endAt, end, 'must be equal to or after `startTime`'));
  if ((moved('failed') || changed('failedIndexes')) && now.failed && !now.failureTarget)
    refuse('cannot set Failed=True condition without the FailureTarget=true condition');
  if ((moved('complete') || moved('criteriaMet')) && now.complete && !now.criteriaMet)
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  if (!now.finished) return;
  if ((moved('finished') || changed('active')) && (status.active ?? 0) > 0)
    out.push(invalid(STATUS.child('active'), status.active, 'active>0 is invalid for finished job'));
  const isEmptyAndSuspended = job.spec?.suspend === true && job.spec.completions === 0;
  if ((moved('finished') || changed('startTime')) && !isEmptyAndSuspended && status.startTime === undefined)
    out.push(required(STATUS.child('startTime'), 'startTime is required for finished job'));
  const uncounted = status.uncountedTerminatedPods;
  const isCounted = list(uncounted?.failed).length + list(uncounted?.succeeded).length === 0;
  if ((moved('finished') || changed('uncountedTerminatedPods')) && !isCounted) {
    const shown = { Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null };
    out.push(invalid(STATUS.child('uncountedTerminatedPods'), shown, 'must be empty for finished job'));
  }
}

function checkIndexes(out: FieldError[], { spec }: ReadonlyJob, now: Facts, old: Facts): void {
  const { completedIndexes: completed = '', failedIndexes: failed } = now.status;
  const completedMoved = completed !== (old.status.completedIndexes ?? '');
  const failedMoved = failed !== old.status.failedIndexes;
  const { completions, backoffLimitPerIndex } = spec ?? {};
  const refuse = (field: string, text: string, why: string): void =>
    void out.push(invalid(STATUS.child(field), text, why));
  const parse = (field: string, text: string): void => {
    const parsed = parseIndexes(text, completions ?? 0);
    if ('error' in parsed) refuse(field, text, `error parsing ${field}: ${parsed.error}`);
  };
  if (completedMoved && completions !== undefined) parse('completedIndexes', completed);
  if (failedMoved && completions !== undefined && backoffLimitPerIndex !== undefined && failed !== undefined)
    parse('failedIndexes', failed);
  if (completedMoved && completed !== '' && !now.indexed)
    refuse('completedIndexes', completed, 'cannot set non-empty completedIndexes when non-indexed completion mode');
  if (failedMoved && backoffLimitPerIndex === undefined && failed !== undefined)
    refuse('failedIndexes', failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null');
  if (!(failedMoved || completedMoved) || completions === undefined || failed === undefined) return;
  const shared = overlap(completed, failed, completions);
  if (shared !== undefined)
    refuse('failedIndexes', failed, `failedIndexes and completedIndexes overlap at index: ${shared}`);
}

function checkCounters(out: FieldError[], now: Facts, old: Facts): void {
  const { status } = now;
  const changed = (field: keyof Status): boolean => !semanticEqual(status[field], old.status[field]);
  const terminating = status.terminating ?? 0;
  if ((now.finished !== old.finished || changed('terminating')) && now.finished && terminating > 0)
    out.push(invalid(STATUS.child('terminating'), terminating, 'terminating>0 is invalid for finished job'));
  const { ready, active = 0 } = status;
  if (ready !== undefined && ready > active && (changed('ready') || changed('active')))
    out.push(invalid(STATUS.child('ready'), ready, 'cannot set more ready pods than active'));
}

function checkSuccess(out: FieldError[], job: ReadonlyJob, now: Facts): void {
  const refuse = (text: string): void => void out.push(invalidOmitted(CONDITIONS, text));
  if (now.criteriaMet && now.failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (now.criteriaMet && now.failureTarget)
    refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (job.spec?.successPolicy !== undefined && now.complete && !now.criteriaMet)
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
}

const TERMINAL = ['Failed', 'Complete', 'FailureTarget'];

/** What may not be taken back. */
function checkHistory(out: FieldError[], job: ReadonlyJob, old: ReadonlyJob, now: Facts, before: Facts): void {
  const refuse = (text: string): void => void out.push(invalidOmitted(CONDITIONS, text));
  for (const type of TERMINAL)
    if (hasCondition(old, type) && !hasCondition(job, type))
      refuse(`cannot disable the terminal ${type}=True condition`);
  const { spec = {} as NonNullable<ReadonlyJob['spec']> } = job;
  // An elastic Job may shrink, and with it what counts as success.
  const isElastic = now.indexed && spec.completions === spec.parallelism;
  for (const field of ['failed', 'succeeded'] as const) {
    const count = now.status[field] ?? 0;
    if (count < (before.status[field] ?? 0) && (field === 'failed' || !isElastic))
      out.push(invalid(STATUS.child(field), count, `cannot decrease the ${field} counter`));
  }
  const [end, endBefore] = [now.status.completionTime, before.status.completionTime];
  if (end !== undefined && endBefore !== undefined && end !== endBefore)
    out.push(invalid(STATUS.child('completionTime'), end, 'field is immutable'));
  const [start, startBefore] = [now.status.startTime, before.status.startTime];
  if (startBefore !== undefined && startBefore !== start && !isResuming(job, old) && spec.suspend !== true)
    out.push(required(STATUS.child('startTime'), 'startTime cannot be removed for unsuspended job'));
  if (before.criteriaMet && !now.criteriaMet) refuse('cannot disable the SuccessCriteriaMet=True condition');
  if (before.complete && !before.criteriaMet && now.criteriaMet)
    refuse('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
}

const isResuming = (job: ReadonlyJob, old: ReadonlyJob): boolean =>
  hasCondition(old, 'Suspended') &&
  (job.status?.conditions ?? []).some(({ type, status }) => type === 'Suspended' && status === 'False');

/** Rules of an update of the status. */
export function checkJobStatusUpdate(out: FieldError[], job: ReadonlyJob, old: ReadonlyJob): void {
  const [now, before] = [factsOf(job), factsOf(old)];
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
    checkNonNegative(out, STATUS.child(field), now.status[field]);
  checkUncounted(out, now.status);
  checkEnd(out, job, now, before);
  checkIndexes(out, job, now, before);
  checkCounters(out, now, before);
  checkSuccess(out, job, now);
  checkHistory(out, job, old, now, before);
}
