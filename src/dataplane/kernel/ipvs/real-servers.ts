import { betweenCommonEnds } from '../../../machinery/between-common-ends.js';
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

const isSame = (a: RealServer, b: RealServer): boolean =>
  a.address === b.address && a.port === b.port && a.weight === b.weight;

export const connectionsOf = ({ active, inactive }: Destination): number => active + inactive;

/** The real servers of one virtual server. */
export interface ServerList {
  /** The newest first, as the kernel lists them. */
  readonly all: readonly LoadedServer[];
  /** Makes them what is wanted, each address once; true when any came, went or has another weight. */
  set(wanted: readonly RealServer[]): boolean;
  /** Removes those that were to go and have no connections left; true when there were some. */
  flush(): boolean;
  /** Removes all of them at once. */
  clear(): void;
}

/** `graceful`: who has connections only gets no new ones. Done for TCP; a client of UDP would stay with it for ever. */
export function createServerList(graceful: boolean): ServerList {
  let all: readonly LoadedServer[] = [];
  /** All of them. */
  const byKey = new Map<string, LoadedServer>();
  let wantedBefore: readonly RealServer[] = [];
  const draining = new Set<LoadedServer>();
  /** Removed, but with connections: the same address that comes again is the same server (dest_trash). */
  const trash = new Map<string, LoadedServer>();
  const keyOf = ({ address, port }: { address: string; port: number }): string => joinHostPort(address, port);

  function remove(server: LoadedServer): void {
    server.available = false;
    draining.delete(server);
    byKey.delete(keyOf(server));
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
      const [before, after] = betweenCommonEnds(wantedBefore, wanted, isSame);
      wantedBefore = wanted;
      const left = new Map(after.map(server => [keyOf(server), server]));
      let changed = false;
      const gone = new Set<LoadedServer>();
      for (const key of before.map(keyOf)) {
        const server = left.has(key) ? undefined : byKey.get(key);
        if (server === undefined) continue;
        const { weight } = server;
        if (!leave(server)) gone.add(server);
        changed ||= gone.has(server) || weight !== server.weight;
      }
      const added: LoadedServer[] = [];
      for (const [key, want] of left) {
        const known = byKey.get(key);
        if (known === undefined) {
          const server = add(want);
          byKey.set(key, server);
          added.push(server);
          continue;
        }
        draining.delete(known);
        changed ||= known.weight !== want.weight;
        known.weight = want.weight;
      }
      if (gone.size + added.length > 0) all = [...added.reverse(), ...all.filter(server => !gone.has(server))];
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
      wantedBefore = [];
    },
  };
}
