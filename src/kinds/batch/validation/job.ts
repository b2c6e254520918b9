import {
  invalidOmitted,
  duplicate,
  invalid,
  notSupported,
  path,
  required,
  tooLong,
  tooMany,
} from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import type { DeepReadonly, Job } from '../../../machinery/types.js';
import {
  checkDomainPrefixedPath,
  checkNonNegative,
  checkQualifiedName,
  checkSelector,
} from '../../validation/formats.js';
import { list, sortedMap, sortedSelector } from '../../validation/formats.js';
import { parseIndexes } from './job-indexes.js';
import { goForm } from '../../validation/go-form.js';
import { checkPodTemplate } from '../../core/pod/validation/pod-template.js';
import { checkTemplateLabels, selectorMatches } from '../../apps/validation/workload.js';

export type JobSpec = Partial<NonNullable<DeepReadonly<Job>['spec']>>;
type FailureRule = NonNullable<JobSpec['podFailurePolicy']>['rules'][number];
type SuccessRule = NonNullable<JobSpec['successPolicy']>['rules'][number];

const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const MAX_PATTERNS = 20;
const MAX_INDEXES = 100_000;
const MAX_PER_INDEX = 10_000;
const MAX_INDEXES_TEXT = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

const quoted = (values: readonly string[]): string => `valid values: [${values.map(v => `"${v}"`).join(' ')}]`;

type ExitCodes = NonNullable<FailureRule['onExitCodes']>;

