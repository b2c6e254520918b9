import type { Cable } from '../../machinery/cable.js';
import type { Logger } from '../../machinery/logger.js';
import { listenReal, type PacketEntry, type RealListener } from '../network/real-listener.js';
import type { PodNetwork } from '../network/pod-network.js';
import { familyLike, ofFamily } from '../network/links.js';
import type { FamilyProxy } from './family-proxy.js';
import type { Family } from '../../dataplane/packet.js';
import type { Addresses } from '../../containers/network/types.js';

export interface NodePortOptions {
  /** The first that has a port gets what comes in by it. */
  readonly proxies: readonly FamilyProxy[];
  readonly network: PodNetwork;
  readonly nodeAddresses: Addresses;
  /** Real address to listen on. */
  readonly bindAddress: string;
  /** The addresses that packets from the real host carry. */
  readonly hostGateways: Addresses;
  readonly cable?: Cable | undefined;
  readonly log: Logger;
  /** A port that cannot be opened: for an Event of the Service. */
  readonly onBusy: (service: { namespace: string; name: string }, message: string) => void;
}

/** Real listeners for the node ports and health check node ports in use, so that the machine this runs on can reach Services as it would a node. */
export interface NodePorts {
  /** Opens and closes listeners as the proxy's node ports have changed. */
  readonly update: () => void;
  close(): void;
}

/** Of a node that has no real address. */
export const noNodePorts = (): NodePorts => ({ update: () => undefined, close: () => undefined });

export function createNodePorts(options: NodePortOptions): NodePorts {
  const { proxies, network, nodeAddresses, bindAddress, hostGateways, cable, log, onBusy } = options;
  const open = new Map<string, RealListener>();
  /** By "protocol/port". */
  const families = new Map<string, Family>();
  /** A packet from this machine to the node, in the family whose rules have the port. */
  const entry = (key: string, port: number): PacketEntry | undefined => {
    const family = families.get(key) ?? familyLike(nodeAddresses[0]);
    const src = ofFamily(hostGateways, family);
    const address = ofFamily(nodeAddresses, family);
    return src === undefined || address === undefined ? undefined : { receiver: network, src, dst: { address, port } };
  };

  return {
    update() {
      const ports = proxies
        .filter(({ kernel: { family } }) => ofFamily(hostGateways, family) !== undefined)
        .flatMap(({ proxy, kernel: { family } }) =>
          [
            ...proxy.nodePorts(),
            // Load balancers ask them where they send the traffic.
            ...proxy.healthCheckNodePorts().map(service => ({ ...service, protocol: 'tcp' as const })),
          ].map(port => ({ ...port, family })),
        );
      families.clear();
      for (const { protocol, port, namespace, name, family } of ports) {
        // This machine's processes have no sockets of it here.
        if (protocol === 'sctp') continue;
        const key = `${protocol}/${port}`;
        if (families.has(key)) continue;
        families.set(key, family);
        if (open.has(key)) continue;
        const onError = (error: Error): void => {
          log.warn({ port, error: error.message }, 'node port cannot be opened on this machine');
          onBusy(
            { namespace, name },
            `node port ${port}/${protocol} cannot be opened on ${bindAddress}: ${error.message}`,
          );
        };
        open.set(
          key,
          listenReal({
            protocol,
            at: { address: bindAddress, port },
            entry: () => entry(key, port),
            cable,
            log,
            onError,
          }),
        );
      }
      for (const [key, closer] of open)
        if (!families.has(key)) {
          closer.close();
          open.delete(key);
        }
    },
    close() {
      for (const closer of open.values()) closer.close();
      open.clear();
    },
  };
}
