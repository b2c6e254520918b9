import { createHash } from 'node:crypto';
import type { Protocol } from '../../packet.js';
import type { PortRange } from '../types.js';

/** net.ipv4.ip_local_port_range, which the kernel chooses from. */
const EPHEMERAL: PortRange = { first: 32_768, last: 60_999 };

export interface ProxyPorts {
  /** Undefined: every port of the range is taken. */
  allocate(key: string, protocol: Protocol): number | undefined;
  /** Its listener is still there, but is closed before anybody else listens. */
  release(port: number, protocol: Protocol): void;
  /** What was released is anybody's. */
  settle(): void;
}

/**
 * Upstream starts at a random port of the range and takes the next free one. Here the name says where to start, so that the
 * same Services give the same rules, also after a restart.
 */
export function createProxyPorts(
  { first, last }: PortRange = EPHEMERAL,
  isTaken: (protocol: Protocol, port: number) => boolean = () => false,
): ProxyPorts {
  const used = new Set<string>();
  const released = new Set<string>();
  const size = last - first + 1;
  return {
    allocate(key, protocol) {
      const start = createHash('sha256').update(key).digest().readUInt32BE(0) % size;
      for (let tried = 0; tried < size; tried++) {
        const port = first + ((start + tried) % size);
        const name = `${protocol}/${port}`;
        if (used.has(name) || (!released.has(name) && isTaken(protocol, port))) continue;
        used.add(name);
        return port;
      }
      return undefined;
    },
    release(port, protocol) {
      const name = `${protocol}/${port}`;
      if (used.delete(name)) released.add(name);
    },
    settle: () => released.clear(),
  };
}
