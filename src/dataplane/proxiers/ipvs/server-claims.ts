import { firstText } from '../../../machinery/compare-text.js';
import { type VirtualServer, virtualKey, type VirtualService } from '../../kernel/ipvs/types.js';

/**
 * Which service port has a virtual server: two Services may want the same external address and port. The first by name has
 * it; kube-proxy leaves it to chance.
 */
export interface ServerClaims {
  /** What this service port wants from now on. */
  set(sortKey: string, servers: readonly VirtualServer[]): void;
  take(): { readonly changed: readonly VirtualServer[]; readonly gone: readonly VirtualService[] };
  all(): readonly VirtualServer[];
}

export function createServerClaims(): ServerClaims {
  const claims = new Map<string, Map<string, VirtualServer>>();
  const wantedBy = new Map<string, readonly VirtualServer[]>();
  /** What was written. */
  const written = new Map<string, VirtualServer>();
  const touched = new Set<string>();

  function winner(key: string): VirtualServer | undefined {
    const claimants = claims.get(key);
    return claimants?.get(firstText(claimants.keys()) ?? '');
  }

  return {
    set(sortKey, servers) {
      for (const server of wantedBy.get(sortKey) ?? []) {
        const key = virtualKey(server);
        touched.add(key);
        const claimants = claims.get(key);
        claimants?.delete(sortKey);
        if (claimants?.size === 0) claims.delete(key);
      }
      for (const server of servers) {
        const key = virtualKey(server);
        touched.add(key);
        const claimants = claims.get(key) ?? new Map<string, VirtualServer>();
        claims.set(key, claimants.set(sortKey, server));
      }
      if (servers.length === 0) wantedBy.delete(sortKey);
      else wantedBy.set(sortKey, servers);
    },
    take() {
      const changed: VirtualServer[] = [];
      const gone: VirtualService[] = [];
      for (const key of touched) {
        const before = written.get(key);
        const now = winner(key);
        if (now === before) continue;
        if (now !== undefined) {
          written.set(key, now);
          changed.push(now);
        } else if (before !== undefined) {
          written.delete(key);
          gone.push({ protocol: before.protocol, address: before.address, port: before.port });
        }
      }
      touched.clear();
      return { changed, gone };
    },
    all: () => [...claims.keys()].flatMap(key => winner(key) ?? []),
  };
}
