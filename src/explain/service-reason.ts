import { labelSelectorAsSelector } from '../machinery/labels.js';
import { isNodeReady } from '../machinery/node-ready.js';
import type { DeepReadonly, Service } from '../machinery/types.js';
import {
  noEndpointsReason,
  readyEndpoints,
  type ReadonlyServicePort,
  selectedPods,
  unreadyNotes,
} from './service-problem.js';
import { portReason, withoutLocal } from './trace-reason.js';
import type { Facts, Reason } from './types.js';

type ReadonlyService = DeepReadonly<Service>;

export interface AskedPort {
  readonly port: number;
  /** In lower case; undefined: of any. */
  readonly protocol?: string;
}

/** The ports that are meant: the one that was asked for, else all. */
export const askedPorts = (service: ReadonlyService, asked: AskedPort | undefined): readonly ReadonlyServicePort[] =>
  (service.spec?.ports ?? []).filter(
    ({ port, protocol = 'TCP' }) =>
      asked === undefined ||
      (port === asked.port && (asked.protocol === undefined || asked.protocol === protocol.toLowerCase())),
  );

/** What is wrong with a Service as its objects say, before anything is sent; undefined: nothing that they say. */
export function serviceReason(
  service: ReadonlyService,
  asked: AskedPort | undefined,
  facts: Facts,
): Reason | undefined {
  if (service.spec?.type === 'ExternalName') return undefined;
  const ports = askedPorts(service, asked);
  if (asked !== undefined && ports.length === 0) return portReason(service, asked.port, asked.protocol ?? 'tcp');
  // A headless Service may have no port at all, and endpoints nevertheless.
  for (const port of ports.length === 0 ? [undefined] : ports)
    if (readyEndpoints(service, port, facts.slices).length === 0) return noEndpointsReason(service, port, facts);
  return undefined;
}

/** A policy Local of a Service leaves out the nodes that have none of its Pods; undefined: no node is left out. */
export function localPolicyReason(service: ReadonlyService, port: ReadonlyServicePort | undefined, facts: Facts) {
  const { internalTrafficPolicy, externalTrafficPolicy, type = 'ClusterIP' } = service.spec ?? {};
  const field =
    internalTrafficPolicy === 'Local'
      ? 'internalTrafficPolicy'
      : externalTrafficPolicy === 'Local' && type !== 'ClusterIP'
        ? 'externalTrafficPolicy'
        : undefined;
  const on = new Set(readyEndpoints(service, port, facts.slices).flatMap(({ nodeName }) => nodeName ?? []));
  const without = (facts.nodes ?? [])
    .filter(isNodeReady)
    .flatMap(({ metadata }) => (metadata.name === undefined || on.has(metadata.name) ? [] : [metadata.name]));
  return field === undefined || without.length === 0
    ? undefined
    : withoutLocal(service, field, without.sort(), [...on].sort());
}

/** What is to be known of a Service that works: Pods that get no traffic, and who may come in. */
export function serviceNotes(service: ReadonlyService, facts: Facts): string[] {
  const pods = selectedPods(service, facts.pods);
  const policies = (facts.policies ?? []).filter(
    ({ metadata, spec }) =>
      metadata.namespace === service.metadata.namespace &&
      (spec?.policyTypes ?? ['Ingress']).includes('Ingress') &&
      pods.some(pod => labelSelectorAsSelector(spec?.podSelector).matches(pod.metadata.labels)),
  );
  const names = policies.map(({ metadata }) => metadata.name ?? '');
  return [
    ...unreadyNotes(service, facts),
    ...(names.length === 0
      ? []
      : [
          names.length === 1
            ? `NetworkPolicy ${names[0] ?? ''} says who may come in: --from POD asks for that Pod`
            : `NetworkPolicies ${names.join(', ')} say who may come in: --from POD asks for that Pod`,
        ]),
  ];
}
