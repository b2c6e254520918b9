import { NetworkError } from '../../containers/network/errors.js';

/** net.ipv4.ip_local_port_range. */
export const EPHEMERAL_PORTS = { first: 32_768, last: 60_999 };

/** The ports that a network namespace's own connections are made from. */
export interface EphemeralPorts {
  /** One that no open connection has, or `wanted`. @throws NetworkError EADDRNOTAVAIL, EADDRINUSE */
  choose(wanted?: number): number;
  /** Until the returned function is called nobody else gets the port. */
  hold(port: number): () => void;
}

export function createEphemeralPorts(random: () => number): EphemeralPorts {
  const held = new Set<number>();
  let last = EPHEMERAL_PORTS.first + Math.floor(random() * (EPHEMERAL_PORTS.last - EPHEMERAL_PORTS.first));
  return {
    choose(wanted) {
      if (wanted !== undefined) {
        if (held.has(wanted)) throw new NetworkError('EADDRINUSE', `port ${wanted}`);
        return wanted;
      }
      for (let tried = EPHEMERAL_PORTS.first; tried <= EPHEMERAL_PORTS.last; tried++) {
        last = last >= EPHEMERAL_PORTS.last ? EPHEMERAL_PORTS.first : last + 1;
        if (!held.has(last)) return last;
      }
      throw new NetworkError('EADDRNOTAVAIL', 'every port has an open connection');
    },
    hold(port) {
      held.add(port);
      return () => void held.delete(port);
    },
  };
}
