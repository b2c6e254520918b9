import { joinHostPort } from '../../../machinery/ip.js';
import type { Destination } from './schedulers/types.js';
import type { RealServer } from './types.js';

/** What has been carried: connections that began, packets and bytes of clients and of servers. */
export interface Traffic {
  connections: number;
  inPackets: number;
  outPackets: number;
  inBytes: number;
  outBytes: number;
}

export const newTraffic = (): Traffic => ({ connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 });

/** A real server in the kernel. One that was removed lives on while connections point to it. */
export interface LoadedServer extends Destination {
  weight: number;
  active: number;
  inactive: number;
  /** False when it was removed. */
  available: boolean;
  readonly traffic: Traffic;
}

export const connectionsOf = ({ active, inactive }: Destination): number => active + inactive;

/** The real servers of one virtual server. */
export interface ServerList {
  /** The newest first, as the kernel lists them. */
  readonly all: readonly LoadedServer[];
  /** Makes them what is wanted; true when any came, went or has another weight. */
  set(wanted: readonly RealServer[]): boolean;
  /** Removes those that were to go and have no connections left; true when there were some. */
  flush(): boolean;
  /** Removes all of them at once. */
  clear(): void;
}

/** `graceful`: who has connections only gets no new ones. Done for TCP; a client of UDP would stay with it for ever. */
export function createServerList(graceful: boolean): ServerList {
  let all: readonly LoadedServer[] = [];
  const draining = new Set<LoadedServer>();
  /** Removed, but with connections: the same address that comes again is the same server (dest_trash). */
  const trash = new Map<string, LoadedServer>();
  const keyOf = ({ address, port }: { address: string; port: number }): string => joinHostPort(address, port);

  function remove(server: LoadedServer): void {
    server.available = false;
    draining.delete(server);
    if (connectionsOf(server) > 0) trash.set(keyOf(server), server);
  }

  /** True when it stays in the list. */
  function leave(server: LoadedServer): boolean {
    if (draining.has(server)) return true;
    if (graceful && connectionsOf(server) > 0) {
      server.weight = 0;
      draining.add(server);
      return true;
    }
    remove(server);
    return false;
  }

  function add({ address, port, weight }: RealServer): LoadedServer {
    const known = trash.get(keyOf({ address, port }));
    trash.delete(keyOf({ address, port }));
    if (known === undefined)
      return { address, port, weight, active: 0, inactive: 0, available: true, traffic: newTraffic() };
    known.weight = weight;
    known.available = true;
    return known;
  }

  return {
    get all() {
      return all;
    },
    set(wanted) {
      for (const [key, server] of trash) if (connectionsOf(server) === 0) trash.delete(key);
      const left = new Map(wanted.map(server => [keyOf(server), server]));
      let changed = false;
      const kept = all.filter(server => {
        const want = left.get(keyOf(server));
        const { weight } = server;
        left.delete(keyOf(server));
        if (want === undefined) {
          const stays = leave(server);
          changed ||= !stays || weight !== server.weight;
          return stays;
        }
        draining.delete(server);
        changed ||= weight !== want.weight;
        server.weight = want.weight;
        return true;
      });
      const added = [...left.values()].map(add).reverse();
      all = [...added, ...kept];
      return changed || added.length > 0;
    },
    flush() {
      const gone = [...draining].filter(server => connectionsOf(server) === 0);
      if (gone.length === 0) return false;
      for (const server of gone) remove(server);
      all = all.filter(server => server.available);
      return true;
    },
    clear() {
      for (const server of all) remove(server);
      all = [];
    },
  };
}
