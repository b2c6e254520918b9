import { joinHostPort } from '../../../machinery/ip.js';
import type { LoadedServer } from '../../kernel/ipvs/real-servers.js';
import type { VirtualServer } from '../../kernel/ipvs/types.js';
import type { Kernel } from '../../kernel/types.js';
import { hashFlag, orderedServices } from './ordered.js';

const HEAD = [
  'IP Virtual Server version 1.2.1 (size=4096)',
  'Prot LocalAddress:Port Scheduler Flags',
  '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
];

function serviceText(service: VirtualServer): string {
  const flag = hashFlag(service);
  const persistent = service.persistentSeconds === undefined ? '' : ` persistent ${service.persistentSeconds}`;
  const name = `${service.protocol.toUpperCase().padEnd(4)} ${joinHostPort(service.address, service.port)}`;
  return `${name} ${service.scheduler}${flag === undefined ? '' : ` (${flag})`}${persistent}`;
}

function serverText({ address, port, weight, active, inactive }: LoadedServer): string {
  const end = joinHostPort(address, port).padEnd(28);
  const [w, a, i] = [String(weight).padEnd(6), String(active).padEnd(10), String(inactive).padEnd(10)];
  return `  -> ${end} ${'Masq'.padEnd(7)} ${w} ${a} ${i}`;
}

/** What `ipvsadm -Ln` (1.31) prints. */
export const printIpvsadmList = (kernel: Kernel): string => [...ipvsadmListLines(kernel)].join('');

/** The same, line by line. */
export function* ipvsadmListLines(kernel: Kernel): Generator<string> {
  for (const line of HEAD) yield `${line}\n`;
  for (const { definition, servers } of orderedServices(kernel)) {
    yield `${serviceText(definition)}\n`;
    for (const server of servers) yield `${serverText(server)}\n`;
  }
}
