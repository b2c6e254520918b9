import type { Neighbour, NetworkStack, StackRoute } from '../../../containers/network/stack.js';
import { NetworkError } from '../../../containers/network/errors.js';
import type { Addresses, NetStream } from '../../../containers/network/types.js';
import type { Clock } from '../../../machinery/clock.js';
import { parseCidr } from '../../../machinery/cidr.js';
import { sightOf, type Wire } from '../capture/wire.js';
import type { Kernels } from '../kernels.js';
import { familyLike, isLoopback, loopbackLike, ofFamily } from '../links.js';
import { answerOf, PROBE_PORT, type Probing } from '../probing.js';
import type { Sockets } from '../sockets.js';
import { gatewayOf, linkLocal, LOOPBACK, macOf, networkText, podPrefix } from './addressing.js';
import { patiently } from './patiently.js';
import { neighbour } from './neighbour.js';
import { socketsOf } from './sockets-of.js';

export interface PodStackOptions {
  readonly addresses: Addresses;
  readonly kernels: Kernels;
  readonly sockets: Sockets;
  readonly dialled: () => Iterable<NetStream>;
  readonly wire: Wire;
  readonly probing: Probing;
  readonly clock: Clock;
  /** The index of the node's end of the Pod's link. */
  readonly peerIndex: number;
}

const LINK = 'eth0';

/** The network of a Pod as a bridge CNI plugin makes it: one link, its neighbours on the bridge, everything else through the node. */
export function createPodStack(options: PodStackOptions): NetworkStack {
  const { addresses, kernels, sockets, wire, probing, clock, peerIndex } = options;
  const routesOf = (address: string) => kernels[familyLike(address)].routes;
  const mac = macOf(addresses[0]);
  /** Who takes a packet for an address: itself on the bridge, or the node. */
  const nextHop = (address: string): string | undefined => {
    const own = ofFamily(addresses, familyLike(address));
    if (own === undefined) return undefined;
    const range = parseCidr(networkText(own, podPrefix(own, routesOf(own))));
    return range?.contains(address) === true ? address : gatewayOf(routesOf(own));
  };
  return {
    links: () => [
      LOOPBACK,
      {
        index: 2,
        name: LINK,
        kind: 'veth',
        mac,
        mtu: 1500,
        peer: peerIndex,
        addresses: [
          ...addresses.map(address => ({
            address,
            prefix: podPrefix(address, routesOf(address)),
            scope: 'global' as const,
          })),
          linkLocal(mac),
        ],
      },
    ],
    routes(family): StackRoute[] {
      const own = ofFamily(addresses, family);
      if (own === undefined) return [];
      const via = gatewayOf(kernels[family].routes);
      return [
        ...(via === undefined ? [] : [{ destination: 'default', link: LINK, via }]),
        { destination: networkText(own, podPrefix(own, kernels[family].routes)), link: LINK, source: own },
      ];
    },
    neighbours(): Neighbour[] {
      const met = new Map<string, number>();
      for (const [address, at] of wire.lastMet) {
        const hop = addresses.includes(address) ? undefined : nextHop(address);
        if (hop !== undefined) met.set(hop, Math.max(at, met.get(hop) ?? 0));
      }
      return [...met].map(([address, at]) => neighbour(address, LINK, clock.now() - at));
    },
    sockets: () => socketsOf(sockets, options.dialled()),
    kernel: () => undefined,
    async probe(probe, given) {
      const { dst, protocol, id = 0, seq = 0, size } = probe;
      const own = isLoopback(dst) || addresses.includes(dst);
      const src = isLoopback(dst) ? loopbackLike(dst) : ofFamily(addresses, familyLike(dst));
      if (src === undefined) throw new NetworkError('ENETUNREACH');
      const sent = { ...probe, src };
      const flow = { proto: protocol === 'tcp' ? 'tcp' : 'udp', src, srcPort: 0, dst, dstPort: probe.dstPort } as const;
      if (own) return patiently(clock, given, async () => answerOf(sockets, sent, flow, 64));
      wire.met(dst);
      if (protocol === 'icmp') wire.icmp(LINK, 'out', src, dst, probe.ttl, { kind: 'echo-request', id, seq }, size);
      else if (protocol === 'udp')
        wire.datagram(
          sightOf(LINK, 'out', { ...flow, srcPort: PROBE_PORT }),
          'client',
          Buffer.alloc(Math.max(0, size - 8)),
        );
      return patiently(clock, given, async () => {
        const answer = await probing.send(sent, 'prerouting', given);
        if (answer?.kind === 'echo') wire.icmp(LINK, 'in', dst, src, answer.ttl, { kind: 'echo-reply', id, seq }, size);
        else if (answer?.kind === 'expired')
          wire.icmp(LINK, 'in', answer.from, src, answer.ttl, { kind: 'time-exceeded' }, size + 8);
        else if (answer?.kind === 'unreachable') {
          const of = { protocol, dst, dstPort: probe.dstPort };
          wire.icmp(LINK, 'in', answer.from, src, answer.ttl, { kind: 'unreachable', what: answer.what, of }, size + 8);
        }
        return answer;
      });
    },
    capture: show => wire.capture(show),
  };
}
