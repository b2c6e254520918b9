import type { Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type AddressInfo, type Socket } from 'node:net';
import { whenPlugged, type Cable } from '../../machinery/cable.js';
import type { Logger } from '../../machinery/logger.js';
import { toNetworkError } from '../../containers/network/errors.js';
import type { PacketReceiver, SocketAddress } from '../../containers/network/types.js';
import { freezeWith } from './cable-sockets.js';
import { joinStreams } from './join-streams.js';

/** Whose the next packet is, and the addresses it carries in the cluster's network. */
export interface PacketEntry {
  readonly receiver: PacketReceiver;
  readonly src: string;
  readonly dst: SocketAddress;
}

export interface RealListenerOptions {
  readonly protocol: 'tcp' | 'udp';
  /** Where on this machine; port 0: any free one. */
  readonly at: SocketAddress;
  /** Asked for each connection and each datagram. Undefined: nobody is there to take it. */
  readonly entry: () => PacketEntry | undefined;
  /** While it is pulled, connections wait and datagrams are lost. */
  readonly cable?: Cable | undefined;
  readonly log: Logger;
  readonly onListening?: (port: number) => void;
  /** The port cannot be had, and nothing is left to close. Not called once the listener is closed. */
  readonly onError: (error: NodeJS.ErrnoException) => void;
}

export interface RealListener {
  close(): void;
}

/** A port of this machine whose clients reach the cluster's network as a neighbour outside of it would. */
export const listenReal = (options: RealListenerOptions): RealListener =>
  options.protocol === 'tcp' ? listenTcp(options) : listenUdp(options);

function listenTcp({ at, entry, cable, log, onListening, onError }: RealListenerOptions): RealListener {
  let closed = false;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    freezeWith(cable, socket);
    const target = entry();
    if (target === undefined) return void socket.resetAndDestroy();
    const { receiver, src, dst } = target;
    const flow = {
      proto: 'tcp',
      src,
      srcPort: socket.remotePort ?? 0,
      dst: dst.address,
      dstPort: dst.port,
    } as const;
    const gone = new AbortController();
    socket.once('close', () => gone.abort(new Error('the client is gone')));
    const arrived = whenPlugged(cable, gone.signal);
    arrived
      .then(() => receiver.acceptTcp(flow, { signal: gone.signal }))
      .then(
        stream => joinStreams(socket, stream),
        (error: unknown) => {
          log.info({ port: dst.port, error: (error as Error).message }, 'connection from this machine refused');
          socket.resetAndDestroy();
        },
      );
  });
  server.on('error', error => {
    if (!closed) onError(error);
  });
  server.listen(at.port, at.address, () => onListening?.((server.address() as AddressInfo).port));
  return {
    close() {
      closed = true;
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function listenUdp({ at, entry, cable, log, onListening, onError }: RealListenerOptions): RealListener {
  let closed = false;
  let socket: UdpSocket | undefined;
  void import('node:dgram').then(({ createSocket }) => {
    if (closed) return;
    const own = (socket = createSocket(isIPv6(at.address) ? 'udp6' : 'udp4'));
    let bound = false;
    own.on('error', error => {
      if (bound) return void log.info({ port: at.port, error: error.message }, 'answer to this machine lost');
      // Unlike a server, a datagram socket stays when it could not be bound.
      socket = undefined;
      own.close();
      if (!closed) onError(error);
    });
    own.on('message', (payload, from) => {
      const target = entry();
      if (target === undefined || cable?.plugged === false) return;
      const { receiver, src, dst } = target;
      const flow = { proto: 'udp', src, srcPort: from.port, dst: dst.address, dstPort: dst.port } as const;
      receiver.acceptUdp(flow, payload, {}).then(
        reply => {
          if (reply !== undefined && !closed && cable?.plugged !== false) own.send(reply, from.port, from.address);
        },
        (error: unknown) =>
          log.info({ port: dst.port, error: toNetworkError(error).message }, 'datagram from this machine lost'),
      );
    });
    own.bind(at.port, at.address, () => {
      bound = true;
      onListening?.(own.address().port);
    });
  });
  return {
    close() {
      closed = true;
      socket?.close();
      socket = undefined;
    },
  };
}
