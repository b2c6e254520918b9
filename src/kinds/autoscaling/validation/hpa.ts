import { errorList, forbidden, invalid, notSupported, path, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import type { DeepReadonly, HorizontalPodAutoscaler } from '../../../machinery/types.js';
import { nameIsPathSegment } from '../../../machinery/validation/names.js';
import { checkDnsLabel, checkNonNegative, list, NEGATIVE } from '../../validation/formats.js';
import { quantitySign } from '../../validation/quantities.js';
import { checkContainerResourceName } from '../../core/pod/validation/resources.js';

type Scaler = HorizontalPodAutoscaler;
type ReadonlyScaler = DeepReadonly<Scaler>;
type Spec = NonNullable<ReadonlyScaler['spec']>;
type Metric = NonNullable<Spec['metrics']>[number];
type Target = NonNullable<Metric['resource']>['target'];
type Rules = NonNullable<NonNullable<NonNullable<Scaler['spec']>['behavior']>['scaleUp']>;

export const CPU_UTILIZATION = 80;
const PERIOD_SECONDS = 15;
const SPEC = path('spec');

const percent100 = { type: 'Percent', value: 100, periodSeconds: PERIOD_SECONDS };

/** Defaults of autoscaling/v2. Mutates. */
export function defaultScaler(scaler: Scaler): void {
  const spec = (scaler.spec ??= {} as NonNullable<Scaler['spec']>);
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: 'Utilization', averageUtilization: CPU_UTILIZATION };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  const { behavior } = spec;
  if (behavior === undefined) return;
  const up = (behavior.scaleUp ??= {} as Rules);
  up.stabilizationWindowSeconds ??= 0;
  up.policies ??= [{ type: 'Pods', value: 4, periodSeconds: PERIOD_SECONDS }, { ...percent100 }];
  const down = (behavior.scaleDown ??= {} as Rules);
  down.policies ??= [{ ...percent100 }];
  for (const rules of [up, down]) rules.selectPolicy ??= 'Max';
}

interface Reference {
  readonly kind?: string;
  readonly name?: string;
  readonly apiVersion?: string;
}

function checkApiVersion(out: FieldError[], at: FieldPath, apiVersion: string, needsGroup: boolean): void {
  const parts = apiVersion.split('/');
  if (parts.length > 2) out.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (needsGroup && (parts.length < 2 || parts[0] === ''))
    out.push(invalid(at, apiVersion, 'apiVersion must specify API group'));
}

function checkReference(out: FieldError[], at: FieldPath, reference: Reference | undefined): void {
  for (const field of ['kind', 'name'] as const) {
    const value = reference?.[field] ?? '';
    if (value === '') out.push(required(at.child(field)));
    else for (const text of nameIsPathSegment(value, false)) out.push(invalid(at.child(field), value, text));
  }
}

const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];

function checkTarget(out: FieldError[], at: FieldPath, target: Target | undefined): void {
  const type = target?.type ?? '';
  if (type === '') out.push(required(at.child('type'), 'must specify a metric target type'));
  if (!TARGET_TYPES.includes(type))
    out.push(invalid(at.child('type'), type, 'must be either Utilization, Value, or AverageValue'));
  const { value, averageValue, averageUtilization } = target ?? {};
  if (value !== undefined && quantitySign(value) !== 1) out.push(invalid(at.child('value'), value, 'must be positive'));
  if (averageValue !== undefined && quantitySign(averageValue) !== 1)
    out.push(invalid(at.child('averageValue'), averageValue, 'must be positive'));
  if (averageUtilization !== undefined && averageUtilization < 1)
    out.push(invalid(at.child('averageUtilization'), averageUtilization, 'must be greater than 0'));
}

function checkIdentifier(out: FieldError[], at: FieldPath, metric: NonNullable<Metric['pods']>['metric']): void {
  const name = metric?.name ?? '';
  if (name === '') out.push(required(at.child('name'), 'must specify a metric name'));
  else for (const text of nameIsPathSegment(name, false)) out.push(invalid(at.child('name'), name, text));
}

