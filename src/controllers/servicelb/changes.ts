import type { DeepReadonly, Service } from '../../machinery/types.js';
import { wantsLoadBalancer } from './load-balancer.js';

type ReadonlyService = DeepReadonly<Service>;
type ReadonlyPort = NonNullable<NonNullable<ReadonlyService['spec']>['ports']>[number];

/** A change that concerns the load balancer, and the Event that tells of it; there is none of most. */
export interface LoadBalancerChange {
  readonly event?: { readonly reason: string; readonly message: string };
}

/** One thing that a load balancer depends on: its text, and the Event of its change. */
interface Facet {
  readonly of: (service: ReadonlyService) => string;
  readonly reason?: string;
  readonly message?: (old: ReadonlyService, service: ReadonlyService) => string;
}

/** A list as Go prints it. */
const list = (texts: readonly string[] | undefined): string => `[${(texts ?? []).join(' ')}]`;
const portOf = ({ name, protocol, port, nodePort, targetPort }: ReadonlyPort): unknown[] => [
  ...[name, protocol, port, nodePort, targetPort],
];

function externalIpMessage(old: ReadonlyService, service: ReadonlyService): string {
  const [before, after] = [old.spec?.externalIPs ?? [], service.spec?.externalIPs ?? []];
  if (before.length !== after.length) return `Count: ${before.length} -> ${after.length}`;
  return `Added: ${after.find((ip, i) => ip !== before[i]) ?? ''}`;
}

/** In the order of the service controller, which tells of the first that differs (cloud-provider needsUpdate). */
const FACETS: readonly Facet[] = [
  { reason: 'LoadBalancerSourceRanges', of: ({ spec }) => list(spec?.loadBalancerSourceRanges) },
  { of: ({ spec }) => JSON.stringify((spec?.ports ?? []).map(portOf)) },
  { of: ({ spec }) => spec?.sessionAffinity ?? '' },
  { of: ({ spec }) => JSON.stringify(spec?.sessionAffinityConfig ?? null) },
  { reason: 'LoadbalancerIP', of: ({ spec }) => spec?.loadBalancerIP ?? '' },
  { reason: 'ExternalIP', of: ({ spec }) => list(spec?.externalIPs), message: externalIpMessage },
  { of: ({ metadata }) => JSON.stringify(Object.entries(metadata.annotations ?? {}).sort()) },
  { reason: 'UID', of: ({ metadata }) => metadata.uid ?? '' },
  { reason: 'ExternalTrafficPolicy', of: ({ spec }) => spec?.externalTrafficPolicy ?? '' },
  { reason: 'HealthCheckNodePort', of: ({ spec }) => String(spec?.healthCheckNodePort ?? 0) },
  // They do not change places: one comes or goes.
  { of: ({ spec }) => String(spec?.ipFamilies?.length ?? 0) },
];

const arrow = (before: string, after: string): string => `${before} -> ${after}`;

/** undefined: nothing that the load balancer depends on. */
export function loadBalancerChange(old: ReadonlyService, service: ReadonlyService): LoadBalancerChange | undefined {
  const [wanted, wants] = [wantsLoadBalancer(old), wantsLoadBalancer(service)];
  if (!wanted && !wants) return undefined;
  if (wanted !== wants)
    return { event: { reason: 'Type', message: arrow(old.spec?.type ?? '', service.spec?.type ?? '') } };
  const changed = FACETS.find(facet => facet.of(old) !== facet.of(service));
  if (changed === undefined) return undefined;
  const { reason, message = (a, b) => arrow(changed.of(a), changed.of(b)) } = changed;
  return reason === undefined ? {} : { event: { reason, message: message(old, service) } };
}
