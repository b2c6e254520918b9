import { humanDuration } from '../../machinery/duration.js';
import { quote } from '../../machinery/go-text.js';
import { errorList, invalid, path, type FieldError } from '../../machinery/field-error.js';
import { cloneJson, semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, Job, KubeObject, PodTemplateSpec } from '../../machinery/types.js';
import { isDns1123Label } from '../../machinery/validation/names.js';
import { defaultPodTemplate } from '../core/pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, sortedSelector } from '../validation/formats.js';
import { goForm, goPodTemplate } from '../validation/go-form.js';
import * as rules from './validation/job.js';
import { checkJobStatusUpdate, hasCondition } from './validation/job-status.js';
import { nameWarnings } from '../apps/validation/workload.js';
import { ageCell, containerCells, nameCell, selectorCell } from '../cells.js';
import { changedTemplateWarnings } from '../core/pod/pod-warnings.js';

type ReadonlyJob = DeepReadonly<Job>;
type Spec = NonNullable<Job['spec']>;
type Template = PodTemplateSpec;

const SPEC = path('spec');
const BACKOFF_LIMIT = 6;
const MAX_INT32 = 2 ** 31 - 1;

function defaultJob(job: Job): void {
  const spec = (job.spec ??= {} as Spec);
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : MAX_INT32;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  const template = (spec.template ??= {});
  defaultPodTemplate(template);
  defaultFailurePolicy(spec);
  const labels = template.metadata?.labels;
  if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
}

export function defaultFailurePolicy(spec: Pick<Spec, 'podFailurePolicy'>): void {
  for (const rule of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
}

/** Unless the Job brings a selector of its own, its Pods carry its uid and the selector asks for that. */
function generateSelector(job: Job): void {
  const spec = job.spec;
  if (spec === undefined || spec.manualSelector === true) return;
  const { name = '', uid = '' } = job.metadata;
  const labels = ((spec.template.metadata ??= {}).labels ??= {});
  if (labels[rules.OLD_JOB_NAME] === undefined) {
    labels[rules.JOB_NAME] = name;
    labels[rules.OLD_JOB_NAME] = name;
  }
  if (labels[rules.OLD_CONTROLLER_UID] === undefined) {
    labels[rules.CONTROLLER_UID] = uid;
    labels[rules.OLD_CONTROLLER_UID] = uid;
  }
  const match = ((spec.selector ??= {}).matchLabels ??= {});
  match[rules.CONTROLLER_UID] ??= uid;
}

function checkJob(job: ReadonlyJob): FieldError[] {
  const out = errorList();
  rules.checkGeneratedSelector(out, job);
  rules.checkJobSpec(out, SPEC, job.spec ?? {});
  return out;
}

/** The last Pod of an Indexed Job is named after it and its index: that must be a host name. */
function checkHostNames(out: FieldError[], { metadata, spec }: ReadonlyJob): void {
  const completions = spec?.completions ?? 0;
  if (spec?.completionMode !== 'Indexed' || completions <= 0) return;
  const { name = '' } = metadata;
  const last = `${name}-${completions - 1}`;
  if (isDns1123Label(last).length === 0) return;
  out.push(invalid(path('metadata', 'name'), name, `will not able to create pod with invalid DNS label: ${last}`));
}

/** What a suspended Job that has not started may change in its template: where its Pods go. */
function withSchedulingOf(old: DeepReadonly<Template>, now: DeepReadonly<Template>): Template {
  const template = cloneJson(old) as Template;
  const [spec, from] = [template.spec, now.spec];
  if (spec === undefined || from === undefined) return template;
  const nodeAffinity = from.affinity?.nodeAffinity;
  const affinity = { ...spec.affinity };
  delete affinity.nodeAffinity;
  if (nodeAffinity !== undefined)
    affinity.nodeAffinity = cloneJson(nodeAffinity) as NonNullable<typeof affinity.nodeAffinity>;
  if (Object.keys(affinity).length > 0) spec.affinity = affinity;
  else delete spec.affinity;
  const take = <K extends 'nodeSelector' | 'tolerations' | 'schedulingGates'>(key: K): void => {
    if (from[key] === undefined) delete spec[key];
    else spec[key] = cloneJson(from[key]) as (typeof spec)[K];
  };
  take('nodeSelector');
  take('tolerations');
  take('schedulingGates');
  template.metadata = { ...template.metadata };
  for (const key of ['annotations', 'labels'] as const) {
    const value = now.metadata?.[key];
    if (value === undefined) delete template.metadata[key];
    else template.metadata[key] = { ...value };
  }
  return template;
}

function checkCompletions(out: FieldError[], spec: rules.JobSpec, old: rules.JobSpec): void {
  const at = SPEC.child('completions');
  if (spec.completionMode !== 'Indexed') return checkImmutable(out, at, spec.completions, old.completions);
  if (spec.completions === undefined || spec.completions === old.completions) return;
  if (spec.completions !== spec.parallelism)
    out.push(invalid(at, spec.completions, 'can only be modified in tandem with spec.parallelism'));
}

function checkJobUpdate(job: ReadonlyJob, old: ReadonlyJob): FieldError[] {
  const out = checkJob(job);
  const [spec, before]: [rules.JobSpec, rules.JobSpec] = [job.spec ?? {}, old.spec ?? {}];
  // Upstream checks the spec once more here, and says so.
  rules.checkJobSpec(out, SPEC, spec);
  checkCompletions(out, spec, before);
  checkImmutable(
    out,
    SPEC.child('selector'),
    spec.selector,
    before.selector,
    spec.selector && sortedSelector(spec.selector),
  );
  const unstarted = before.suspend === true && old.status?.startTime === undefined;
  const [template, oldTemplate] = [spec.template ?? {}, before.template ?? {}];
  const allowed = unstarted ? withSchedulingOf(oldTemplate, template) : oldTemplate;
  if (!semanticEqual(template, allowed))
    checkImmutable(out, SPEC.child('template'), template, allowed, goPodTemplate(template));
  checkImmutable(out, SPEC.child('completionMode'), spec.completionMode, before.completionMode);
  const shown = (struct: string, value: unknown): unknown => (value === undefined ? null : goForm(struct, value));
  const at = (field: string) => SPEC.child(field);
  const { podFailurePolicy, successPolicy } = spec;
  const failureShown = shown('PodFailurePolicy', podFailurePolicy);
  checkImmutable(out, at('podFailurePolicy'), podFailurePolicy, before.podFailurePolicy, failureShown);
  checkImmutable(out, at('backoffLimitPerIndex'), spec.backoffLimitPerIndex, before.backoffLimitPerIndex);
  checkImmutable(out, at('managedBy'), spec.managedBy, before.managedBy);
  const successShown = shown('SuccessPolicy', successPolicy);
  checkImmutable(out, at('successPolicy'), successPolicy, before.successPolicy, successShown);
  return out;
}

function statusCell(job: ReadonlyJob): string {
  for (const type of ['Complete', 'Failed']) if (hasCondition(job, type)) return type;
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (hasCondition(job, type)) return type;
  return 'Running';
}

function completionsCell({ spec, status }: ReadonlyJob): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: ReadonlyJob, nowMs: number): string {
  if (status?.startTime === undefined) return '';
  const end = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return humanDuration(end - Date.parse(status.startTime));
}

