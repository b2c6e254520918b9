import type { KnownImage } from './types.js';

/** Images that people debug networks from: BusyBox or a distribution, and everything that looks into a network. */
export const networkTools: KnownImage = {
  names: [
    'netshoot',
    'network-multitool',
    'network-tools',
    'dnstools',
    'dnsutils',
    'jessie-dnsutils',
    'toolbelt',
    'netutils',
    'tcpdump',
  ],
  about: 'BusyBox, and everything that looks into a network: dig, ss, tcpdump, iptables, conntrack, …',
  ports: [],
  entrypoint: [],
  cmd: ['bash'],
  programs: {},
  userland: true,
  networkTools: true,
};
