import type { Protocol } from '../../packet.js';
import { nameHash } from '../name-hash.js';

/** Chain names must stay under 29 characters. */
export const chainHash = (text: string): string => nameHash(text, 16);

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

/** `fullName` is kube-proxy's ServicePortName, "ns/name:port". */
export function serviceChains(fullName: string, protocol: Protocol): ServiceChains {
  const hash = chainHash(fullName + protocol);
  return {
    cluster: `KUBE-SVC-${hash}`,
    local: `KUBE-SVL-${hash}`,
    external: `KUBE-EXT-${hash}`,
    firewall: `KUBE-FW-${hash}`,
  };
}

export const endpointChain = (fullName: string, protocol: Protocol, endpoint: string): string =>
  `KUBE-SEP-${chainHash(fullName + protocol + endpoint)}`;

export const SERVICES = 'KUBE-SERVICES';
export const EXTERNAL_SERVICES = 'KUBE-EXTERNAL-SERVICES';
export const NODEPORTS = 'KUBE-NODEPORTS';
export const POSTROUTING = 'KUBE-POSTROUTING';
export const MARK_MASQ = 'KUBE-MARK-MASQ';
export const FORWARD = 'KUBE-FORWARD';
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL';
export const FIREWALL = 'KUBE-FIREWALL';
export const CANARY = 'KUBE-PROXY-CANARY';

const SERVICE_PREFIXES: readonly string[] = ['KUBE-SVC-', 'KUBE-SVL-', 'KUBE-EXT-', 'KUBE-FW-', 'KUBE-SEP-'];

/** Whether a chain is one of some Service's own. */
export const isServiceChain = (name: string): boolean => SERVICE_PREFIXES.some(prefix => name.startsWith(prefix));
