import type { EndpointInfo } from '../../services/endpoints.js';
import type { ServicePort } from '../../services/service-ports.js';
import { nameHash } from '../name-hash.js';

/** Names of chains and sets are at most 256 characters, of which the longest prefix takes 16. */
const MAX_BASE_LENGTH = 240;

/** The hash tells names apart that look alike, and those that had to be cut. */
function base(name: string): string {
  const whole = `${nameHash(name, 8)}-${name}`;
  return whole.length > MAX_BASE_LENGTH ? `${whole.slice(0, MAX_BASE_LENGTH - 3)}...` : whole;
}

export interface ServiceChains {
  /** Cluster-wide endpoints. */
  readonly cluster: string;
  /** Endpoints of this node. */
  readonly local: string;
  /** Traffic from outside: node port, external and load balancer IPs. */
  readonly external: string;
  /** Load balancer source ranges. */
  readonly firewall: string;
}

const serviceName = ({ namespace, name, protocol, portName }: ServicePort): string =>
  `${namespace}/${name}/${protocol}/${portName}`;

export function serviceChains(service: ServicePort): ServiceChains {
  const text = base(serviceName(service));
  return {
    cluster: `service-${text}`,
    local: `local-${text}`,
    external: `external-${text}`,
    firewall: `firewall-${text}`,
  };
}

/** The chain of one endpoint, and the set of the clients that stay with it. A colon may be in neither. */
export function endpointNames(
  service: ServicePort,
  { ip, port }: EndpointInfo,
): { readonly chain: string; readonly affinitySet: string } {
  const text = base(`${serviceName(service)}__${ip.replaceAll(':', '.')}/${port}`);
  return { chain: `endpoint-${text}`, affinitySet: `affinity-${text}` };
}

export const TABLE = 'kube-proxy';
export const TABLE_COMMENT = 'rules for kube-proxy';

export const SERVICES = 'services';
export const MASQUERADING = 'masquerading';
export const MARK_FOR_MASQUERADE = 'mark-for-masquerade';
export const REJECT = 'reject-chain';
export const CLUSTER_IPS_CHECK = 'cluster-ips-check';
export const NODEPORT_ENDPOINTS_CHECK = 'nodeport-endpoints-check';
export const SERVICE_ENDPOINTS_CHECK = 'service-endpoints-check';
export const FIREWALL_CHECK = 'firewall-check';

export const CLUSTER_IPS = 'cluster-ips';
export const NODEPORT_IPS = 'nodeport-ips';
export const SERVICE_IPS = 'service-ips';
export const SERVICE_NODEPORTS = 'service-nodeports';
export const NO_ENDPOINT_SERVICES = 'no-endpoint-services';
export const NO_ENDPOINT_NODEPORTS = 'no-endpoint-nodeports';
export const FIREWALL_IPS = 'firewall-ips';
