import type { Image } from './types.js';

/** Images that people debug networks from: BusyBox or a distribution, and everything that looks into a network. */
export const networkTools: Image = {
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
  entrypoint: [],
  cmd: ['bash'],
  programs: {},
  userland: true,
  networkTools: true,
};
