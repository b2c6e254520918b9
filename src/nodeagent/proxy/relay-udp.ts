import type { Clock } from '../../machinery/clock.js';
import { joinHostPort } from '../../machinery/ip.js';
import { toNetworkError } from '../../containers/network/errors.js';
import type { Observe, UdpHandler } from '../../containers/network/types.js';
import type { ConnectedUdp } from '../network/net-namespace.js';
import type { NodeNamespace } from '../network/pod-network.js';
import type { RelayTarget } from './relay-tcp.js';

export interface UdpRelayTarget extends RelayTarget {
  readonly network: NodeNamespace;
  readonly clock: Clock;
  readonly udpTimeoutMs: number;
}

export interface UdpRelay {
  readonly receive: UdpHandler;
  /** Forgets all clients. */
  close(): void;
}

/** A client of a UDP Service: while it goes on, all its datagrams go to one endpoint, from one port. */
interface UdpClient {
  readonly endpoint: string;
  readonly why: string;
  readonly socket: ConnectedUdp;
  cancelTimeout: () => void;
}

/** Each holds a port of the node, of which there are 28,232. */
const MAX_CLIENTS = 4096;

export function createUdpRelay(target: UdpRelayTarget): UdpRelay {
  const { nodeName: node, network, clock, service, next, udpTimeoutMs, log } = target;
  const clients = new Map<string, UdpClient>();

  const forget = (key: string, client: UdpClient): void => {
    if (clients.get(key) !== client) return;
    clients.delete(key);
    client.cancelTimeout();
    client.socket.close();
  };
  const touch = (key: string, client: UdpClient): void => {
    client.cancelTimeout();
    client.cancelTimeout = clock.after(udpTimeoutMs, () => forget(key, client), { unref: true });
  };

  function clientOf(key: string, address: string, observe: Observe | undefined): UdpClient | undefined {
    const known = clients.get(key);
    if (known !== undefined) return known;
    if (clients.size >= MAX_CLIENTS) {
      log.info({ service }, 'too many UDP clients');
      return undefined;
    }
    const choice = next(address);
    if (choice === undefined) {
      observe?.({ kind: 'fail', node, code: 'ETIMEDOUT', message: `${service} has no endpoints: no answer will come` });
      return undefined;
    }
    const { ip, port, why } = choice;
    const socket = network.connectUdp({ address: ip, port });
    const client = { endpoint: joinHostPort(ip, port), why, socket, cancelTimeout: () => undefined };
    clients.set(key, client);
    return client;
  }

  return {
    async receive(payload, { client: { address, port } }, observe) {
      const key = joinHostPort(address, port);
      try {
        const client = clientOf(key, address, observe);
        if (client === undefined) return undefined;
        const { endpoint, why, socket } = client;
        touch(key, client);
        observe?.({ kind: 'relay', node, service, endpoint, why });
        const traced = observe === undefined ? {} : { observe };
        try {
          const answer = await socket.exchange(payload, { timeoutMs: udpTimeoutMs, ...traced });
          // Too late: its socket is closed.
          if (clients.get(key) !== client) return undefined;
          touch(key, client);
          return answer;
        } catch (error) {
          forget(key, client);
          throw error;
        }
      } catch (error) {
        log.info({ service, error: toNetworkError(error).message }, 'a datagram was not answered');
        return undefined;
      }
    },
    close() {
      for (const [key, client] of clients) forget(key, client);
    },
  };
}
