import type { Backend, BackendPort } from '../routing/route.js';
import { backendKey } from '../routing/route.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Who can be asked in a backend's name, the first one first. */
export interface Chosen {
  readonly backend: Backend;
  readonly endpoints: readonly Endpoint[];
}

export interface Chooser {
  /** Undefined: the one that is its turn is nobody. */
  choose(backends: readonly Backend[]): Chosen | undefined;
}

/** So many are asked until somebody takes the request, as ingress-nginx's proxy-next-upstream-tries. */
const MAX_TRIES = 3;
/** Ports whose turns are remembered. */
const MAX_TURNS = 10_000;

/** Backends by chance and weight, the endpoints of one in turn. `random`: in [0, 1). */
export function createChooser(endpointsOf: (port: BackendPort) => readonly Endpoint[], random: () => number): Chooser {
  const turns = new Map<string, number>();
  const turnOf = (port: BackendPort): number => {
    const key = backendKey(port);
    const turn = turns.get(key) ?? 0;
    if (turns.size >= MAX_TURNS && !turns.has(key)) turns.clear();
    turns.set(key, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return turn;
  };
  const weighed = (backends: readonly Backend[]): Backend | undefined => {
    if (backends.length === 1 && backends[0]?.weight !== 0) return backends[0];
    let at = random() * backends.reduce((sum, { weight }) => sum + weight, 0);
    return backends.find(({ weight }) => weight > 0 && (at -= weight) < 0);
  };
  return {
    choose(backends) {
      const backend = weighed(backends);
      if (backend?.to === undefined) return undefined;
      const all = endpointsOf(backend.to);
      const first = all.length === 0 ? 0 : turnOf(backend.to) % all.length;
      const endpoints = Array.from(
        { length: Math.min(MAX_TRIES, all.length) },
        (_, i) => all[(first + i) % all.length] as Endpoint,
      );
      return { backend, endpoints };
    },
  };
}
