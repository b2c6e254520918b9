import { type Family, formatIP } from '../machinery/ip.js';
import { jsonEqual } from '../machinery/json-equal.js';
import { parseLegacyIp } from '../machinery/legacy-ip.js';
import type { DeepReadonly, Pod, Service } from '../machinery/types.js';
import type { Indexer, Informer } from '../client/types.js';
import { keyOf } from '../client/types.js';
import {
  byLabel,
  bySelecting,
  candidatesWith,
  LABEL_INDEX,
  SELECTING_INDEX,
  selectingCandidates,
} from './label-index.js';
import { isDeleting, isReady, isTerminal, podIPs } from './pods.js';

type ReadonlyPod = DeepReadonly<Pod>;
type ReadonlyService = DeepReadonly<Service>;
type ReadonlyServicePort = NonNullable<NonNullable<ReadonlyService['spec']>['ports']>[number];

/** A Service whose endpoints the controllers compute: it selects Pods and is no alias. */
export const hasComputedEndpoints = (service: ReadonlyService): boolean =>
  service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0;

export const isHeadless = (service: ReadonlyService): boolean => service.spec?.clusterIP === 'None';

export const selects = (service: ReadonlyService, labels: Readonly<Record<string, string>> | undefined): boolean =>
  Object.entries(service.spec?.selector ?? {}).every(([key, value]) => labels?.[key] === value);

/** Of the index by what selects. */
export const bySelector = bySelecting<Service>(service => service.spec?.selector);

/** The Pods that a Service selects. */
export const selectedPods = (pods: Indexer<Pod>, service: ReadonlyService): ReadonlyPod[] =>
  candidatesWith(pods, service.metadata.namespace ?? '', service.spec?.selector).filter(pod =>
    selects(service, pod.metadata.labels),
  );

/** The Pod's port that a Service port means, or undefined when the Pod has none of that name. */
export function targetPort(pod: ReadonlyPod, port: ReadonlyServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const sidecars = (pod.spec?.initContainers ?? []).filter(container => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const candidate of container.ports ?? [])
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
        return candidate.containerPort;
  return undefined;
}

/** The Pod's address of one family, in its canonical form however the status says it. */
export function podIP(pod: ReadonlyPod, family: Family): string | undefined {
  for (const text of podIPs(pod)) {
    const ip = parseLegacyIp(text);
    if (ip?.family === family) return formatIP(ip);
  }
  return undefined;
}

/** Set on the endpoint when DNS should answer <hostname>.<service> with it. */
export const endpointHostname = (pod: ReadonlyPod, service: ReadonlyService): string | undefined =>
  pod.spec?.hostname !== undefined && pod.spec.hostname !== '' && pod.spec.subdomain === service.metadata.name
    ? pod.spec.hostname
    : undefined;

/** endpoint.ShouldPodBeInEndpoints */
export const belongsToEndpoints = (pod: ReadonlyPod, includeTerminating: boolean): boolean =>
  !isTerminal(pod) && podIPs(pod).length > 0 && (includeTerminating || !isDeleting(pod));

/** Whether a change of a Pod can change endpoints (endpoint.podEndpointsChanged, labels apart). */
const endpointsDiffer = (old: ReadonlyPod, pod: ReadonlyPod): boolean =>
  isReady(old) !== isReady(pod) ||
  isTerminal(old) !== isTerminal(pod) ||
  isDeleting(old) !== isDeleting(pod) ||
  old.spec?.nodeName !== pod.spec?.nodeName ||
  old.spec?.hostname !== pod.spec?.hostname ||
  old.spec?.subdomain !== pod.spec?.subdomain ||
  !jsonEqual(podIPs(old), podIPs(pod));

/**
 * Calls `changed` with the key of every Service whose endpoints a Pod's change may concern: those that select it, and
 * those that selected it before.
 */
export function watchSelectedPods(
  services: Informer<Service>,
  pods: Informer<Pod>,
  changed: (key: string) => void,
): void {
  pods.addIndex(LABEL_INDEX, byLabel);
  services.addIndex(SELECTING_INDEX, bySelector);
  const queueSelecting = (pod: ReadonlyPod): void => {
    for (const service of selectingCandidates(services.indexer, pod))
      if (hasComputedEndpoints(service) && selects(service, pod.metadata.labels)) changed(keyOf(service));
  };
  pods.addHandler({
    add: pod => queueSelecting(pod),
    update(old, pod) {
      const relabelled = !jsonEqual(old.metadata.labels ?? {}, pod.metadata.labels ?? {});
      if (relabelled) queueSelecting(old);
      if (relabelled || endpointsDiffer(old, pod)) queueSelecting(pod);
    },
    delete: pod => queueSelecting(pod),
  });
}

/**
 * Finds the time of the change that made a Service's endpoints change: the annotation
 * endpoints.kubernetes.io/last-change-trigger-time, from which kube-proxy measures programming latency
 * (endpoint.TriggerTimeTracker).
 */
export interface TriggerTimeTracker {
  /** RFC 3339, or undefined when nothing newer than the last call is known. */
  compute(key: string, service: ReadonlyService, pods: readonly ReadonlyPod[]): string | undefined;
  forget(key: string): void;
}

export function createTriggerTimeTracker(): TriggerTimeTracker {
  const states = new Map<string, { service: number; pods: Map<string, number> }>();
  return {
    compute(key, service, pods) {
      const state = states.get(key);
      const podTimes = new Map<string, number>();
      let oldest = Infinity;
      for (const pod of pods) {
        const at = Date.parse(pod.status?.conditions?.find(c => c.type === 'Ready')?.lastTransitionTime ?? '');
        if (Number.isNaN(at)) continue;
        podTimes.set(pod.metadata.name ?? '', at);
        if (at > (state?.pods.get(pod.metadata.name ?? '') ?? 0)) oldest = Math.min(oldest, at);
      }
      const created = Date.parse(service.metadata.creationTimestamp ?? '');
      if (created > (state?.service ?? 0)) oldest = Math.min(oldest, created);
      states.set(key, { service: created, pods: podTimes });
      // A Service seen for the first time is new or this process is: either way its creation is what matters.
      if (state === undefined) oldest = created;
      return Number.isFinite(oldest) ? `${new Date(oldest).toISOString().slice(0, 19)}Z` : undefined;
    },
    forget: key => void states.delete(key),
  };
}
