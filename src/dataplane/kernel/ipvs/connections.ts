import type { Clock } from '../../../machinery/clock.js';
import type { TcpFlags, Tuple } from '../../packet.js';
import { type Conntrack, invert, type MutableEntry } from '../conntrack.js';
import { createExpiryQueues } from './expiry-queues.js';
import type { LoadedServer } from './real-servers.js';
import { isActive, nextTcpState, TCP_TIMEOUT, type TcpState, type Way } from './tcp-states.js';
import type { Template } from './templates.js';
import type { VirtualServer } from './types.js';

/** A client's connection to a virtual service, and the server that it got. */
export interface VirtualConnection {
  /** What the client's packets look like when they come to IPVS. */
  readonly client: Tuple;
  readonly service: VirtualServer;
  readonly server: LoadedServer;
  readonly template: Template | undefined;
  /** TCP only. */
  state: TcpState;
  /** Counted among the server's active connections. */
  active: boolean;
  /** Its flow of connection tracking, which ends when it does. */
  entry: MutableEntry | undefined;
  expiresAt: number;
}

/** IPVS's own table of connections (ip_vs_conn.c). */
export interface Connections {
  /** By a packet of the client. */
  fromClient(packet: Tuple): VirtualConnection | undefined;
  /** By a packet of the server. */
  fromServer(packet: Tuple): VirtualConnection | undefined;
  readonly size: number;
  /** False when the table is full of connections that somebody has answered. */
  add(connection: VirtualConnection): boolean;
  advance(connection: VirtualConnection, way: Way, flags: TcpFlags): void;
  remove(connection: VirtualConnection): void;
  /** Forgets those that were silent for too long. */
  expire(): void;
}

const UDP_TIMEOUT_MS = 300_000;
/** SCTP has no flags here: a server that answers has made an association. */
const SCTP_TIMEOUT_MS = { in: 3_000, established: 900_000 } as const;

const keyOf = ({ protocol, src, srcPort, dst, dstPort }: Tuple): string =>
  `${protocol} ${src} ${srcPort} ${dst} ${dstPort}`;

/** What the server's answers look like when they come to IPVS. */
export const answerOf = ({ client, server }: VirtualConnection): Tuple =>
  invert({ ...client, dst: server.address, dstPort: server.port });

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly conntrack: Conntrack;
  /** Default: as many as there can be flows. */
  readonly maxConnections?: number;
}

/** As nf_conntrack_max here: every connection has a flow. */
const MAX_CONNECTIONS = 65_536;
/** How many of a full table's connections are looked at for one to give up. */
const EARLY_DROP = 64;

export function createConnections({
  clock,
  conntrack,
  maxConnections = MAX_CONNECTIONS,
}: ConnectionsOptions): Connections {
  const byClient = new Map<string, VirtualConnection>();
  const byServer = new Map<string, VirtualConnection>();
  const queues = createExpiryQueues<VirtualConnection>(() => clock.now());

  function setActive(connection: VirtualConnection, active: boolean): void {
    if (connection.active === active) return;
    connection.active = active;
    connection.server.active += active ? 1 : -1;
    connection.server.inactive += active ? -1 : 1;
  }

  function forget(connection: VirtualConnection): void {
    const { client, server, template, entry } = connection;
    if (byClient.get(keyOf(client)) === connection) byClient.delete(keyOf(client));
    const answer = keyOf(answerOf(connection));
    if (byServer.get(answer) === connection) byServer.delete(answer);
    setActive(connection, false);
    server.inactive--;
    if (template !== undefined) template.connections--;
    if (entry?.confirmed === true) conntrack.remove(entry);
  }

  function remove(connection: VirtualConnection): void {
    queues.remove(connection);
    forget(connection);
  }

  /** As connection tracking does it: one that has ended, or that nobody has answered, goes for a new one. */
  function earlyDrop(): boolean {
    let looked = 0;
    for (const [key, connection] of byClient) {
      if (++looked > EARLY_DROP) return false;
      if (!connection.active || connection.entry?.assured !== true) {
        remove(connection);
        return true;
      }
      // To the end, so that the next search goes on behind it.
      byClient.delete(key);
      byClient.set(key, connection);
    }
    return false;
  }

  function timeoutOf(connection: VirtualConnection): number {
    switch (connection.client.protocol) {
      case 'tcp':
        return 1000 * TCP_TIMEOUT[connection.state];
      case 'sctp':
        return connection.active ? SCTP_TIMEOUT_MS.established : SCTP_TIMEOUT_MS.in;
      default:
        return UDP_TIMEOUT_MS;
    }
  }

  return {
    fromClient: packet => byClient.get(keyOf(packet)),
    fromServer: packet => byServer.get(keyOf(packet)),
    get size() {
      return byClient.size;
    },
    add(connection) {
      if (byClient.size >= maxConnections && !earlyDrop()) return false;
      byClient.set(keyOf(connection.client), connection);
      byServer.set(keyOf(answerOf(connection)), connection);
      connection.server.inactive++;
      if (connection.template !== undefined) connection.template.connections++;
      return true;
    },
    advance(connection, way, flags) {
      const { protocol } = connection.client;
      if (protocol === 'tcp') {
        connection.state = nextTcpState(connection.state, way, flags);
        setActive(connection, isActive(connection.state));
      } else if (protocol === 'sctp') setActive(connection, flags !== 'fin' && (way === 'out' || connection.active));
      queues.renew(connection, timeoutOf(connection));
    },
    remove,
    expire() {
      for (const connection of queues.takeExpired()) forget(connection);
    },
  };
}