function checkContainer(out: FieldError[], at: FieldPath, source: NonNullable<Metric['containerResource']>): void {
  if (!source.name) out.push(required(at.child('name'), 'must specify a resource name'));
  else checkContainerResourceName(out, at.child('name'), source.name);
  if (!source.container) out.push(required(at.child('container'), 'must specify a container'));
  else checkDnsLabel(out, at.child('container'), source.container);
  checkUtilization(out, at, source);
}

function checkResource(out: FieldError[], at: FieldPath, source: NonNullable<Metric['resource']>): void {
  if (!source.name) out.push(required(at.child('name'), 'must specify a resource name'));
  checkUtilization(out, at, source);
}

function checkUtilization(
  out: FieldError[],
  at: FieldPath,
  source: Pick<NonNullable<Metric['resource']>, 'target'>,
): void {
  checkTarget(out, at.child('target'), source.target);
  const { averageUtilization, averageValue } = source.target ?? {};
  if (averageUtilization === undefined && averageValue === undefined)
    out.push(
      required(at.child('target', 'averageUtilization'), 'must set either a target raw value or a target utilization'),
    );
  if (averageUtilization !== undefined && averageValue !== undefined)
    out.push(
      forbidden(at.child('target', 'averageValue'), 'may not set both a target raw value and a target utilization'),
    );
}

/** Fields of a metric by the type that asks for them, in the order upstream looks at them. */
const SOURCES = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const;
const TYPES = Object.keys(SOURCES).sort();

/** The first source that is there; others are too many. */
function checkSource(out: FieldError[], at: FieldPath, metric: Metric): void {
  const { object, external, pods, resource, containerResource: container } = metric;
  if (object !== undefined) {
    const field = at.child('object');
    checkReference(out, field.child('describedObject'), object.describedObject);
    checkApiVersion(out, field.child('describedObject', 'apiVersion'), object.describedObject?.apiVersion ?? '', false);
    checkIdentifier(out, field.child('metric'), object.metric);
    checkTarget(out, field.child('target'), object.target);
    if (object.target?.value === undefined && object.target?.averageValue === undefined)
      out.push(required(field.child('target', 'averageValue'), 'must set either a target value or averageValue'));
  } else if (external !== undefined) {
    const field = at.child('external');
    checkIdentifier(out, field.child('metric'), external.metric);
    checkTarget(out, field.child('target'), external.target);
    const { value, averageValue } = external.target ?? {};
    if (value === undefined && averageValue === undefined) {
      const text = 'must set either a target value for metric or a per-pod target';
      out.push(required(field.child('target', 'averageValue'), text));
    }
    if (value !== undefined && averageValue !== undefined) {
      const text = 'may not set both a target value for metric and a per-pod target';
      out.push(forbidden(field.child('target', 'value'), text));
    }
  } else if (pods !== undefined) {
    const field = at.child('pods');
    checkIdentifier(out, field.child('metric'), pods.metric);
    checkTarget(out, field.child('target'), pods.target);
    if (pods.target?.averageValue === undefined)
      out.push(required(field.child('target', 'averageValue'), 'must specify a positive target averageValue'));
  } else if (resource !== undefined) checkResource(out, at.child('resource'), resource);
  else if (container !== undefined) checkContainer(out, at.child('containerResource'), container);
}

function checkMetric(out: FieldError[], at: FieldPath, metric: Metric): void {
  const type = metric.type ?? '';
  if (type === '') out.push(required(at.child('type'), 'must specify a metric source type'));
  if (!TYPES.includes(type)) out.push(notSupported(at.child('type'), type, TYPES));
  checkSource(out, at, metric);
  const expected = SOURCES[type as keyof typeof SOURCES] as (typeof SOURCES)[keyof typeof SOURCES] | undefined;
  // Upstream says so twice.
  if (expected === undefined) out.push(notSupported(at.child('type'), type, TYPES));
  else if (metric[expected] === undefined)
    out.push(required(at.child(expected), 'must populate information for the given metric source'));
  const present = Object.values(SOURCES).filter(source => metric[source] !== undefined);
  if (present.length === 1) return;
  for (const source of present)
    if (source !== expected) out.push(forbidden(at.child(source), 'must populate the given metric source only'));
}