const ORPHAN_WARNING =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

export const jobStrategy: Strategy<Job> = {
  default: defaultJob,
  prepareForCreate(_ctx, job) {
    generateSelector(job);
    job.status = {};
  },
  validate(_ctx, job) {
    const out = checkJob(job);
    checkHostNames(out, job);
    return out;
  },
  validateUpdate: (_ctx, job, old) => checkJobUpdate(job, old),
  warnings(_ctx, job, old) {
    const out: string[] = [];
    const { completionMode, completions, parallelism } = job.spec ?? {};
    if (
      old === undefined &&
      completionMode === 'Indexed' &&
      (completions ?? 0) > 100_000 &&
      (parallelism ?? 0) > 10_000
    )
      out.push(
        'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
      );
    const named = old === undefined ? nameWarnings(job.metadata.name) : [];
    return [...named, ...out, ...changedTemplateWarnings(job.spec?.template, old && { template: old.spec?.template })];
  },
  fields: job => ({ 'status.successful': String(job.status?.succeeded ?? 0) }),
  beforeDelete(ctx, _job, options) {
    if (options.propagationPolicy === undefined && options.orphanDependents === undefined) ctx.warn(ORPHAN_WARNING);
  },
  unknownFieldLabel: label => `field label ${quote(label)} not supported for Job`,
  cells(job, nowMs) {
    const object = job as DeepReadonly<KubeObject>;
    return {
      cells: [
        nameCell(object),
        statusCell(job),
        completionsCell(job),
        durationCell(job, nowMs),
        ageCell(object, nowMs),
        ...containerCells(job.spec?.template?.spec),
        selectorCell(job.spec?.selector),
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object, old) {
        const out = errorList();
        checkJobStatusUpdate(out, object, old);
        return out;
      },
    },
  },
};
