import { NetworkError } from '../../containers/network/errors.js';
import type {
  Addresses,
  ConnectOptions,
  Flow,
  NetNamespace,
  NetStream,
  SocketAddress,
} from '../../containers/network/types.js';
import { sightOf, type Opening, type Wire } from './capture/wire.js';
import type { Clock } from '../../machinery/clock.js';
import { createEphemeralPorts } from './ephemeral-ports.js';
import type { Forwarding } from './forwarding.js';
import { familyLike, isLoopback, isUnspecified, loopbackLike, ofFamily } from './links.js';
import { refusalOf, type Sockets } from './sockets.js';
import { UDP_TIMEOUT_MS } from './wire.js';

/** A UDP socket that sends to one address, always from the same port. */
export interface ConnectedUdp {
  /** Sends one datagram and waits for its answer. @throws NetworkError */
  exchange(payload: Buffer, options?: ConnectOptions): Promise<Buffer>;
  close(): void;
}

export interface NetNamespaceOptions {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly addresses: Addresses;
  readonly sockets: Sockets;
  /** Where its packets enter the node's rules: 'output' for the node itself. */
  readonly hook: 'prerouting' | 'output';
  readonly forwarding: Forwarding;
  /** Where its packets are seen; absent: by the node alone. */
  readonly wire?: Wire | undefined;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface ConnectingNamespace extends NetNamespace {
  /** The ends of open connections that were opened in it. */
  dialled(): Iterable<NetStream>;
  /** @throws NetworkError */
  connectUdp(to: SocketAddress): ConnectedUdp;
}

/** The sockets of a Pod, or of a node, and the way out of them. */
export function createNetNamespace(options: NetNamespaceOptions): ConnectingNamespace {
  const { nodeName, clock, addresses, sockets, hook, forwarding, wire, random } = options;
  const dialled = new Set<NetStream>();
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
    if (!inside(to)) wire?.met(flow.dst);
    const sight = wire?.active === true ? sightOf(inside(to) ? 'lo' : 'eth0', 'out', flow) : undefined;
    if (sight !== undefined) wire?.datagram(sight, 'client', payload);
    let reply: Buffer | undefined;
    try {
      reply = inside(to)
        ? await sockets.receive(flow, payload)
        : await forwarding.sendUdp(flow, hook, payload, options);
    } catch (error) {
      if (sight !== undefined && error instanceof NetworkError && error.code === 'ECONNREFUSED')
        wire?.icmp(sight.link, 'in', flow.dst, flow.src, 63, refusalOf(flow), 36);
      throw error;
    }
    if (sight !== undefined && reply !== undefined) wire?.datagram(sight, 'server', reply);
    return reply ?? forwarding.lost('no answer', options.timeoutMs ?? UDP_TIMEOUT_MS, options.signal);
  };
  return {
    addresses,
    async connect(to, options = {}) {
      const flow = outgoing(options.protocol ?? 'tcp', to, options.localPort);
      const release = ports.hold(flow.srcPort);
      if (!inside(to)) wire?.met(flow.dst);
      const sight = sightOf(inside(to) ? 'lo' : 'eth0', 'out', flow);
      const opening = flow.proto === 'tcp' ? wire?.opening(sight) : undefined;
      const settled = opening === undefined ? undefined : retry(opening, clock);
      try {
        const carried = (stream: NetStream): void => wire?.carries(stream, 'client', [sight], opening);
        const given = opening === undefined ? options : { ...options, opened: carried };
        if (inside(to)) delivered(flow, options.observe);
        const stream = inside(to)
          ? sockets.accept(flow, flow, true, undefined, undefined, given.opened)
          : await forwarding.open(flow, hook, given);
        dialled.add(stream);
        if (opening === undefined && flow.proto === 'tcp') carried(stream);
        stream.on('close', () => {
          release();
          dialled.delete(stream);
        });
        return stream;
      } catch (error) {
        opening?.failed(!(error instanceof NetworkError) || error.code !== 'ECONNREFUSED');
        release();
        throw error;
      } finally {
        settled?.();
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
    dialled: () => dialled,
  };
}

/** A first packet that nobody answers is sent again after 1, 3, 7, 15, 31 and 63 seconds (tcp_syn_retries). */
function retry(opening: Opening, clock: Clock): () => void {
  let cancel: () => void = () => undefined;
  const wait = (ms: number): void => {
    cancel = clock.after(ms, () => {
      opening.again();
      if (ms < 32_000) wait(2 * ms);
    });
  };
  wait(1_000);
  return () => cancel();
}
