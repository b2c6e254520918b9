import { createHash } from 'node:crypto';
import type { Protocol } from '../../packet.js';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first 16 characters of the base32 SHA-256 of `text`: chain names must stay under 29 characters. */
export function chainHash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let hash = '';
  let bits = 0;
  let buffer = 0;
  for (let i = 0; hash.length < 16; i++) {
    buffer = (buffer << 8) | (digest[i] ?? 0);
    for (bits += 8; bits >= 5 && hash.length < 16; bits -= 5) hash += BASE32[(buffer >>> (bits - 5)) & 31] ?? '';
    buffer &= (1 << bits) - 1;
  }
  return hash;
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
