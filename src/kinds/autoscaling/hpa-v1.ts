import { cloneJson } from '../../machinery/json-equal.js';
import type { DeepReadonly, HorizontalPodAutoscaler, KubeObject } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { goForm } from '../validation/go-form.js';
import { checkScaler, checkScalerStatus, CPU_UTILIZATION, defaultScaler } from './validation/hpa.js';
import { scalerCells } from './hpa.js';

/** autoscaling/v1 shows the CPU target as a field of its own and everything newer as annotations. */
interface ScalerV1 extends KubeObject {
  spec?: {
    scaleTargetRef?: unknown;
    minReplicas?: number;
    maxReplicas?: number;
    targetCPUUtilizationPercentage?: number;
  };
  status?: {
    observedGeneration?: number;
    lastScaleTime?: string;
    currentReplicas?: number;
    desiredReplicas?: number;
    currentCPUUtilizationPercentage?: number;
  };
}

type Scaler = HorizontalPodAutoscaler;
type Spec = NonNullable<Scaler['spec']>;
type Metric = NonNullable<Spec['metrics']>[number];
type Fields = Readonly<Record<string, unknown>>;

const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const METRICS = `${PREFIX}metrics`;
const BEHAVIOR = `${PREFIX}behavior`;
const CONDITIONS = `${PREFIX}conditions`;
const CURRENT_METRICS = `${PREFIX}current-metrics`;
const ROUND_TRIP = [METRICS, BEHAVIOR, CONDITIONS, CURRENT_METRICS];

/** Where each value of a v2 metric goes in v1, by source: [v1 name, path in v2] in v1's order. */
type Layout = readonly (readonly [name: string, ...path: string[]])[];

const TARGETS: Readonly<Record<string, Layout>> = {
  object: [
    ['target', 'describedObject'],
    ['metricName', 'metric', 'name'],
    ['targetValue', 'target', 'value'],
    ['selector', 'metric', 'selector'],
    ['averageValue', 'target', 'averageValue'],
  ],
  pods: [
    ['metricName', 'metric', 'name'],
    ['targetAverageValue', 'target', 'averageValue'],
    ['selector', 'metric', 'selector'],
  ],
  resource: [
    ['name', 'name'],
    ['targetAverageUtilization', 'target', 'averageUtilization'],
    ['targetAverageValue', 'target', 'averageValue'],
  ],
  containerResource: [
    ['name', 'name'],
    ['targetAverageUtilization', 'target', 'averageUtilization'],
    ['targetAverageValue', 'target', 'averageValue'],
    ['container', 'container'],
  ],
  external: [
    ['metricName', 'metric', 'name'],
    ['metricSelector', 'metric', 'selector'],
    ['targetValue', 'target', 'value'],
    ['targetAverageValue', 'target', 'averageValue'],
  ],
};

/** The same for what is measured: "current" instead of "target". */
const CURRENT: Readonly<Record<string, Layout>> = Object.fromEntries(
  Object.entries(TARGETS).map(([source, layout]) => [
    source,
    layout.map(([name, first = '', ...rest]): readonly [string, ...string[]] => [
      name.startsWith('target') && name !== 'target' ? `current${name.slice('target'.length)}` : name,
      first === 'target' ? 'current' : first,
      ...rest,
    ]),
  ]),
);

/** Quantities that v1 holds as plain values: always written. */
const ALWAYS: Readonly<Record<string, readonly string[]>> = {
  object: ['targetValue', 'currentValue'],
  pods: ['targetAverageValue', 'currentAverageValue'],
  resource: ['currentAverageValue'],
  containerResource: ['currentAverageValue'],
  external: ['currentValue'],
};

const pick = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Fields | undefined)?.[key], value);

function toV1(metric: Fields, layouts: typeof TARGETS): Fields {
  const out: Record<string, unknown> = { type: metric['type'] };
  for (const [source, layout] of Object.entries(layouts)) {
    if (metric[source] === undefined) continue;
    const values = layout.map(([name, ...path]): [string, unknown] => {
      const zero = ALWAYS[source]?.includes(name) === true ? '0' : undefined;
      return [name, pick(metric[source], path) ?? zero];
    });
    out[source] = Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }
  return out;
}

function targetType(target: Record<string, unknown>): string {
  if (target['averageUtilization'] !== undefined) return 'Utilization';
  return target['averageValue'] === undefined ? 'Value' : 'AverageValue';
}

function fromV1(metric: Fields, layouts: typeof TARGETS): Record<string, unknown> {
  const out: Record<string, unknown> = { type: metric['type'] };
  for (const [source, layout] of Object.entries(layouts)) {
    const from = metric[source] as Fields | undefined;
    if (from === undefined) continue;
    const to: Record<string, unknown> = {};
    for (const [name, first = '', second] of layout) {
      if (from[name] === undefined) continue;
      if (second === undefined) to[first] = from[name];
      else to[first] = { ...(to[first] as Fields | undefined), [second]: from[name] };
    }
    if (layouts === TARGETS) {
      const target = { ...(to['target'] as Fields | undefined) };
      to['target'] = { type: targetType(target), ...target };
    }
    out[source] = to;
  }
  return out;
}

const isCpu = (metric: Metric): boolean =>
  metric.type === 'Resource' &&
  metric.resource?.name === 'cpu' &&
  metric.resource.target.averageUtilization !== undefined;

