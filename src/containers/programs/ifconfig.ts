import { addressAt, parseCidr } from '../../machinery/cidr.js';
import { familyOf, formatIP } from '../../machinery/ip.js';
import type { Link, LinkAddress, Neighbour, NetworkStack, StackRoute } from '../network/stack.js';
import type { Process, Program } from '../process.js';
import { mayAdminister, NotSimulated, refusing, withStack } from './network/stack-of.js';

/** The netmask of a prefix length: "255.255.255.0". */
const maskOf = (prefix: number): string =>
  formatIP({ family: 'IPv4', value: ((1n << BigInt(prefix)) - 1n) << BigInt(32 - prefix) });

function inet({ address, prefix, scope }: LinkAddress): string {
  if (familyOf(address) === 'IPv6') {
    const name = { global: 'Global', host: 'Host', link: 'Link' }[scope];
    return `          inet6 addr: ${address}/${prefix} Scope:${name}\n`;
  }
  const range = parseCidr(`${address}/${prefix}`);
  const broadcast = range === undefined || scope !== 'global' ? undefined : addressAt(range, range.last - range.first);
  const bcast = broadcast === undefined ? '' : `  Bcast:${broadcast}`;
  return `          inet addr:${address}${bcast}  Mask:${maskOf(prefix)}\n`;
}

function linkText({ name, kind, mac, mtu, addresses }: Link): string {
  const encap =
    kind === 'loopback' ? 'Link encap:Local Loopback  ' : `Link encap:Ethernet  HWaddr ${mac.toUpperCase()}  `;
  const flags =
    kind === 'loopback'
      ? 'UP LOOPBACK RUNNING'
      : kind === 'dummy'
        ? 'BROADCAST NOARP'
        : 'UP BROADCAST RUNNING MULTICAST';
  return `${name.padEnd(9)} ${encap}\n${addresses.map(inet).join('')}          ${flags}  MTU:${mtu}  Metric:1\n          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:1000 \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n`;
}

/** ifconfig [-a] [INTERFACE]: as it is; nobody changes it here, and what passes is not counted. */
export const ifconfig: Program = withStack(async (process, stack) => {
  const [name, ...rest] = process.args.slice(1).filter(arg => arg !== '-a');
  if (rest.length > 0) {
    await process.stderr.write('ifconfig: SIOCSIFADDR: Operation not permitted\n');
    return 1;
  }
  const up = (link: Link): boolean => link.kind !== 'dummy' || process.args.includes('-a');
  const links = stack.links().filter(link => (name === undefined ? up(link) : link.name === name));
  if (links.length === 0) {
    await process.stderr.write(`ifconfig: ${name ?? ''}: error fetching interface information: Device not found\n`);
    return 1;
  }
  const ordered = [...links].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  await process.stdout.write(ordered.map(linkText).join(''));
  return 0;
});

/** The table of IPv4 as route(8) prints it, or as netstat -r does. */
export function routeTable(stack: NetworkStack, numeric: boolean, form: 'route' | 'netstat'): string {
  const row = ({ destination, via, link }: StackRoute): string => {
    const range = parseCidr(destination);
    const to = range?.network ?? (numeric ? '0.0.0.0' : 'default');
    const gateway = via ?? (numeric ? '0.0.0.0' : '*');
    const flags = `U${via === undefined ? '' : 'G'}${range?.prefix === 32 ? 'H' : ''}`;
    const mask = maskOf(range?.prefix ?? 0);
    const rest =
      form === 'route' ? `${flags.padEnd(5)} 0      0        0 ${link}` : `${flags.padEnd(8)}  0 0          0 ${link}`;
    return `${to.padEnd(15)} ${gateway.padEnd(15)} ${mask.padEnd(15)} ${rest}\n`;
  };
  const titles = form === 'route' ? 'Flags Metric Ref    Use Iface' : 'Flags   MSS Window  irtt Iface';
  return `Kernel IP routing table\nDestination     Gateway         Genmask         ${titles}\n${stack.routes('IPv4').map(row).join('')}`;
}

/** route [-n]: of IPv4. */
export const route: Program = refusing(
  withStack(async (process, stack) => {
    const args = process.args.slice(1);
    if (args.some(arg => /^(add|del|delete)$/.test(arg))) {
      if (mayAdminister(process)) throw new NotSimulated('a network that is changed by hand');
      await process.stderr.write('route: SIOCADDRT: Operation not permitted\n');
      return 1;
    }
    if (args.some(arg => arg === '-A' || arg === '-6'))
      throw new NotSimulated('route of another family: "ip -6 route"');
    await process.stdout.write(
      routeTable(
        stack,
        args.some(arg => /^-\w*n/.test(arg)),
        'route',
      ),
    );
    return 0;
  }),
);

const wanted = (process: Process, stack: NetworkStack): readonly Neighbour[] => {
  const only = process.args.slice(1).find(arg => !arg.startsWith('-'));
  return stack
    .neighbours()
    .filter(({ address }) => familyOf(address) === 'IPv4' && (only === undefined || address === only));
};

/** arp [-an], as BusyBox prints it: those that were spoken with. */
export const arp: Program = withStack(async (process, stack) => {
  const lines = wanted(process, stack).map(
    ({ address, mac, link }) => `? (${address}) at ${mac} [ether]  on ${link}\n`,
  );
  await process.stdout.write(lines.join(''));
  return 0;
});

/** The same as net-tools prints it: a table, and with -a as BSD has it. */
export const netToolsArp: Program = withStack(async (process, stack) => {
  const bsd = process.args.slice(1).some(arg => /^-\w*a/.test(arg));
  const lines = wanted(process, stack).map(({ address, mac, link }) =>
    bsd
      ? `? (${address}) at ${mac} [ether] on ${link}\n`
      : `${address.padEnd(24)} ether   ${mac.padEnd(19)} C                     ${link}\n`,
  );
  const head = 'Address                  HWtype  HWaddress           Flags Mask            Iface\n';
  await process.stdout.write(bsd || lines.length === 0 ? lines.join('') : head + lines.join(''));
  return 0;
});
