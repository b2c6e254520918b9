import type { QuantityFormat } from '../../machinery/quantity.js';
import { formatQuantity } from '../../machinery/quantity-format.js';
import type { DeepReadonly, Pod } from '../../machinery/types.js';
import { labelSelectorText } from './label-selector-text.js';
import type { MetricName, MetricsClient } from './metrics-client.js';
import { milliValue } from './pod-metrics.js';
import { averageReplicas, sharedReplicas, totalReplicas, utilizationReplicas, type Proposal } from './replicas.js';
import type { MetricSpec, MetricStatus, ReadonlyAutoscaler } from './status.js';
import { tolerancesOf } from './tolerances.js';

/** A metric that says nothing. */
export class MetricError extends Error {
  override readonly name = 'MetricError';
  constructor(
    /** Of the event and the condition. */
    readonly reason: string,
    message: string,
    /** As it stands in the sum over all metrics. */
    readonly wrapped: string,
  ) {
    super(message);
  }
}

export interface MetricProposal {
  readonly replicas: number;
  /** As it is named in reasons. */
  readonly metric: string;
  readonly status: MetricStatus;
}

export interface Surroundings {
  readonly autoscaler: ReadonlyAutoscaler;
  readonly metrics: MetricsClient;
  readonly pods: readonly DeepReadonly<Pod>[];
  /** Of those Pods. */
  readonly selector: string;
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly nowMs: number;
}

type Target = NonNullable<MetricSpec['resource']>['target'];

const milliText = (milli: number, format: QuantityFormat = 'DecimalSI'): string =>
  formatQuantity({ unscaled: BigInt(Math.trunc(milli)), scale: -3, format });

interface Asked {
  readonly currentReplicas: number;
  readonly tolerances: ReturnType<typeof tolerancesOf>;
  readonly pods: Surroundings['pods'];
  readonly nowMs: number;
}

const askedOf = ({ autoscaler, specReplicas, pods, nowMs }: Surroundings): Asked => ({
  currentReplicas: specReplicas,
  tolerances: tolerancesOf(autoscaler),
  pods,
  nowMs,
});

const namespaceOf = ({ autoscaler }: Surroundings): string => autoscaler.metadata.namespace ?? '';

