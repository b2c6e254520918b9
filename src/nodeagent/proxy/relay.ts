import type { HeldPort, RelayPort } from '../../dataplane/proxiers/types.js';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { NodeNamespace } from '../network/pod-network.js';
import type { FamilyProxy } from './family-proxy.js';
import { relayTcp } from './relay-tcp.js';
import { createUdpRelay } from './relay-udp.js';

export interface RelayOptions {
  readonly proxies: readonly Pick<FamilyProxy, 'proxy'>[];
  readonly nodeName: string;
  /** Where it listens, and where it dials from. */
  readonly network: NodeNamespace;
  readonly clock: Clock;
  /** How long an idle UDP client keeps its endpoint and the port it is sent from. */
  readonly udpTimeoutMs: number;
  readonly log: Logger;
}

/** Relays the connections that a proxier leaves to the host (docs/kube-proxy.md section 5). */
export interface Relay {
  /** Opens and closes sockets as the proxy's ports have changed. */
  update(): void;
  close(): void;
}

interface Listening<T> {
  readonly port: T;
  readonly close: () => void;
}

const nameOf = ({ protocol, port, address = '*' }: HeldPort): string => `${protocol}/${address}:${port}`;

export function createRelay(options: RelayOptions): Relay {
  const { proxies, network, log } = options;
  /** By name. */
  const open = new Map<string, Listening<RelayPort>>();
  const held = new Map<string, Listening<HeldPort>>();
  /** Those that somebody else has, and service ports that are not relayed: the log tells of them once. */
  const busy = new Set<string>();
  const refused = new Set<string>();

  function serve({ protocol, port, service, next }: RelayPort): () => void {
    const target = { ...options, service, next };
    if (protocol === 'tcp') return network.listen(port, (stream, trace) => relayTcp(target, stream, trace));
    const udp = createUdpRelay(target);
    const close = network.listenUdp(port, udp.receive);
    return () => {
      close();
      udp.close();
    };
  }

  /** Nobody comes here while the rules are loaded. */
  const hold = ({ protocol, port, address }: HeldPort): (() => void) => {
    const at = address === undefined ? {} : { address };
    return protocol === 'tcp'
      ? network.listen(port, stream => void stream.destroy(new NetworkError('ECONNRESET')), at)
      : network.listenUdp(port, () => undefined, at);
  };

  function follow<T extends HeldPort>(
    sockets: Map<string, Listening<T>>,
    wanted: readonly T[],
    listen: (port: T) => () => void,
  ): void {
    const names = new Map(wanted.map(port => [nameOf(port), port]));
    for (const [name, { port, close }] of sockets)
      if (names.get(name) !== port) {
        close();
        sockets.delete(name);
      }
    for (const [name, port] of names) {
      if (sockets.has(name)) continue;
      try {
        sockets.set(name, { port, close: listen(port) });
        busy.delete(name);
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        if (!busy.has(name)) log.warn({ port: name, error: error.message }, 'a port of the proxy cannot be opened');
        busy.add(name);
      }
    }
  }

  function tellRefused(): void {
    const all = proxies.flatMap(({ proxy }) => proxy.relay?.refused() ?? []);
    for (const one of all) if (!refused.has(one.service)) log.warn(one, 'a service port is not relayed');
    refused.clear();
    for (const { service } of all) refused.add(service);
  }

  return {
    update() {
      const ports = proxies.flatMap(({ proxy }) => proxy.relay?.ports() ?? []);
      follow(open, ports, serve);
      follow(
        held,
        ports.flatMap(port => port.held),
        hold,
      );
      tellRefused();
    },
    close() {
      for (const { close } of [...open.values(), ...held.values()]) close();
      open.clear();
      held.clear();
    },
  };
}
