import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import type { DeepReadonly, EndpointSlice, Pod, Service } from '../machinery/types.js';
import { podProblem } from './pod-problem.js';
import { hasLabels, selectorReason } from './selector-problem.js';
import { type Facts, nameText, type ObjectName, ofObject, type Reason, serviceName } from './types.js';

type ReadonlyService = DeepReadonly<Service>;
type ReadonlyPod = DeepReadonly<Pod>;
export type ReadonlyServicePort = NonNullable<NonNullable<ReadonlyService['spec']>['ports']>[number];
type Endpoint = NonNullable<DeepReadonly<EndpointSlice>['endpoints']>[number];

/** As many Pods are told of; more tell nobody more. */
const SHOWN = 3;

/** Those that the Service's selector matches: none, where it has no selector. */
export function selectedPods({ metadata, spec }: ReadonlyService, pods: Facts['pods']): ReadonlyPod[] {
  const selector = spec?.selector ?? {};
  if (Object.keys(selector).length === 0) return [];
  return pods.filter(({ metadata: its }) => its.namespace === metadata.namespace && hasLabels(its.labels, selector));
}

export const slicesOf = (service: ReadonlyService, slices: Facts['slices']): DeepReadonly<EndpointSlice>[] =>
  slices.filter(
    ({ metadata }) =>
      metadata.namespace === service.metadata.namespace &&
      metadata.labels?.[SERVICE_NAME_LABEL] === service.metadata.name,
  );

/** Those that get traffic of this port: a Pod without a port of the name that is meant stands in no slice with it. */
export const readyEndpoints = (
  service: ReadonlyService,
  port: Pick<ReadonlyServicePort, 'name'> | undefined,
  slices: Facts['slices'],
): readonly Endpoint[] =>
  slicesOf(service, slices)
    // No ports at all: null on the wire.
    .filter(({ ports }) => port === undefined || (ports ?? []).some(({ name }) => (name ?? '') === (port.name ?? '')))
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);

/** Why a Service has nobody to send traffic of this port to. */
export function noEndpointsReason(
  service: ReadonlyService,
  port: ReadonlyServicePort | undefined,
  facts: Facts,
): Reason {
  if (Object.keys(service.spec?.selector ?? {}).length === 0) return noSelectorReason(service, facts.slices);
  const pods = selectedPods(service, facts.pods);
  if (pods.length === 0) return selectorReason(service, facts);
  const told = pods.map(pod => ({ pod, problem: podProblem(pod, facts) }));
  const unready = told.flatMap(({ pod, problem }) => (problem === undefined ? [] : [{ pod, problem }]));
  if (unready.length < pods.length) {
    const ready = told.flatMap(({ pod, problem }) => (problem === undefined ? [pod] : []));
    return targetPortReason(service, port, ready) ?? notYetReason(service);
  }
  return unreadyReason(service, unready);
}

function noSelectorReason(service: ReadonlyService, slices: Facts['slices']): Reason {
  const { namespace = '', name = '' } = service.metadata;
  const count = slicesOf(service, slices).length;
  return {
    code: 'NoSelector',
    message: ofObject(
      serviceName(service),
      count === 0
        ? 'no selector, and no EndpointSlice'
        : `no selector, and ${count === 1 ? 'its EndpointSlice has' : `its ${count} EndpointSlices have`} no ready endpoint for this port`,
    ),
    details: [],
    objects: [serviceName(service)],
    fix: `give the Service a selector, or make an EndpointSlice with the label ${SERVICE_NAME_LABEL}=${name}`,
    show: `kubectl get endpointslices -n ${namespace} -l ${SERVICE_NAME_LABEL}=${name}`,
  };
}

