import { createServer, type Server } from 'node:net';
import type { PacketReceiver } from '../../containers/network/types.js';
import type { Cable } from '../../machinery/cable.js';
import type { Clock } from '../../machinery/clock.js';
import { freezeWith } from './cable-sockets.js';
import { WINDOW_BUDGET, type Link } from './link/link.js';
import { serveLink } from './link/served-link.js';

export interface PeerServer {
  /** The caller listens. */
  readonly server: Server;
  /** Takes no more links, and lets go of those that carry nothing. */
  close(): void;
}

export interface PeerServerOptions {
  readonly network: PacketReceiver;
  readonly clock: Clock;
  readonly cable?: Cable | undefined;
  /** Called for whatever comes over a link. */
  readonly onTraffic?: (() => void) | undefined;
  /** A link has ended, and why; LinkError: the peer did not keep to the protocol. */
  readonly onLinkEnd?: (error: Error, from: string | undefined) => void;
}

/** One for each agent that sends here, and for each process outside. */
const MAX_LINKS = 1024;
/** One for each connection between Pods of two nodes. */
export const MAX_STREAMS = 4096;

/** Serves packets that other agents send to this node. */
export function createPeerServer({ network, clock, cable, onTraffic, onLinkEnd }: PeerServerOptions): PeerServer {
  const links = new Set<Link>();
  const budget = { bytes: WINDOW_BUDGET };
  let streams = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const link = serveLink({
      socket,
      network,
      clock,
      budget,
      onTraffic,
      enter: () => streams < MAX_STREAMS && ++streams > 0,
      leave: () => void streams--,
      onEnd(error) {
        links.delete(link);
        onLinkEnd?.(error, socket.remoteAddress);
      },
    });
    links.add(link);
    freezeWith(cable, socket);
  });
  server.maxConnections = MAX_LINKS;
  return {
    server,
    close() {
      server.close();
      for (const link of links) if (link.streams.size === 0) link.end(new Error('the node agent stops'));
    },
  };
}
