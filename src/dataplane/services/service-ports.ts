import type { DeepReadonly, Service } from '../../machinery/types.js';
import { parseCidr } from '../../machinery/cidr.js';
import { canonicalIP, familyOf } from '../../machinery/ip.js';
import type { Family, Protocol } from '../packet.js';

/** One entry per (Service, port name, protocol) and IP family: kube-proxy's ServicePort. Addresses are canonical. */
export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  readonly protocol: Protocol;
  /** "namespace/name" or "namespace/name:port": kube-proxy's ServicePortName. */
  readonly fullName: string;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  readonly loadBalancerVIPs: readonly string[];
  /** CIDR text as given, trimmed. */
  readonly sourceRanges: readonly string[];
  /** Undefined: no client IP affinity. */
  readonly affinitySeconds: number | undefined;
  readonly externalPolicyLocal: boolean;
  readonly internalPolicyLocal: boolean;
  /** 0: none. */
  readonly healthCheckNodePort: number;
}

/** ClientIP affinity without a configured timeout lasts three hours. */
const DEFAULT_AFFINITY_SECONDS = 10_800;

/** What another proxy handles, and what none does. kube-proxy asks the API server to leave out Services and slices that carry either. */
const SERVICE_PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
export const NOT_FOR_THE_PROXY = [SERVICE_PROXY_NAME_LABEL, HEADLESS_LABEL];

/** The label's value does not matter, nor whether it has one. */
export const isForTheProxy = (labels: Readonly<Record<string, string>> | undefined): boolean =>
  NOT_FOR_THE_PROXY.every(label => labels?.[label] === undefined);

export const externallyAccessible = (port: ServicePort): boolean =>
  port.nodePort !== 0 || port.loadBalancerVIPs.length > 0 || port.externalIPs.length > 0;

/** Cluster-wide endpoints are needed, also for external traffic of Pods to a Service with external policy Local. */
export const usesClusterEndpoints = (port: ServicePort): boolean =>
  !port.internalPolicyLocal || externallyAccessible(port);

export const usesLocalEndpoints = (port: ServicePort): boolean =>
  port.internalPolicyLocal || (port.externalPolicyLocal && externallyAccessible(port));

/** A protocol of the API ("TCP") in lower case; kube-proxy knows no others. */
export function protocolOf(apiProtocol: string | undefined): Protocol | undefined {
  switch (apiProtocol ?? 'TCP') {
    case 'TCP':
      return 'tcp';
    case 'UDP':
      return 'udp';
    case 'SCTP':
      return 'sctp';
    default:
      return undefined;
  }
}

/** The service ports of `service` that this family's proxy handles; none when it skips the Service. */
export function servicePorts(service: DeepReadonly<Service>, family: Family): readonly ServicePort[] {
  const { spec, metadata } = service;
  if (spec === undefined || spec.type === 'ExternalName') return [];
  if (!isForTheProxy(metadata.labels)) return [];
  const clusterIP = clusterIPOf(spec, family);
  if (clusterIP === undefined) return [];

  const namespace = metadata.namespace ?? '';
  const name = metadata.name ?? '';
  const externalIPs = ofFamily(spec.externalIPs ?? [], family);
  const accessible = spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.externalIPs ?? []).length > 0;
  const externalPolicyLocal = accessible && spec.externalTrafficPolicy === 'Local';
  const shared = {
    namespace,
    name,
    clusterIP,
    externalIPs,
    loadBalancerVIPs: loadBalancerVIPs(service, family),
    sourceRanges: sourceRanges(spec.loadBalancerSourceRanges ?? [], family),
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
        : undefined,
    externalPolicyLocal,
    internalPolicyLocal: spec.internalTrafficPolicy === 'Local',
    healthCheckNodePort: spec.type === 'LoadBalancer' && externalPolicyLocal ? (spec.healthCheckNodePort ?? 0) : 0,
  };
  return (spec.ports ?? []).flatMap(port => {
    const protocol = protocolOf(port.protocol);
    if (protocol === undefined) return [];
    const portName = port.name ?? '';
    const fullName = portName === '' ? `${namespace}/${name}` : `${namespace}/${name}:${portName}`;
    return [{ ...shared, portName, protocol, fullName, port: port.port, nodePort: port.nodePort ?? 0 }];
  });
}

function clusterIPOf(spec: NonNullable<DeepReadonly<Service>['spec']>, family: Family): string | undefined {
  const { clusterIP } = spec;
  if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') return undefined;
  const families = spec.ipFamilies ?? [];
  if (families.length === 0) return ofFamily([clusterIP], family)[0];
  const index = families.indexOf(family);
  const address = index < 0 ? undefined : spec.clusterIPs?.[index];
  return address === undefined ? undefined : canonicalIP(address);
}

function ofFamily(addresses: readonly string[], family: Family): string[] {
  return addresses.flatMap(address => {
    const canonical = canonicalIP(address);
    return canonical !== undefined && familyOf(canonical) === family ? [canonical] : [];
  });
}

/** An ingress point whose ipMode is Proxy is handled by the load balancer itself, so packets to it are left alone. */
function loadBalancerVIPs(service: DeepReadonly<Service>, family: Family): string[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return ofFamily(
    ingress.flatMap(point => (point.ip === undefined || (point.ipMode ?? 'VIP') !== 'VIP' ? [] : [point.ip])),
    family,
  );
}

/** One range of the whole address space lets everybody in, whatever stands beside it: that is no firewall at all. */
function sourceRanges(ranges: readonly string[], family: Family): string[] {
  const ofThisFamily = ranges.map(range => range.trim()).filter(range => parseCidr(range)?.family === family);
  return ofThisFamily.some(range => parseCidr(range)?.prefix === 0) ? [] : ofThisFamily;
}