const notYetReason = (service: ReadonlyService): Reason => ({
  code: 'NoReadyEndpoints',
  message: ofObject(serviceName(service), 'its Pods are Ready and in no EndpointSlice yet'),
  details: [],
  objects: [serviceName(service)],
  fix: 'wait for the EndpointSlice controller',
  show: `kubectl get endpointslices -n ${service.metadata.namespace ?? ''} -l ${SERVICE_NAME_LABEL}=${service.metadata.name ?? ''}`,
});

const podName = ({ metadata: { namespace = '', name = '' } }: ReadonlyPod): ObjectName => ({
  kind: 'Pod',
  namespace,
  name,
});

/** All are told with one sentence that have one problem. */
function unreadyReason(
  service: ReadonlyService,
  unready: readonly { readonly pod: ReadonlyPod; readonly problem: NonNullable<ReturnType<typeof podProblem>> }[],
): Reason {
  const [first] = unready;
  const { length } = unready;
  const isSame = unready.every(({ problem }) => problem.text === first?.problem.text);
  const count = length === 1 ? '1 Pod matches, not Ready' : `${length} Pods match, none Ready`;
  const details = isSame
    ? []
    : unready.slice(1, SHOWN).map(({ pod, problem }) => `Pod ${pod.metadata.name ?? ''}: ${problem.text}`);
  const which = isSame ? '' : `${first?.pod.metadata.name ?? ''}: `;
  return {
    code: 'NoReadyEndpoints',
    message: ofObject(serviceName(service), `${count}: ${which}${first?.problem.text ?? ''}`),
    details: isSame || length <= SHOWN ? details : [...details, `and ${length - SHOWN} more Pods`],
    objects: [...unready.slice(0, SHOWN).map(({ pod }) => podName(pod)), serviceName(service)],
    fix: first?.problem.fix ?? '',
    show: first?.problem.show ?? '',
  };
}

/** A port by name leads only to Pods that have a port of that name. */
export function targetPortReason(
  service: ReadonlyService,
  port: ReadonlyServicePort | undefined,
  pods: readonly ReadonlyPod[],
): Reason | undefined {
  const target = port?.targetPort;
  if (typeof target !== 'string' || /^\d+$/.test(target)) return undefined;
  const protocol = port?.protocol ?? 'TCP';
  const all = pods.flatMap(({ spec }) =>
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ ports = [] }) => [...ports]),
  );
  if (all.some(({ name, protocol: its = 'TCP' }) => name === target && its === protocol)) return undefined;
  const there = [
    ...new Set(
      all.map(
        ({ name, containerPort, protocol: its = 'TCP' }) =>
          `${name === undefined ? '' : `${name}=`}${containerPort}${its === protocol ? '' : `/${its}`}`,
      ),
    ),
  ];
  const [first] = all.filter(({ protocol: its = 'TCP' }) => its === protocol);
  const { namespace = '', name = '' } = service.metadata;
  return {
    code: 'NoSuchTargetPort',
    message: ofObject(
      serviceName(service),
      `targetPort ${target}: no container port of that name (${there.length === 0 ? 'the Pods name no ports' : `there is ${there.join(', ')}`})`,
    ),
    details: [],
    objects: [serviceName(service), ...pods.slice(0, 1).map(podName)],
    fix:
      first === undefined
        ? `name a container port ${target} in the Pods`
        : `set targetPort of port ${port?.port ?? ''} to ${first.name ?? first.containerPort}, or name the container port ${target}`,
    show: `kubectl get svc/${name} -n ${namespace} -o jsonpath={.spec.ports}`,
  };
}

/** A Service of which some Pods get no traffic works; who looks at it wants to know. */
export function unreadyNotes(service: ReadonlyService, facts: Facts): string[] {
  const notes = selectedPods(service, facts.pods).flatMap(pod => {
    const problem = podProblem(pod, facts);
    return problem === undefined ? [] : [`Pod ${nameText(pod.metadata)} gets no traffic: ${problem.text}`];
  });
  return notes.length > SHOWN ? [...notes.slice(0, SHOWN), `and ${notes.length - SHOWN} more Pods`] : notes;
}
