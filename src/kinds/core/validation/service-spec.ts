import type { DeepReadonly, Service } from '../../../machinery/types.js';

export type ReadonlyService = DeepReadonly<Service>;
export type ServiceSpec = NonNullable<ReadonlyService['spec']>;

const NO_SPEC: ServiceSpec = {};

export const specOf = (service: ReadonlyService | undefined): ServiceSpec => service?.spec ?? NO_SPEC;
export const isHeadless = (spec: ServiceSpec): boolean =>
  (spec.clusterIPs ?? []).length === 1 && spec.clusterIPs?.[0] === 'None';
/** Reachable from outside the cluster: by node port, load balancer or external address. */
export const isExternallyAccessible = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' ||
  spec.type === 'NodePort' ||
  (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
export const needsHealthCheck = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
