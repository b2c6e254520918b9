import { joinHostPort } from '../../../machinery/ip.js';
import type { VirtualServer } from '../../kernel/ipvs/types.js';
import type { Kernel } from '../../kernel/types.js';
import type { Protocol } from '../../packet.js';
import { hashFlag, orderedServices } from './ordered.js';

const OPTION: Readonly<Record<Protocol, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' };

const nameOf = ({ protocol, address, port }: VirtualServer): string =>
  `${OPTION[protocol]} ${joinHostPort(address, port)}`;

function addText(service: VirtualServer): string {
  const flag = hashFlag(service);
  const persistent = service.persistentSeconds === undefined ? '' : ` -p ${service.persistentSeconds}`;
  return `-A ${nameOf(service)} -s ${service.scheduler}${persistent}${flag === undefined ? '' : ` -b ${flag}`}`;
}

/** What `ipvsadm -Sn` (1.31) prints. */
export const printIpvsadmSave = (kernel: Kernel): string => [...ipvsadmSaveLines(kernel)].join('');

/** The same, line by line. */
export function* ipvsadmSaveLines(kernel: Kernel): Generator<string> {
  for (const { definition, servers } of orderedServices(kernel)) {
    yield `${addText(definition)}\n`;
    for (const { address, port, weight } of servers)
      yield `-a ${nameOf(definition)} -r ${joinHostPort(address, port)} -m -w ${weight}\n`;
  }
}
