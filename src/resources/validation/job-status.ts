import { invalid, path, required, type FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, Job } from '../../machinery/types.js';
import { checkNonNegative, invalidOmitted, list } from './formats.js';
import { parseIndexes } from './job-indexes.js';

type ReadonlyJob = DeepReadonly<Job>;
const STATUS = path('status');
const CONDITIONS = STATUS.child('conditions');

export const hasCondition = (job: ReadonlyJob, type: string): boolean =>
  (job.status?.conditions ?? []).some(condition => condition.type === type && condition.status === 'True');

/** Conditions that exclude one another, checked when the conditions change. */
function checkConditions(out: FieldError[], job: ReadonlyJob): void {
  const has = (type: string): boolean => hasCondition(job, type);
  const both = (a: string, b: string, text: string): void => {
    if (has(a) && has(b)) out.push(invalidOmitted(CONDITIONS, text));
  };
  both('Complete', 'Failed', 'cannot set Complete=True and Failed=true conditions');
  both('Complete', 'FailureTarget', 'cannot set Complete=True and FailureTarget=true conditions');
  if (has('Failed') && !has('FailureTarget'))
    out.push(invalidOmitted(CONDITIONS, 'cannot set Failed=True condition without the FailureTarget=true condition'));
  if (has('Complete') && !has('SuccessCriteriaMet'))
    out.push(
      invalidOmitted(CONDITIONS, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
    );
  both('SuccessCriteriaMet', 'Failed', 'cannot set SuccessCriteriaMet=True and Failed=true conditions');
  both('SuccessCriteriaMet', 'FailureTarget', 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
}

function checkFinished(out: FieldError[], job: ReadonlyJob): void {
  const status = job.status ?? {};
  const complete = hasCondition(job, 'Complete');
  const finished = complete || hasCondition(job, 'Failed');
  const { startTime, completionTime, uncountedTerminatedPods: uncounted } = status;
  if (completionTime !== undefined && !complete) {
    const text = 'cannot set completionTime when there is no Complete=True condition';
    out.push(invalid(STATUS.child('completionTime'), completionTime, text));
  }
  if (completionTime === undefined && complete)
    out.push(required(STATUS.child('completionTime'), 'completionTime is required for Complete jobs'));
  if (startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime))
    out.push(invalid(STATUS.child('completionTime'), completionTime, 'completionTime cannot be set before startTime'));
  if (!finished) return;
  if ((status.active ?? 0) > 0)
    out.push(invalid(STATUS.child('active'), status.active, 'active>0 is invalid for finished job'));
  if (startTime === undefined) out.push(required(STATUS.child('startTime'), 'startTime is required for finished job'));
  if (list(uncounted?.failed).length + list(uncounted?.succeeded).length > 0) {
    const shown = { Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null };
    const text = 'uncountedTerminatedPods needs to be empty for finished job';
    out.push(invalid(STATUS.child('uncountedTerminatedPods'), shown, text));
  }
  if ((status.terminating ?? 0) > 0)
    out.push(invalid(STATUS.child('terminating'), status.terminating, 'terminating>0 is invalid for finished job'));
}

function checkIndexes(out: FieldError[], job: ReadonlyJob): void {
  const { completedIndexes, failedIndexes } = job.status ?? {};
  const { completions, completionMode, backoffLimitPerIndex } = job.spec ?? {};
  const parse = (field: string, text: string): void => {
    const parsed = parseIndexes(text, completions ?? 0);
    if ('error' in parsed) out.push(invalid(STATUS.child(field), text, `error parsing ${field}: ${parsed.error}`));
  };
  if (completedIndexes) {
    if (completions !== undefined) parse('completedIndexes', completedIndexes);
    if (completionMode !== 'Indexed') {
      const text = 'cannot set non-empty completedIndexes when non-indexed completion mode';
      out.push(invalid(STATUS.child('completedIndexes'), completedIndexes, text));
    }
  }
  if (failedIndexes === undefined) return;
  if (completions !== undefined && backoffLimitPerIndex !== undefined) parse('failedIndexes', failedIndexes);
  if (backoffLimitPerIndex === undefined) {
    const text = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    out.push(invalid(STATUS.child('failedIndexes'), failedIndexes, text));
  }
}

const TERMINAL = ['Failed', 'Complete', 'FailureTarget'];

/** Rules of an update of the status; what has not changed is not held against it. */
export function checkJobStatusUpdate(out: FieldError[], job: ReadonlyJob, old: ReadonlyJob): void {
  const [now, before] = [job.status ?? {}, old.status ?? {}];
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
    checkNonNegative(out, STATUS.child(field), now[field]);
  if (!semanticEqual(now.conditions, before.conditions)) checkConditions(out, job);
  if (!semanticEqual(now, before)) checkFinished(out, job);
  checkIndexes(out, job);
  if (now.ready !== undefined && now.ready > (now.active ?? 0) && !semanticEqual(now, before))
    out.push(invalid(STATUS.child('ready'), now.ready, 'cannot set more ready pods than active'));
  for (const type of TERMINAL)
    if (hasCondition(old, type) && !hasCondition(job, type))
      out.push(invalidOmitted(CONDITIONS, `cannot disable the terminal ${type}=True condition`));
  for (const field of ['failed', 'succeeded'] as const)
    if ((now[field] ?? 0) < (before[field] ?? 0))
      out.push(invalid(STATUS.child(field), now[field] ?? 0, `cannot decrease the ${field} counter`));
  const completion = now.completionTime;
  if (completion !== undefined && before.completionTime !== undefined && completion !== before.completionTime)
    out.push(invalid(STATUS.child('completionTime'), completion, 'completionTime cannot be mutated'));
  if (before.startTime !== undefined && before.startTime !== now.startTime && job.spec?.suspend !== true)
    out.push(required(STATUS.child('startTime'), 'startTime cannot be removed for unsuspended job'));
  if (hasCondition(old, 'SuccessCriteriaMet') && !hasCondition(job, 'SuccessCriteriaMet'))
    out.push(invalidOmitted(CONDITIONS, 'cannot disable the SuccessCriteriaMet=True condition'));
}