function checkExitCodes(out: FieldError[], at: FieldPath, rule: ExitCodes, containers: ReadonlySet<string>): void {
  const operator = at.child('operator');
  if (!rule.operator) out.push(required(operator, quoted(OPERATORS)));
  else if (!OPERATORS.includes(rule.operator)) out.push(notSupported(operator, rule.operator, OPERATORS));
  const name = rule.containerName;
  if (name !== undefined && !containers.has(name))
    out.push(
      invalid(
        at.child('containerName'),
        name,
        'must be one of the container or initContainer names in the pod template',
      ),
    );
  const values = list(rule.values);
  const valuesAt = at.child('values');
  if (values.length === 0) out.push(invalid(valuesAt, values, 'at least one value is required'));
  else if (values.length > MAX_EXIT_CODES) out.push(tooMany(valuesAt, values.length, MAX_EXIT_CODES));
  const seen = new Set<number>();
  let ordered = true;
  values.forEach((value, i) => {
    const field = valuesAt.index(i);
    if (rule.operator === 'In' && value === 0) out.push(invalid(field, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) out.push(duplicate(field, value));
    seen.add(value);
    if (i > 0 && (values[i - 1] ?? 0) > value) ordered = false;
  });
  if (!ordered) out.push(invalid(valuesAt, values, 'must be ordered'));
}

function checkFailureRule(
  out: FieldError[],
  at: FieldPath,
  rule: FailureRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
): void {
  const action = at.child('action');
  if (!rule.action) out.push(required(action, quoted(ACTIONS)));
  else if (!ACTIONS.includes(rule.action)) out.push(notSupported(action, rule.action, ACTIONS));
  else if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
    out.push(invalid(action, rule.action, 'requires the backoffLimitPerIndex to be set'));
  if (rule.onExitCodes !== undefined) checkExitCodes(out, at.child('onExitCodes'), rule.onExitCodes, containers);
  const patterns = list(rule.onPodConditions);
  const patternsAt = at.child('onPodConditions');
  if (patterns.length > MAX_PATTERNS) out.push(tooMany(patternsAt, patterns.length, MAX_PATTERNS));
  patterns.forEach((pattern, i) => {
    const field = patternsAt.index(i);
    checkQualifiedName(out, field.child('type'), pattern.type);
    if (!pattern.status) out.push(required(field.child('status'), quoted(STATUSES)));
    else if (!STATUSES.includes(pattern.status))
      out.push(notSupported(field.child('status'), pattern.status, STATUSES));
  });
  const [codes, conditions] = [rule.onExitCodes !== undefined, patterns.length > 0];
  if (codes && conditions)
    out.push(invalidOmitted(at, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  if (!codes && !conditions)
    out.push(invalidOmitted(at, 'specifying one of OnExitCodes and OnPodConditions is required'));
}

function checkFailurePolicy(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  const rules = list(spec.podFailurePolicy?.rules);
  const rulesAt = at.child('podFailurePolicy', 'rules');
  if (rules.length > MAX_RULES) out.push(tooMany(rulesAt, rules.length, MAX_RULES));
  const pod = spec.template?.spec;
  const containers = new Set([...list(pod?.containers), ...list(pod?.initContainers)].map(c => c.name));
  rules.forEach((rule, i) => checkFailureRule(out, rulesAt.index(i), rule, spec, containers));
}

function checkSuccessRule(out: FieldError[], at: FieldPath, rule: SuccessRule, completions: number): void {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined)
    out.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'));
  let total = 0;
  if (indexes !== undefined) {
    const field = at.child('succeededIndexes');
    if (indexes.length > MAX_INDEXES_TEXT) out.push(tooLong(field, MAX_INDEXES_TEXT));
    const parsed = parseIndexes(indexes, completions);
    if ('error' in parsed) out.push(invalid(field, indexes, `error parsing succeededIndexes: ${parsed.error}`));
    else total = parsed.total;
  }
  if (count === undefined) return;
  const field = at.child('succeededCount');
  checkNonNegative(out, field, count);
  if (count > completions)
    out.push(
      invalid(field, count, `must be less than or equal to ${completions} (the number of specified completions)`),
    );
  if (indexes !== undefined && count > total) {
    const text = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    out.push(invalid(field, count, text));
  }
}

function checkSuccessPolicy(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  const policyAt = at.child('successPolicy');
  if (spec.completionMode !== 'Indexed')
    return void out.push(
      invalid(policyAt, goForm('SuccessPolicy', spec.successPolicy), 'requires indexed completion mode'),
    );
  const rules = list(spec.successPolicy?.rules);
  const rulesAt = policyAt.child('rules');
  if (rules.length === 0)
    out.push(required(rulesAt, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > MAX_RULES) out.push(tooMany(rulesAt, rules.length, MAX_RULES));
  rules.forEach((rule, i) => checkSuccessRule(out, rulesAt.index(i), rule, spec.completions ?? 0));
}

function checkIndexed(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  const { completions, parallelism, maxFailedIndexes: maxFailed, backoffLimitPerIndex: perIndex } = spec;
  if (completions === undefined)
    return void out.push(required(at.child('completions'), 'when completion mode is Indexed'));
  const limit = (field: string, value: number | undefined, max: number, text: string): void => {
    if (value !== undefined && value > max) out.push(invalid(at.child(field), value, text));
  };
  const many = `must be less than or equal to ${MAX_INDEXES}`;
  limit('parallelism', parallelism, MAX_INDEXES, `${many} when completion mode is Indexed`);
  limit('maxFailedIndexes', maxFailed, completions, 'must be less than or equal to completions');
  limit('maxFailedIndexes', maxFailed, MAX_INDEXES, many);
  if (completions <= MAX_INDEXES || perIndex === undefined) return;
  if (maxFailed === undefined)
    out.push(required(at.child('maxFailedIndexes'), `must be specified when completions is above ${MAX_INDEXES}`));
  const text = `must be less than or equal to ${MAX_PER_INDEX} when completions are above ${MAX_INDEXES} and used with backoff limit per index`;
  limit('parallelism', parallelism, MAX_PER_INDEX, text);
  limit('maxFailedIndexes', maxFailed, MAX_PER_INDEX, text);
}

function checkModes(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  const mode = spec.completionMode;
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed')
    out.push(notSupported(at.child('completionMode'), mode, ['NonIndexed', 'Indexed']));
  if (mode === 'Indexed') return checkIndexed(out, at, spec);
  if (mode !== undefined && mode !== 'NonIndexed') return;
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
    if (spec[field] !== undefined) out.push(invalid(at.child(field), spec[field], 'requires indexed completion mode'));
}

function checkReplacement(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return;
  const allowed = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  if (!allowed.includes(policy)) out.push(notSupported(at.child('podReplacementPolicy'), policy, allowed));
}

const MAX_MANAGED_BY = 63;

/** A JobSpec as far as a template of Jobs is checked too. */
export function checkJobTemplateSpec(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  for (const field of ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit'] as const)
    checkNonNegative(out, at.child(field), spec[field]);
  checkNonNegative(out, at.child('ttlSecondsAfterFinished'), spec.ttlSecondsAfterFinished);
  checkNonNegative(out, at.child('backoffLimitPerIndex'), spec.backoffLimitPerIndex);
  if (spec.maxFailedIndexes !== undefined) {
    checkNonNegative(out, at.child('maxFailedIndexes'), spec.maxFailedIndexes);
    if (spec.backoffLimitPerIndex === undefined)
      out.push(required(at.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) {
    checkDomainPrefixedPath(out, at.child('managedBy'), spec.managedBy);
    if (spec.managedBy.length > MAX_MANAGED_BY) out.push(tooLong(at.child('managedBy'), MAX_MANAGED_BY));
  }
  checkModes(out, at, spec);
  if (spec.podFailurePolicy !== undefined) checkFailurePolicy(out, at, spec);
  if (spec.successPolicy !== undefined) checkSuccessPolicy(out, at, spec);
  checkReplacement(out, at, spec);
  const template = spec.template ?? {};
  checkPodTemplate(out, at.child('template'), template);
  const policyAt = at.child('template', 'spec', 'restartPolicy');
  const restart = template.spec?.restartPolicy ?? '';
  if (restart === '' || restart === 'Always') out.push(required(policyAt, 'valid values: "OnFailure", "Never"'));
  else if (restart !== 'OnFailure' && restart !== 'Never')
    out.push(notSupported(policyAt, restart, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy !== undefined && restart !== 'Never')
    out.push(invalid(policyAt, restart, 'only "Never" is supported when podFailurePolicy is specified'));
}

export function checkJobSpec(out: FieldError[], at: FieldPath, spec: JobSpec): void {
  checkJobTemplateSpec(out, at, spec);
  const { selector } = spec;
  if (!selector) out.push(required(at.child('selector')));
  else checkSelector(out, at.child('selector'), selector);
  checkTemplateLabels(out, at.child('template'), selector, spec.template);
}

export const JOB_NAME = 'batch.kubernetes.io/job-name';
export const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
export const OLD_JOB_NAME = 'job-name';
export const OLD_CONTROLLER_UID = 'controller-uid';

/** A Job that did not choose its own selector must have the one that the server makes. */
export function checkGeneratedSelector(out: FieldError[], job: DeepReadonly<Job>): void {
  const { spec } = job;
  if (spec?.manualSelector === true || !spec?.selector) return;
  const { name = '', uid = '' } = job.metadata;
  if (uid === '') out.push(required(path('metadata', 'uid')));
  const expected: [string, string][] = [
    [OLD_CONTROLLER_UID, uid],
    [OLD_JOB_NAME, name],
    [CONTROLLER_UID, uid],
    [JOB_NAME, name],
  ];
  const labels = spec.template.metadata?.labels ?? {};
  const at = path('spec', 'template', 'metadata', 'labels');
  for (const [key, value] of expected) {
    const actual = labels[key];
    if (actual === undefined) out.push(required(at.key(key), `must be '${value}'`));
    else if (actual !== value) out.push(invalid(at.key(key), sortedMap(labels), `must be '${value}'`));
  }
  if (selectorMatches(spec.selector, Object.fromEntries(expected)) === false)
    out.push(invalid(path('spec', 'selector'), sortedSelector(spec.selector), '`selector` not auto-generated'));
}
