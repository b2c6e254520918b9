import type { Link, Neighbour, NetworkStack, StackRoute, StackSocket } from '../../src/containers/network/stack.js';
import type { CapturedPacket } from '../../src/containers/network/captured-packet.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import type { NetNamespace } from '../../src/containers/network/types.js';
import { LOOPBACK } from '../../src/nodeagent/network/stack/addressing.js';
import { loopbackNetwork } from './simulated-container.js';

/** The network that the recordings were made in: 10.244.1.5/24 on eth0, two listeners, and a connection to itself. */
const ETH0: Link = {
  index: 3,
  name: 'eth0',
  kind: 'veth',
  mac: '02:42:0a:f4:01:05',
  mtu: 1500,
  peer: 2,
  addresses: [
    { address: '10.244.1.5', prefix: 24, scope: 'global' },
    { address: 'fe80::42:aff:fef4:105', prefix: 64, scope: 'link' },
  ],
};
const ROUTES: readonly StackRoute[] = [
  { destination: 'default', link: 'eth0', via: '10.244.1.1' },
  { destination: '10.244.1.0/24', link: 'eth0', source: '10.244.1.5' },
];
const NEIGHBOURS: readonly Neighbour[] = [
  { address: '10.244.1.1', link: 'eth0', mac: '02:42:0a:f4:01:01', state: 'REACHABLE' },
  { address: '10.244.1.9', link: 'eth0', mac: '02:42:0a:f4:01:09', state: 'STALE' },
];
const end = (address: string, port: number) => ({ address, port });
const SOCKETS: readonly StackSocket[] = [
  { protocol: 'udp', state: 'UNCONNECTED', local: end('0.0.0.0', 53) },
  { protocol: 'tcp', state: 'LISTEN', local: end('0.0.0.0', 80) },
  { protocol: 'tcp', state: 'LISTEN', local: end('127.0.0.1', 9090) },
  { protocol: 'tcp', state: 'ESTABLISHED', local: end('10.244.1.5', 80), remote: end('10.244.1.5', 41186) },
  { protocol: 'tcp', state: 'ESTABLISHED', local: end('10.244.1.5', 41186), remote: end('10.244.1.5', 80) },
];

export interface StillStack {
  readonly kernel?: Kernel;
  /** What is seen on it, all at once, when somebody looks. */
  readonly packets?: readonly CapturedPacket[];
}

/** A network in which nothing happens. */
export function stillStack({ kernel, packets = [] }: StillStack = {}): NetworkStack {
  return {
    links: () => [LOOPBACK, ETH0],
    routes: family => (family === 'IPv4' ? ROUTES : []),
    neighbours: () => NEIGHBOURS,
    sockets: () => SOCKETS,
    kernel: family => (family === kernel?.family ? kernel : undefined),
    probe: async () => undefined,
    capture(show) {
      for (const packet of packets) show(packet);
      return () => undefined;
    },
  };
}

export const stillNetwork = (options: StillStack = {}): NetNamespace => ({
  ...loopbackNetwork(),
  stack: stillStack(options),
});
