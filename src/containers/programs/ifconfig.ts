import type { Process, Program } from '../process.js';

const gateway = (process: Process): string => process.container.network.addresses[0].replace(/\.\d+$/, '.1');
const prefix = (process: Process): string => process.container.network.addresses[0].replace(/\.\d+$/, '.0');

/** ifconfig [-a] [INTERFACE]: as it is; nobody changes it here. */
export const ifconfig: Program = async process => {
  const [name, ...rest] = process.args.slice(1).filter(arg => arg !== '-a');
  const [address] = process.container.network.addresses;
  if (rest.length > 0) {
    await process.stderr.write('ifconfig: SIOCSIFADDR: Operation not permitted\n');
    return 1;
  }
  const mac = address
    .split('.')
    .map(part => Number(part).toString(16).padStart(2, '0').toUpperCase())
    .join(':');
  const text: Readonly<Record<string, string>> = {
    eth0: `eth0      Link encap:Ethernet  HWaddr 02:42:${mac}  \n          inet addr:${address}  Bcast:${address.replace(/\.\d+$/, '.255')}  Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:0 \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n`,
    lo: `lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:1000 \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n`,
  };
  const chosen = name === undefined ? Object.values(text) : text[name] === undefined ? [] : [text[name]];
  if (chosen.length === 0) {
    await process.stderr.write(`ifconfig: ${name ?? ''}: error fetching interface information: Device not found\n`);
    return 1;
  }
  for (const part of chosen) await process.stdout.write(part);
  return 0;
};

/** route [-n] */
export const route: Program = async process => {
  if (process.args.slice(1).some(arg => /^(add|del|delete)$/.test(arg))) {
    await process.stderr.write('route: SIOCADDRT: Operation not permitted\n');
    return 1;
  }
  const row = (cells: readonly string[]): string =>
    `${(cells[0] ?? '').padEnd(15)} ${(cells[1] ?? '').padEnd(15)} ${(cells[2] ?? '').padEnd(15)} ${(cells[3] ?? '').padEnd(5)} 0      0        0 eth0\n`;
  await process.stdout.write(
    'Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n' +
      row(['0.0.0.0', gateway(process), '0.0.0.0', 'UG']) +
      row([prefix(process), '0.0.0.0', '255.255.255.0', 'U']),
  );
  return 0;
};

/** arp [-an]: no frames are simulated, so nobody's address is known. */
export const arp: Program = async () => 0;
