import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Passes connections on to another port, until it is told not to. */
export interface TcpRelay {
  readonly port: number;
  /** Breaks what there is; nobody gets through until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function tcpRelay(target: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer(near => {
    if (!whole) return void near.destroy();
    const far = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend: () => void (whole = true),
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