const MAX_WINDOW_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;
const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const POLICY_TYPES = ['Percent', 'Pods'];

function checkRules(out: FieldError[], at: FieldPath, rules: DeepReadonly<Rules> | undefined): void {
  if (rules === undefined) return;
  const window = rules.stabilizationWindowSeconds;
  const windowAt = at.child('stabilizationWindowSeconds');
  if (window !== undefined && window < 0) out.push(invalid(windowAt, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > MAX_WINDOW_SECONDS)
    out.push(invalid(windowAt, window, `must be less than or equal to ${MAX_WINDOW_SECONDS}`));
  const select = rules.selectPolicy;
  if (select !== undefined && !SELECT_POLICIES.includes(select))
    out.push(notSupported(at.child('selectPolicy'), select, SELECT_POLICIES));
  const policiesAt = at.child('policies');
  if (list(rules.policies).length === 0) out.push(required(policiesAt, 'must specify at least one Policy'));
  list(rules.policies).forEach((policy, i) => {
    const field = policiesAt.index(i);
    if (!POLICY_TYPES.includes(policy.type)) out.push(notSupported(field.child('type'), policy.type, POLICY_TYPES));
    const positive = (name: 'value' | 'periodSeconds'): void => {
      if (policy[name] <= 0) out.push(invalid(field.child(name), policy[name], 'must be greater than zero'));
    };
    positive('value');
    positive('periodSeconds');
    if (policy.periodSeconds > MAX_PERIOD_SECONDS) {
      const text = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
      out.push(invalid(field.child('periodSeconds'), policy.periodSeconds, text));
    }
  });
  const tolerance = (rules as { readonly tolerance?: string }).tolerance;
  if (tolerance !== undefined && quantitySign(tolerance) < 0)
    out.push(invalid(at.child('tolerance'), tolerance, NEGATIVE));
}

const isOtherKind = (a: Reference | undefined, b: Reference | undefined): boolean =>
  a?.apiVersion !== b?.apiVersion || a?.kind !== b?.kind;

/** `old`: what was stored before the rule for apiVersion came may stay. */
export function checkScaler({ spec }: ReadonlyScaler, old: ReadonlyScaler | undefined): FieldError[] {
  const out = errorList();
  const { minReplicas, maxReplicas = 0 }: Partial<Spec> = spec ?? {};
  if (minReplicas !== undefined && minReplicas < 1)
    out.push(invalid(SPEC.child('minReplicas'), minReplicas, 'must be greater than or equal to 1'));
  const maxAt = SPEC.child('maxReplicas');
  if (maxReplicas < 1) out.push(invalid(maxAt, maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    out.push(invalid(maxAt, maxReplicas, 'must be greater than or equal to `minReplicas`'));
  const target = spec?.scaleTargetRef;
  const targetAt = SPEC.child('scaleTargetRef');
  checkReference(out, targetAt, target);
  if (old === undefined || isOtherKind(old.spec?.scaleTargetRef, target))
    checkApiVersion(
      out,
      targetAt.child('apiVersion'),
      target?.apiVersion ?? '',
      target?.kind !== 'ReplicationController',
    );
  list(spec?.metrics).forEach((metric, i) => checkMetric(out, SPEC.child('metrics').index(i), metric));
  if (minReplicas === 0 && !list(spec?.metrics).some(({ type }) => type === 'Object' || type === 'External')) {
    const text = 'must specify at least one Object or External metric to support scaling to zero replicas';
    out.push(forbidden(SPEC.child('metrics'), text));
  }
  checkRules(out, SPEC.child('behavior', 'scaleUp'), spec?.behavior?.scaleUp);
  checkRules(out, SPEC.child('behavior', 'scaleDown'), spec?.behavior?.scaleDown);
  return out;
}

export function checkScalerStatus({ status }: ReadonlyScaler): FieldError[] {
  const out = errorList();
  checkNonNegative(out, path('status', 'currentReplicas'), status?.currentReplicas);
  checkNonNegative(out, path('status', 'desiredReplicas'), status?.desiredReplicas);
  return out;
}
