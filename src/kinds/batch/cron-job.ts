import { CronError, parseCron } from '../../machinery/cron.js';
import {
  errorList,
  invalid,
  notSupported,
  path,
  required,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import { humanAge } from '../../machinery/duration.js';
import type { CronJob, DeepReadonly, KubeObject } from '../../machinery/types.js';
import { defaultPodTemplate } from '../core/pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkNonNegative } from '../validation/formats.js';
import { checkJobTemplateSpec, type JobSpec } from './validation/job.js';
import { nameWarnings } from '../apps/validation/workload.js';
import { ageCell, containerCells, nameCell, NONE, selectorCell, UNSET } from '../cells.js';
import { defaultFailurePolicy } from './job.js';
import { changedTemplateWarnings } from '../core/pod/pod-warnings.js';

type ReadonlyCronJob = DeepReadonly<CronJob>;
type Spec = Partial<NonNullable<ReadonlyCronJob['spec']>>;

const SPEC = path('spec');
const POLICIES = ['Allow', 'Forbid', 'Replace'];
/** A Job's name is the CronJob's with 11 characters more. */
const MAX_NAME = 52;

function checkSchedule(out: FieldError[], at: FieldPath, spec: Spec, old: Spec | undefined): void {
  const schedule = spec.schedule ?? '';
  if (schedule === '') return void out.push(required(at));
  const zone = /^(?:CRON_)?TZ=([^ ]*) /.exec(schedule)?.[1];
  try {
    if (zone !== undefined && !isLoadable(zone))
      throw new CronError(`provided bad location ${zone}: ${unknownZone(zone)}`);
    parseCron(schedule);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    out.push(invalid(at, schedule, error.message));
  }
  if (!schedule.includes('TZ')) return;
  if (!old?.schedule?.includes('TZ'))
    out.push(invalid(at, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  else if (spec.timeZone !== undefined)
    out.push(invalid(at, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
}

const ZONE_PART = /^[A-Za-z._0-9+][A-Za-z._\-0-9+]{0,13}$/;

const unknownZone = (zone: string): string => `unknown time zone ${zone}`;

/** Names are files of the time zone database upstream: their case counts, as far as Intl gives it away. */
function isLoadable(zone: string): boolean {
  if (zone === '' || zone === 'Local') return true;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions();
    return timeZone === zone || timeZone.toLowerCase() !== zone.toLowerCase();
  } catch {
    return false;
  }
}

function checkTimeZone(out: FieldError[], at: FieldPath, zone: string): void {
  if (zone === '') return void out.push(invalid(at, zone, 'timeZone must be nil or non-empty string'));
  if (zone.split('/').some(part => part === '.' || part === '..' || !ZONE_PART.test(part)))
    return void out.push(invalid(at, zone, unknownZone(zone)));
  if (zone.toLowerCase() === 'local') {
    const text = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    out.push(invalid(at, zone, text));
  }
  if (!isLoadable(zone)) out.push(invalid(at, zone, unknownZone(zone)));
}

function checkCronJob(cronJob: ReadonlyCronJob, old: ReadonlyCronJob | undefined): FieldError[] {
  const out = errorList();
  const spec: Spec = cronJob.spec ?? {};
  checkSchedule(out, SPEC.child('schedule'), spec, old?.spec);
  checkNonNegative(out, SPEC.child('startingDeadlineSeconds'), spec.startingDeadlineSeconds);
  if (spec.timeZone !== undefined && spec.timeZone !== old?.spec?.timeZone)
    checkTimeZone(out, SPEC.child('timeZone'), spec.timeZone);
  const policy = spec.concurrencyPolicy ?? '';
  if (policy === '') out.push(required(SPEC.child('concurrencyPolicy')));
  else if (!POLICIES.includes(policy)) out.push(notSupported(SPEC.child('concurrencyPolicy'), policy, POLICIES));
  const job: JobSpec = spec.jobTemplate?.spec ?? {};
  const at = SPEC.child('jobTemplate', 'spec');
  checkJobTemplateSpec(out, at, job);
  if (job.selector) out.push(invalid(at.child('selector'), job.selector, '`selector` will be auto-generated'));
  if (job.manualSelector === true) out.push(notSupported(at.child('manualSelector'), true, ['nil', 'false']));
  checkNonNegative(out, SPEC.child('successfulJobsHistoryLimit'), spec.successfulJobsHistoryLimit);
  checkNonNegative(out, SPEC.child('failedJobsHistoryLimit'), spec.failedJobsHistoryLimit);
  const name = cronJob.metadata.name ?? '';
  if (old === undefined && name.length > MAX_NAME)
    out.push(invalid(path('metadata', 'name'), name, 'must be no more than 52 characters'));
  return out;
}

const booleanCell = (value: boolean | undefined): string => (value === undefined ? UNSET : value ? 'True' : 'False');

export const cronJobStrategy: Strategy<CronJob> = {
  default(cronJob) {
    const spec = (cronJob.spec ??= {} as NonNullable<CronJob['spec']>);
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const job = ((spec.jobTemplate ??= {}).spec ??= {} as NonNullable<typeof spec.jobTemplate.spec>);
    defaultPodTemplate((job.template ??= {}));
    defaultFailurePolicy(job);
  },
  prepareForCreate(_ctx, cronJob) {
    cronJob.status = {};
  },
  validate: (_ctx, cronJob) => checkCronJob(cronJob, undefined),
  validateUpdate: (_ctx, cronJob, old) => checkCronJob(cronJob, old),
  warnings(_ctx, cronJob, old) {
    const template = (c: ReadonlyCronJob) => c.spec?.jobTemplate?.spec?.template;
    const out = old === undefined ? nameWarnings(cronJob.metadata.name) : [];
    for (const one of changedTemplateWarnings(template(cronJob), old && { template: template(old) })) out.push(one);
    if (cronJob.spec?.schedule.includes('TZ'))
      out.unshift(
        `cannot use TZ or CRON_TZ in schedule, use timeZone instead: ${JSON.stringify(cronJob.spec.schedule)}`,
      );
    return out;
  },
  cells(cronJob, nowMs) {
    const { spec, status } = cronJob;
    const object = cronJob as DeepReadonly<KubeObject>;
    const job = spec?.jobTemplate?.spec;
    return {
      cells: [
        nameCell(object),
        spec?.schedule ?? '',
        spec?.timeZone ?? NONE,
        booleanCell(spec?.suspend),
        (status?.active ?? []).length,
        status?.lastScheduleTime ? humanAge(status.lastScheduleTime, nowMs) : NONE,
        ageCell(object, nowMs),
        ...containerCells(job?.template?.spec),
        selectorCell(job?.selector),
      ],
    };
  },
};