/** Puts a word before what an error says. @throws Error */
async function saying<T>(prefix: string, work: () => Promise<T>, suffix = ''): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${prefix}: ${(error as Error).message}${suffix}`, { cause: error });
  }
}

/** Of one container, or ('') of all of them. */
async function ofResource(
  { resource, container, target }: { readonly resource: string; readonly container: string; readonly target: Target },
  around: Surroundings,
): Promise<{ readonly replicas: number; readonly metric: string; readonly current: object }> {
  const { averageValue, averageUtilization } = target;
  const format = resource === 'memory' ? 'BinarySI' : 'DecimalSI';
  const fetched = () =>
    saying(`unable to get metrics for resource ${resource}`, () =>
      around.metrics.resource(resource, namespaceOf(around), around.selector, container),
    );
  if (averageValue !== undefined) {
    const { replicas, usage } = await saying(`failed to get ${resource} usage`, async () =>
      averageReplicas(await fetched(), { ...askedOf(around), resource, target: milliValue(averageValue) }),
    );
    return { replicas, metric: `${resource} resource`, current: { averageValue: milliText(usage, format) } };
  }
  if (averageUtilization === undefined)
    throw new Error(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    );
  const proposal: Proposal = await saying(`failed to get ${resource} utilization`, async () =>
    utilizationReplicas(await fetched(), { ...askedOf(around), resource, container, target: averageUtilization }),
  );
  const what = container === '' ? 'resource' : 'container resource';
  return {
    replicas: proposal.replicas,
    metric: `${resource} ${what} utilization (percentage of request)`,
    current: { averageUtilization: proposal.utilization ?? 0, averageValue: milliText(proposal.usage, format) },
  };
}

const identity = ({ name, selector }: MetricName): object => ({
  name,
  ...(selector === undefined ? {} : { selector }),
});
const named = ({ name, selector }: MetricName): string => `external metric ${name}(${labelSelectorText(selector)})`;

/** A value that all Pods share. */
function shared(
  metric: MetricName,
  averageValue: string,
  used: number,
  around: Surroundings,
  status: (current: object) => MetricStatus,
): MetricProposal {
  const { statusReplicas } = around;
  const tolerances = tolerancesOf(around.autoscaler);
  const { replicas, usage } = sharedReplicas(used, { statusReplicas, tolerances, target: milliValue(averageValue) });
  return { replicas, metric: named(metric), status: status({ averageValue: milliText(usage) }) };
}

async function ofObject(spec: NonNullable<MetricSpec['object']>, around: Surroundings): Promise<MetricProposal> {
  const { metric, describedObject, target } = spec;
  const usage = () =>
    saying(
      `unable to get metric ${metric.name}`,
      () => around.metrics.object(metric, namespaceOf(around), describedObject),
      ` on ${describedObject.kind} ${namespaceOf(around)}/${describedObject.name}`,
    );
  const status = (current: object): MetricStatus =>
    ({ type: 'Object', object: { metric: identity(metric), describedObject, current } }) as MetricStatus;
  if (target.type === 'Value' && target.value !== undefined) {
    const found = totalReplicas(await usage(), { ...askedOf(around), target: milliValue(target.value) });
    const current = { value: milliText(found.usage) };
    return {
      replicas: found.replicas,
      metric: `${describedObject.kind} metric ${metric.name}`,
      status: status(current),
    };
  }
  if (target.type === 'AverageValue' && target.averageValue !== undefined) {
    const used = await saying(`failed to get ${metric.name} object metric`, usage);
    return shared(metric, target.averageValue, used, around, status);
  }
  throw new Error('invalid object metric source: neither a value target nor an average value target was set');
}

async function ofPods(
  { metric, target }: NonNullable<MetricSpec['pods']>,
  around: Surroundings,
): Promise<MetricProposal> {
  const metrics = await saying(`unable to get metric ${metric.name}`, () =>
    around.metrics.pods(metric, namespaceOf(around), around.selector),
  );
  const wanted = milliValue(target.averageValue ?? '0');
  const { replicas, usage } = averageReplicas(metrics, { ...askedOf(around), resource: '', target: wanted });
  const current = { averageValue: milliText(usage) };
  const status = { type: 'Pods', pods: { metric: identity(metric), current } } as MetricStatus;
  return { replicas, metric: `pods metric ${metric.name}`, status };
}

async function ofExternal(
  { metric, target }: NonNullable<MetricSpec['external']>,
  around: Surroundings,
): Promise<MetricProposal> {
  const sum = () =>
    saying(
      `unable to get external metric ${namespaceOf(around)}/${metric.name}/${labelSelectorText(metric.selector)}`,
      async () => {
        const values = await around.metrics.external(metric, namespaceOf(around));
        return values.reduce((total, value) => total + value, 0);
      },
    );
  const status = (current: object): MetricStatus =>
    ({ type: 'External', external: { metric: identity(metric), current } }) as MetricStatus;
  if (target.averageValue !== undefined) {
    const used = await saying(`failed to get ${metric.name} external metric`, sum);
    return shared(metric, target.averageValue, used, around, status);
  }
  if (target.value !== undefined) {
    const wanted = milliValue(target.value);
    const found = await saying(`failed to get external metric ${metric.name}`, async () =>
      totalReplicas(await sum(), { ...askedOf(around), target: wanted }),
    );
    return { replicas: found.replicas, metric: named(metric), status: status({ value: milliText(found.usage) }) };
  }
  throw new Error('invalid external metric source: neither a value target nor an average value target was set');
}

interface Kind {
  readonly reason: string;
  /** As in "failed to get … metric value". */
  readonly what: string;
  readonly propose: () => Promise<MetricProposal>;
}

function kindOf(spec: MetricSpec, around: Surroundings): Kind {
  if (spec.type === 'Resource' && spec.resource !== undefined) {
    const { name, target } = spec.resource;
    return {
      reason: 'FailedGetResourceMetric',
      what: `${name} resource`,
      async propose() {
        const { replicas, metric, current } = await ofResource({ resource: name, container: '', target }, around);
        return { replicas, metric, status: { type: 'Resource', resource: { name, current } } };
      },
    };
  }
  if (spec.type === 'ContainerResource' && spec.containerResource !== undefined) {
    const { name, container, target } = spec.containerResource;
    return {
      reason: 'FailedGetContainerResourceMetric',
      what: `${container} container`,
      async propose() {
        const { replicas, metric, current } = await ofResource({ resource: name, container, target }, around);
        const containerResource = { name, container, current };
        return { replicas, metric, status: { type: 'ContainerResource', containerResource } };
      },
    };
  }
  const { object, pods, external } = spec;
  if (spec.type === 'Object' && object !== undefined)
    return { reason: 'FailedGetObjectMetric', what: 'object', propose: () => ofObject(object, around) };
  if (spec.type === 'Pods' && pods !== undefined)
    return { reason: 'FailedGetPodsMetric', what: 'pods', propose: () => ofPods(pods, around) };
  if (spec.type === 'External' && external !== undefined) {
    const what = `${external.metric.name} external`;
    return { reason: 'FailedGetExternalMetric', what, propose: () => ofExternal(external, around) };
  }
  const problem = `unknown metric source type ${JSON.stringify(spec.type)}`;
  throw new MetricError('InvalidMetricSourceType', problem, problem);
}

/** How many replicas one metric of an autoscaler asks for. @throws MetricError */
export async function proposalFor(spec: MetricSpec, around: Surroundings): Promise<MetricProposal> {
  const { reason, what, propose } = kindOf(spec, around);
  try {
    return await propose();
  } catch (error) {
    const { message } = error as Error;
    throw new MetricError(reason, message, `failed to get ${what} metric value: ${message}`);
  }
}
