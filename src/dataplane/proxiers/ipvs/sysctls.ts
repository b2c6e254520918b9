import type { ProxierConfig } from '../types.js';

/** What kube-proxy sets when it starts in this mode, on kernels from 5.9 on. */
export const sysctlsOf = ({ ipvsStrictArp }: ProxierConfig): Readonly<Record<string, number>> => ({
  'net/ipv4/vs/conntrack': 1,
  'net/ipv4/vs/expire_nodest_conn': 1,
  'net/ipv4/vs/expire_quiescent_template': 1,
  'net/ipv4/ip_forward': 1,
  // Nobody answers for addresses of the dummy interface on other ones.
  ...(ipvsStrictArp === true ? { 'net/ipv4/conf/all/arp_ignore': 1, 'net/ipv4/conf/all/arp_announce': 2 } : {}),
});
