import { betweenCommonEnds } from '../../../machinery/between-common-ends.js';
import type { Clock } from '../../../machinery/clock.js';
import type { RelayChoice } from '../types.js';

/** One address and port behind a service port. */
export interface Backend {
  readonly ip: string;
  readonly port: number;
  /** "ip:port" */
  readonly address: string;
}

/** Round robin over the endpoints of one service port; with affinity a client stays with the one that it has. */
export interface LoadBalancer {
  /** Another set of endpoints starts from the first one; clients of those that are gone choose anew. */
  setEndpoints(endpoints: readonly Backend[]): void;
  /** Undefined: no affinity. */
  setAffinity(seconds: number | undefined): void;
  /** `again`: the endpoint chosen before does not answer. Undefined: there is none. */
  next(client: string, again: boolean): RelayChoice | undefined;
  /** Forgets clients that have not been seen for so long that they choose anew. */
  forgetStale(): void;
}

interface Sticky {
  readonly endpoint: Backend;
  readonly lastUsed: number;
}

/** Clients name themselves: of more the one that was not seen for the longest time is forgotten. */
const MAX_CLIENTS = 65_536;

/** `random` shuffles the endpoints, so that not all nodes start with the same one; without it they stay in order. */
export function createLoadBalancer(clock: Clock, random?: () => number): LoadBalancer {
  let endpoints: readonly Backend[] = [];
  /** As they were given. */
  let known: readonly Backend[] = [];
  let index = 0;
  let affinityMs: number | undefined;
  /** By client address, the one seen last at the end. */
  const clients = new Map<string, Sticky>();
  const isFresh = ({ lastUsed }: Sticky): boolean =>
    affinityMs !== undefined && clock.monotonic() - lastUsed < affinityMs;
  const remember = (client: string, endpoint: Backend): void => {
    clients.delete(client);
    clients.set(client, { endpoint, lastUsed: clock.monotonic() });
    if (clients.size <= MAX_CLIENTS) return;
    for (const oldest of clients.keys()) return void clients.delete(oldest);
  };

  return {
    setEndpoints(next) {
      const [gone, come] = betweenCommonEnds(known, next, isSame);
      known = next;
      if (gone.length + come.length === 0) return;
      const left = new Set(come.map(({ address }) => address));
      const lost = new Set(gone.map(({ address }) => address).filter(address => !left.has(address)));
      for (const [client, { endpoint }] of clients) if (lost.has(endpoint.address)) clients.delete(client);
      endpoints = random === undefined ? next : shuffled(next, random);
      index = 0;
    },
    setAffinity(seconds) {
      affinityMs = seconds === undefined ? undefined : seconds * 1000;
      if (affinityMs === undefined) clients.clear();
    },
    next(client, again) {
      const sticky = clients.get(client);
      if (!again && sticky !== undefined && isFresh(sticky)) {
        remember(client, sticky.endpoint);
        const { ip, port } = sticky.endpoint;
        return { ip, port, why: `session affinity: ${client} stays with it` };
      }
      const endpoint = endpoints[index];
      if (endpoint === undefined) return undefined;
      const place = index + 1;
      index = place % endpoints.length;
      if (affinityMs !== undefined) remember(client, endpoint);
      const { ip, port } = endpoint;
      return { ip, port, why: `round robin: number ${place} of ${endpoints.length}` };
    },
    forgetStale() {
      for (const [client, sticky] of clients) {
        // Those behind it were seen later.
        if (isFresh(sticky)) return;
        clients.delete(client);
      }
    },
  };
}

const isSame = (a: Backend, b: Backend): boolean => a.address === b.address;

/** Fisher and Yates. */
function shuffled<T>(list: readonly T[], random: () => number): readonly T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
