import { formatTime } from '../../../machinery/clock.js';
import type { ContainerStatus, PodStatus } from '../../../machinery/types.js';
import { containersOf, type ContainerRecord, type ReadonlyPod } from '../types.js';
import { podConditions } from './conditions.js';
import { containerStatus } from './container-status.js';
import { podPhase } from './phase.js';
import type { Condition, Failure, PodView } from './pod-view.js';

/** The whole status of a Pod that this node runs, as kubelet's generateAPIPodStatus. */
export function podStatus(view: PodView): PodStatus {
  const { pod, records, nodeIPs, podIPs, startTime, finished } = view;
  const [podIP] = podIPs;
  const failure = finished ? view.failure : undefined;
  const specs = containersOf(pod);
  const hasInit = specs.some(c => c.kind === 'init' || c.kind === 'sidecar');
  const regularSeen = records.some(r => r.kind === 'regular' && (r.state.kind !== 'waiting' || r.last !== undefined));
  const ready = (r: ContainerRecord): boolean =>
    r.kind === 'sidecar' ? r.started : r.state.kind === 'terminated' && r.state.exitCode === 0;
  const initialized =
    !hasInit || regularSeen || records.filter(r => r.kind === 'init' || r.kind === 'sidecar').every(ready);
  const statuses = specs.flatMap(({ spec, kind }) => {
    const record = records.find(r => r.name === spec.name);
    // Before the sandbox is up an init container waits as any other.
    return record === undefined ? [] : [{ kind, status: containerStatus(spec, record, initialized) }];
  });
  const of = (...kinds: string[]): ContainerStatus[] => statuses.filter(s => kinds.includes(s.kind)).map(s => s.status);
  const all = statuses.map(s => s.status);
  const phase = failure === undefined ? podPhase(pod, all, finished) : 'Failed';
  const init = of('init', 'sidecar');
  const ephemeral = of('ephemeral');
  const generation = pod.metadata.generation;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...(failure === undefined ? {} : { reason: failure.reason, message: failure.message }),
    conditions: podConditions(view, { statuses: all, phase, failure }),
    hostIP: nodeIPs[0],
    hostIPs: nodeIPs.map(ip => ({ ip })),
    ...(podIP === undefined ? {} : { podIP, podIPs: podIPs.map(ip => ({ ip })) }),
    startTime: formatTime(startTime),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: of('regular').sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}

/** The status of a Pod that this node has refused to run: nothing of it was ever there. */
export const rejectedStatus = (pod: ReadonlyPod, { reason, message }: Failure, startTime: number): PodStatus => ({
  ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  phase: 'Failed',
  reason,
  message: `Pod was rejected: ${message}`,
  conditions: [...(pod.status?.conditions ?? [])] as Condition[],
  startTime: formatTime(startTime),
});