function fromStorage(object: KubeObject): ScalerV1 {
  const { metadata, spec, status } = object as unknown as Scaler;
  const annotations: Record<string, string> = { ...metadata.annotations };
  for (const key of ROUND_TRIP) delete annotations[key];
  const put = (key: string, value: unknown): void => {
    annotations[key] = JSON.stringify(value);
  };
  const metrics = spec?.metrics ?? [];
  const cpu = metrics.find(isCpu);
  const others = metrics.filter(metric => !isCpu(metric));
  if (others.length > 0)
    put(
      METRICS,
      others.map(metric => toV1(metric as Fields, TARGETS)),
    );
  if (spec?.behavior !== undefined) put(BEHAVIOR, goForm('HorizontalPodAutoscalerBehavior', spec.behavior));
  const measured = (status?.currentMetrics ?? []) as unknown as readonly Fields[];
  const isMeasuredCpu = (metric: Fields): boolean => pick(metric, ['resource', 'name']) === 'cpu';
  // CPU too: the annotation has the raw value.
  if (measured.length > 0)
    put(
      CURRENT_METRICS,
      measured.map(metric => toV1(metric, CURRENT)),
    );
  if ((status?.conditions ?? []).length > 0) put(CONDITIONS, status?.conditions);
  const usage = pick(measured.find(isMeasuredCpu), ['resource', 'current', 'averageUtilization']);
  const { metrics: _metrics, behavior: _behavior, ...restSpec } = spec ?? ({} as Spec);
  const { annotations: _annotations, ...restMeta } = metadata;
  const target = cpu?.resource?.target.averageUtilization;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: Object.keys(annotations).length > 0 ? { ...restMeta, annotations } : restMeta,
    spec: { ...restSpec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      ...(status?.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
      ...(status?.lastScaleTime === undefined ? {} : { lastScaleTime: status.lastScaleTime }),
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(usage === undefined ? {} : { currentCPUUtilizationPercentage: usage as number }),
    },
  };
}

/** Go's field names back to those of the wire. */
function fromGoForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromGoForm);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key.charAt(0).toLowerCase() + key.slice(1), fromGoForm(item)]),
  );
}

/** What v1 means by no metric at all. */
const defaultCpuTarget = (): Record<string, unknown> => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: CPU_UTILIZATION } },
});

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // As upstream: what does not parse is dropped.
  }
}

/** The object as v2 has it, without the defaults of v2. */
function toV2(object: DeepReadonly<ScalerV1>): Scaler {
  const { metadata, spec, status } = cloneJson(object) as ScalerV1;
  const annotations: Record<string, string> = { ...metadata.annotations };
  const take = (key: string): unknown => {
    const value = parsed(annotations[key]);
    delete annotations[key];
    return value;
  };
  const list = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
  const { targetCPUUtilizationPercentage: cpu, ...restSpec } = spec ?? {};
  const { currentCPUUtilizationPercentage: usage, currentReplicas, ...restStatus } = status ?? {};
  const metrics = list(take(METRICS)).map(metric => fromV1(metric, TARGETS));
  if (cpu !== undefined)
    metrics.push({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } },
    });
  if (metrics.length === 0) metrics.push(defaultCpuTarget());
  const measured = list(take(CURRENT_METRICS)).map(metric => fromV1(metric, CURRENT));
  if (usage !== undefined && measured.length === 0)
    measured.push({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: usage } } });
  const behavior = fromGoForm(take(BEHAVIOR));
  const conditions = list(take(CONDITIONS));
  const { annotations: _annotations, ...restMeta } = metadata;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: Object.keys(annotations).length > 0 ? { ...restMeta, annotations } : restMeta,
    spec: {
      ...restSpec,
      metrics,
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      ...restStatus,
      // Zero is left out in v2.
      ...(currentReplicas ? { currentReplicas } : {}),
      currentMetrics: measured.length > 0 ? measured : null,
      ...(conditions.length > 0 ? { conditions } : {}),
    },
  } as unknown as Scaler;
}

function toStorage(object: DeepReadonly<ScalerV1>): KubeObject {
  const stored = toV2(object);
  defaultScaler(stored);
  return stored;
}

/** Rewrites a v1 object as it reads after a change in v2's terms: annotations and fields say the same. Mutates. */
function rewrite(scaler: ScalerV1, change: (stored: Scaler) => void): void {
  const stored = toV2(scaler);
  change(stored);
  Object.assign(scaler, fromStorage(stored as unknown as KubeObject));
}

const keepStatus = (stored: Scaler, old: DeepReadonly<ScalerV1>): void => {
  const { status } = toV2(old);
  if (status === undefined) delete stored.status;
  else stored.status = status;
};

export const horizontalPodAutoscalerV1Strategy: Strategy<ScalerV1> = {
  default(scaler) {
    (scaler.spec ??= {}).minReplicas ??= 1;
    rewrite(scaler, () => undefined);
  },
  prepareForCreate: (_ctx, scaler) => rewrite(scaler, stored => delete stored.status),
  prepareForUpdate: (_ctx, scaler, old) => rewrite(scaler, stored => keepStatus(stored, old)),
  validate: (_ctx, scaler) => checkScaler(toV2(scaler), undefined),
  validateUpdate: (_ctx, scaler, old) => checkScaler(toV2(scaler), toV2(old)),
  cells: (scaler, nowMs) => scalerCells(toV2(scaler), nowMs),
  internalMetadata: scaler => toV2(scaler).metadata,
  toStorage,
  fromStorage,
  subresources: {
    status: {
      kind: 'part',
      prepareForUpdate: (_ctx, object, old) => rewrite(object, stored => (stored.spec = toV2(old).spec)),
      validateUpdate: (_ctx, object) => checkScalerStatus(toV2(object)),
    },
  },
};
