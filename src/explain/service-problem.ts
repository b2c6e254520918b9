import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import type { DeepReadonly, EndpointSlice, Pod, Service } from '../machinery/types.js';
import { podProblem } from './pod-problem.js';
import { type Facts, nameText, type Reason, serviceName } from './types.js';

type ReadonlyService = DeepReadonly<Service>;
type ReadonlyServicePort = NonNullable<NonNullable<ReadonlyService['spec']>['ports']>[number];

/** As many Pods are told of; more tell nobody more. */
const SHOWN = 5;

/** As a label selector is written. */
export const selectorText = (selector: Readonly<Record<string, string>>): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

const matching = (service: ReadonlyService, pods: Facts['pods']): DeepReadonly<Pod>[] =>
  pods.filter(
    ({ metadata }) =>
      metadata.namespace === service.metadata.namespace &&
      Object.entries(service.spec?.selector ?? {}).every(([key, value]) => metadata.labels?.[key] === value),
  );

export const slicesOf = (service: ReadonlyService, slices: Facts['slices']): DeepReadonly<EndpointSlice>[] =>
  slices.filter(
    ({ metadata }) =>
      metadata.namespace === service.metadata.namespace &&
      metadata.labels?.[SERVICE_NAME_LABEL] === service.metadata.name,
  );

/** Why a Service has nobody to send traffic of this port to. */
export function noEndpointsReason(
  service: ReadonlyService,
  port: ReadonlyServicePort | undefined,
  facts: Facts,
): Reason {
  const { namespace, name = '' } = service.metadata;
  const object = serviceName(service);
  const selector = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0)
    return {
      code: 'NoSelector',
      message: `Service ${nameText(service.metadata)} has no selector, and no EndpointSlice of it has a ready endpoint`,
      details: [],
      objects: [object],
      fix: `give the Service a selector, or make an EndpointSlice with the label ${SERVICE_NAME_LABEL}=${name}`,
    };
  const pods = matching(service, facts.pods);
  if (pods.length === 0)
    return {
      code: 'NoMatchingPods',
      message: `the selector ${selectorText(selector)} of Service ${nameText(service.metadata)} matches no Pod`,
      details: nearMisses(service, facts.pods),
      objects: [object],
      fix: `change the Service's selector, or label the Pods ${selectorText(selector)}`,
    };
  const told = pods.map(pod => ({ pod, problem: podProblem(pod) ?? portProblem(pod, port) }));
  const problems = told.filter(({ problem }) => problem !== undefined);
  return {
    code: 'NoReadyEndpoints',
    message: `Service ${nameText(service.metadata)} has no ready endpoint: of the Pods that it selects (${pods.length}) ${problems.length === pods.length ? 'none can take traffic' : 'none is in an EndpointSlice yet'}`,
    details: [
      ...problems.slice(0, SHOWN).map(({ pod, problem = '' }) => `Pod ${nameText(pod.metadata)}: ${problem}`),
      ...(problems.length > SHOWN ? [`and ${problems.length - SHOWN} more Pods`] : []),
    ],
    objects: [
      ...problems
        .slice(0, SHOWN)
        .map(({ pod }) => ({ kind: 'Pod', namespace: namespace ?? '', name: pod.metadata.name ?? '' })),
      object,
    ],
    fix: problems.length === 0 ? 'wait for the EndpointSlice controller' : 'make one of these Pods ready',
  };
}

/** A port by name leads only to Pods that have a port of that name. */
function portProblem(pod: DeepReadonly<Pod>, port: ReadonlyServicePort | undefined): string | undefined {
  const target = port?.targetPort;
  if (typeof target !== 'string') return undefined;
  const names = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports.flatMap(({ name }) => name ?? []));
  return names.includes(target)
    ? undefined
    : `the Service's targetPort ${JSON.stringify(target)} is the name of none of its ports (${names.join(', ') || 'it names none'})`;
}

/** Pods of the namespace that have a label of the selector's, with another value. */
function nearMisses({ metadata: { namespace }, spec }: ReadonlyService, pods: Facts['pods']): string[] {
  const keys = Object.keys(spec?.selector ?? {});
  const near = pods.filter(
    ({ metadata }) => metadata.namespace === namespace && keys.some(key => metadata.labels?.[key] !== undefined),
  );
  return near.slice(0, SHOWN).map(({ metadata }) => {
    const has = keys.flatMap(key => (metadata.labels?.[key] === undefined ? [] : [`${key}=${metadata.labels[key]}`]));
    return `Pod ${nameText(metadata)} has ${has.join(',')}`;
  });
}
