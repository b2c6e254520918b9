import { ipBytes } from '../../machinery/ip.js';
import type { Program } from '../process.js';

/** 02:42 and the address, as Docker makes it; of an IPv6 address its last four bytes. */
const macOf = (address: string): string =>
  ['02', '42', ...[...ipBytes(address).slice(-4)].map(byte => byte.toString(16).padStart(2, '0'))]
    .join(':')
    .toUpperCase();

const inet = (address: string): string =>
  address.includes(':')
    ? `          inet6 addr: ${address}/64 Scope:Global\n`
    : `          inet addr:${address}  Bcast:${address.replace(/\.\d+$/, '.255')}  Mask:255.255.255.0\n`;

/** ifconfig [-a] [INTERFACE]: as it is; nobody changes it here. */
export const ifconfig: Program = async process => {
  const [name, ...rest] = process.args.slice(1).filter(arg => arg !== '-a');
  const { addresses } = process.container.network;
  if (rest.length > 0) {
    await process.stderr.write('ifconfig: SIOCSIFADDR: Operation not permitted\n');
    return 1;
  }
  const counters = (queue: number): string =>
    `          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:${queue} \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n`;
  const text: Readonly<Record<string, string>> = {
    eth0: `eth0      Link encap:Ethernet  HWaddr ${macOf(addresses[0])}  \n${addresses.map(inet).join('')}          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n${counters(0)}`,
    lo: `lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n          inet6 addr: ::1/128 Scope:Host\n          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n${counters(1000)}`,
  };
  const chosen = name === undefined ? Object.values(text) : text[name] === undefined ? [] : [text[name]];
  if (chosen.length === 0) {
    await process.stderr.write(`ifconfig: ${name ?? ''}: error fetching interface information: Device not found\n`);
    return 1;
  }
  for (const part of chosen) await process.stdout.write(part);
  return 0;
};

/** route [-n]: of IPv4 only, as long as nobody asks for the other family. */
export const route: Program = async process => {
  if (process.args.slice(1).some(arg => /^(add|del|delete)$/.test(arg))) {
    await process.stderr.write('route: SIOCADDRT: Operation not permitted\n');
    return 1;
  }
  const row = (cells: readonly string[]): string =>
    `${(cells[0] ?? '').padEnd(15)} ${(cells[1] ?? '').padEnd(15)} ${(cells[2] ?? '').padEnd(15)} ${(cells[3] ?? '').padEnd(5)} 0      0        0 eth0\n`;
  const own = process.container.network.addresses.find(address => !address.includes(':'));
  const rows =
    own === undefined
      ? ''
      : row(['0.0.0.0', own.replace(/\.\d+$/, '.1'), '0.0.0.0', 'UG']) +
        row([own.replace(/\.\d+$/, '.0'), '0.0.0.0', '255.255.255.0', 'U']);
  await process.stdout.write(
    `Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n${rows}`,
  );
  return 0;
};

/** arp [-an]: no frames are simulated, so nobody's address is known. */
export const arp: Program = async () => 0;
