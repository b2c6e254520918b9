import type { HostedNode } from '../cluster/node-agents.js';
import { formatIP, parseIP } from '../machinery/ip.js';
import { FlagError } from './process.js';

/** What an address is so many addresses later. */
function counted(address: string, by: number): string {
  const ip = parseIP(address);
  return ip === undefined ? address : formatIP({ ...ip, value: ip.value + BigInt(by) });
}

/** So many nodes from the first one on: its name ends in a number, which is counted up, and so are its addresses. @throws FlagError */
export function hostedNodes({ nodeName, nodeIPs }: HostedNode, count: number): HostedNode[] {
  const [, stem, number] = /^(.*?)(\d{1,9})$/.exec(nodeName) ?? [];
  if (stem === undefined || number === undefined)
    throw new FlagError(
      `--node-name: with --nodes want one that ends in a number, as node-1; got ${JSON.stringify(nodeName)}`,
    );
  const [first, ...others] = nodeIPs;
  return Array.from({ length: count }, (_, i) => ({
    nodeName: `${stem}${String(Number(number) + i).padStart(number.length, '0')}`,
    nodeIPs: [counted(first, i), ...others.map(address => counted(address, i))],
  }));
}
