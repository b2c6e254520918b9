import type { Logger } from '../../machinery/logger.js';
import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { joinStreams } from '../network/join-streams.js';
import { toNetworkError } from '../../containers/network/errors.js';
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

interface Closer {
  close(): void;
}

export function createNodePorts(options: NodePortOptions): NodePorts {
  const { proxies, network, nodeAddresses, bindAddress, hostGateways, log, onBusy } = options;
  const open = new Map<string, Closer>();
  /** By "protocol/port". */
  const families = new Map<string, Family>();
  /** A packet's addresses, from this machine to the node, in the family whose rules have the port. */
  const ends = (key: string): { readonly src: string; readonly dst: string } => {
    const family = families.get(key) ?? familyLike(nodeAddresses[0]);
    return { src: ofFamily(hostGateways, family) ?? '', dst: ofFamily(nodeAddresses, family) ?? '' };
  };

  const openTcp = (port: number, busy: (error: Error) => void): Closer => {
    const sockets = new Set<Socket>();
    const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      const flow = {
        proto: 'tcp',
        ...ends(`tcp/${port}`),
        srcPort: socket.remotePort ?? 0,
        dstPort: port,
      } as const;
      const gone = new AbortController();
      socket.once('close', () => gone.abort(new Error('the client is gone')));
      network.acceptTcp(flow, { signal: gone.signal }).then(
        stream => joinStreams(socket, stream),
        (error: unknown) => {
          log.info({ port, error: (error as Error).message }, 'node port connection refused');
          socket.resetAndDestroy();
        },
      );
    });
    server.on('error', busy);
    server.listen(port, bindAddress);
    return {
      close() {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  };

  const openUdp = (port: number, busy: (error: Error) => void): Closer => {
    let closed = false;
    let socket: UdpSocket | undefined;
    void import('node:dgram').then(({ createSocket }) => {
      if (closed) return;
      const own = (socket = createSocket('udp4'));
      own.on('error', busy);
      own.on('message', (payload, from) => {
        const flow = {
          proto: 'udp',
          ...ends(`udp/${port}`),
          srcPort: from.port,
          dstPort: port,
        } as const;
        network.acceptUdp(flow, payload, {}).then(
          reply => {
            if (reply !== undefined && !closed) own.send(reply, from.port, from.address);
          },
          (error: unknown) => log.info({ port, error: toNetworkError(error).message }, 'node port datagram lost'),
        );
      });
      own.bind(port, bindAddress);
    });
    return {
      close() {
        closed = true;
        socket?.close();
      },
    };
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
        if (protocol === 'sctp') continue;
        const key = `${protocol}/${port}`;
        if (families.has(key)) continue;
        families.set(key, family);
        if (open.has(key)) continue;
        const busy = (error: Error): void => {
          log.warn({ port, error: error.message }, 'node port cannot be opened on this machine');
          onBusy(
            { namespace, name },
            `node port ${port}/${protocol} cannot be opened on ${bindAddress}: ${error.message}`,
          );
        };
        open.set(key, protocol === 'tcp' ? openTcp(port, busy) : openUdp(port, busy));
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
