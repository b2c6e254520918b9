import { NetworkError } from '../../containers/network/errors.js';
import type { Addresses, ConnectOptions, Flow, NetNamespace, SocketAddress } from '../../containers/network/types.js';
import { createEphemeralPorts } from './ephemeral-ports.js';
import type { Forwarding } from './forwarding.js';
import { familyLike, isLoopback, isUnspecified, loopbackLike, ofFamily } from './links.js';
import type { Sockets } from './sockets.js';
import { UDP_TIMEOUT_MS } from './wire.js';

/** A UDP socket that sends to one address, always from the same port. */
export interface ConnectedUdp {
  /** Sends one datagram and waits for its answer. @throws NetworkError */
  exchange(payload: Buffer, options?: ConnectOptions): Promise<Buffer>;
  close(): void;
}

export interface NetNamespaceOptions {
  readonly nodeName: string;
  readonly addresses: Addresses;
  readonly sockets: Sockets;
  /** Where its packets enter the node's rules: 'output' for the node itself. */
  readonly hook: 'prerouting' | 'output';
  readonly forwarding: Forwarding;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface ConnectingNamespace extends NetNamespace {
  /** @throws NetworkError */
  connectUdp(to: SocketAddress): ConnectedUdp;
}

/** The sockets of a Pod, or of a node, and the way out of them. */
export function createNetNamespace(options: NetNamespaceOptions): ConnectingNamespace {
  const { nodeName, addresses, sockets, hook, forwarding, random } = options;
  const ports = createEphemeralPorts(random);
  const outgoing = (proto: Flow['proto'], to: SocketAddress, localPort: number | undefined): Flow => {
    const srcPort = ports.choose(localPort);
    const dst = isUnspecified(to.address) ? loopbackLike(to.address) : to.address;
    const src = isLoopback(dst) ? loopbackLike(dst) : ofFamily(addresses, familyLike(dst));
    // Without an address of the family there is no route of it either.
    if (src === undefined) throw new NetworkError('ENETUNREACH');
    return { proto, src, srcPort, dst, dstPort: to.port };
  };
  /** A Pod that talks to itself never leaves its namespace, so no rule of the node applies. */
  const inside = (to: SocketAddress): boolean =>
    hook === 'prerouting' && (isLoopback(to.address) || isUnspecified(to.address) || addresses.includes(to.address));
  const delivered = (flow: Flow, observe: ConnectOptions['observe']): void =>
    observe?.({ kind: 'deliver', node: nodeName, to: sockets.owner, flow });
  const exchange = async (flow: Flow, payload: Buffer, options: ConnectOptions): Promise<Buffer> => {
    const to = { address: flow.dst, port: flow.dstPort };
    if (inside(to)) delivered(flow, options.observe);
    const reply = inside(to)
      ? await sockets.receive(flow, payload)
      : await forwarding.sendUdp(flow, hook, payload, options);
    return reply ?? forwarding.lost('no answer', options.timeoutMs ?? UDP_TIMEOUT_MS, options.signal);
  };
  return {
    addresses,
    async connect(to, options = {}) {
      const flow = outgoing(options.protocol ?? 'tcp', to, options.localPort);
      const release = ports.hold(flow.srcPort);
      try {
        if (inside(to)) delivered(flow, options.observe);
        const stream = inside(to) ? sockets.accept(flow, flow, true) : await forwarding.open(flow, hook, options);
        stream.on('close', release);
        return stream;
      } catch (error) {
        release();
        throw error;
      }
    },
    exchange: async (to, payload, options = {}) => exchange(outgoing('udp', to, options.localPort), payload, options),
    connectUdp(to) {
      const flow = outgoing('udp', to, undefined);
      return {
        exchange: (payload, options = {}) => exchange(flow, payload, options),
        close: ports.hold(flow.srcPort),
      };
    },
    listen: (port, handler, { loopbackOnly = false, address: on, protocol } = {}) =>
      sockets.listen(port, handler, loopbackOnly, on, protocol),
    listenUdp: (port, handler, { address: on } = {}) => sockets.listenUdp(port, handler, on),
    ports: () => sockets.ports(),
  };
}
