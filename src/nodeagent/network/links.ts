import type { Family } from '../../machinery/ip.js';

/** The bridge that a node's Pods hang on, as CNI's is named. */
export const POD_LINK = 'cni0';
/** Where the other nodes and the world are. */
export const NODE_LINK = 'eth0';
/** The machine outside, as a next hop: no node can have such a name. */
export const HOST = 'the host';

/** Of routes to one destination the lower is taken: what the node itself knows counts more than what Nodes say of themselves. */
export const METRIC = { own: 0, podRange: 10, peer: 100 } as const;

/** Of what is known to be an address. */
export const familyLike = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4');
export const ofFamily = (addresses: readonly string[], family: Family): string | undefined =>
  addresses.find(address => familyLike(address) === family);
export const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';
export const isUnspecified = (address: string): boolean => address === '0.0.0.0' || address === '::';
export const loopbackLike = (address: string): string => (address.includes(':') ? '::1' : '127.0.0.1');
