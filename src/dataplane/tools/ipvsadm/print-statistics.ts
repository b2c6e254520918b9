import { joinHostPort } from '../../../machinery/ip.js';
import type { Traffic } from '../../kernel/ipvs/real-servers.js';
import type { Kernel } from '../../kernel/types.js';
import { orderedServices } from './ordered.js';

const HEAD = [
  'IP Virtual Server version 1.2.1 (size=4096)',
  'Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes',
  '  -> RemoteAddress:Port',
];

/** A large number in eight places (print_largenum). */
function largeNumber(value: number): string {
  const [unit, by] =
    value < 100_000_000
      ? ['', 1]
      : value < 1_000_000_000
        ? ['K', 1_000]
        : value < 1_000_000_000_000
          ? ['M', 1_000_000]
          : ['G', 1_000_000_000];
  const text = `${Math.floor(value / by)}${unit}`;
  return text.padStart(9);
}

const trafficText = ({ connections, inPackets, outPackets, inBytes, outBytes }: Traffic): string =>
  [connections, inPackets, outPackets, inBytes, outBytes].map(largeNumber).join('');

/** What `ipvsadm -Ln --stats` (1.31) prints, line by line. */
export function* ipvsadmStatisticsLines(kernel: Kernel): Generator<string> {
  for (const line of HEAD) yield `${line}\n`;
  for (const { definition, servers, traffic } of orderedServices(kernel)) {
    const { protocol, address, port } = definition;
    yield `${protocol.toUpperCase().padEnd(4)} ${joinHostPort(address, port).padEnd(28)}${trafficText(traffic)}\n`;
    for (const server of servers)
      yield `  -> ${joinHostPort(server.address, server.port).padEnd(28)}${trafficText(server.traffic)}\n`;
  }
}
