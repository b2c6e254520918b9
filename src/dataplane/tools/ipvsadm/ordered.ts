import { parseIP } from '../../../machinery/ip.js';
import type { LoadedServer, Traffic } from '../../kernel/ipvs/real-servers.js';
import type { VirtualServer } from '../../kernel/ipvs/types.js';
import type { Kernel } from '../../kernel/types.js';

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

interface End {
  readonly address: string;
  readonly port: number;
}

/** With what the comparison needs made once. */
const byEnd = <T extends End>(list: readonly T[]): T[] =>
  list
    .map(one => ({ one, value: parseIP(one.address)?.value ?? 0n }))
    .sort((a, b) => (a.value === b.value ? a.one.port - b.one.port : a.value < b.value ? -1 : 1))
    .map(({ one }) => one);

/** What the virtual server's flag is called that takes the port into the hash. */
export const hashFlag = ({ scheduler, hashesPort }: VirtualServer): string | undefined =>
  hashesPort === true ? `${scheduler}-port` : undefined;

export interface ListedService {
  readonly definition: VirtualServer;
  readonly servers: readonly LoadedServer[];
  readonly traffic: Traffic;
}

/** The kernel lists by hash; here protocol, address and port say the order. */
export function orderedServices({ ipvs }: Kernel): readonly ListedService[] {
  const all = ipvs.virtualServers().map(({ definition, servers, traffic }) => ({
    address: definition.address,
    port: definition.port,
    definition,
    traffic,
    servers: byEnd(servers.all),
  }));
  const sorted = byEnd(all);
  return PROTOCOLS.flatMap(protocol => sorted.filter(({ definition }) => definition.protocol === protocol));
}
