import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { hostOf, listenError } from '../../cluster/api-server.js';
import { joinStreams } from '../../nodeagent/network/join-streams.js';

export interface Balancer {
  close(): void;
}

export interface BalancerOptions {
  /** Where it listens, and where those are that it stands before. */
  readonly bindAddress: string;
  readonly port: number;
  readonly targets: readonly number[];
}

/** Resolves with a connection to the first of them that takes one, beginning with another one each time; undefined: none does. */
async function dial(host: string, targets: readonly number[], first: number): Promise<Socket | undefined> {
  for (let i = 0; i < targets.length; i++) {
    const socket = connect({
      host,
      port: targets[(first + i) % targets.length] ?? 0,
      noDelay: true,
      allowHalfOpen: true,
    });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      // It is not there, or not yet: the next one may be.
      socket.destroy();
    }
  }
  return undefined;
}

/**
 * One address for several API servers, as a load balancer before a control plane is: connections are dealt in turn, and
 * TLS is between the two ends. @throws Error with one line when the address cannot be had
 */
export async function startBalancer({ bindAddress, port, targets }: BalancerOptions): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true }, client => {
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    client.on('error', () => client.destroy());
    dial(hostOf(bindAddress).replace(/^\[|\]$/g, ''), targets, turn++).then(
      target => {
        if (target === undefined || client.destroyed) {
          target?.destroy();
          client.destroy();
          return;
        }
        joinStreams(client, target);
        client.resume();
      },
      (error: Error) => client.destroy(error),
    );
  });
  try {
    server.listen(port, bindAddress);
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, bindAddress, port);
  }
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
