import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Family } from '../../../src/machinery/ip.js';
import { addressIn, ENDPOINT_PORTS, ENDPOINTS, nodeLinks, type Place, PLACE_NAMES, PLACES } from './addresses.js';
import type { Answer, ConnectCommand, ListenCommand } from './agent.js';

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const AGENT = fileURLToPath(new URL('agent.js', import.meta.url));

/** One network namespace, which lives as long as the program in it. */
interface Namespace {
  readonly pid: number;
  listen(command: ListenCommand): Promise<void>;
  connect(command: Omit<ConnectCommand, 'id'>): Promise<Answer>;
  stop(): void;
}

/** A node of this machine's kernel, with Pods, other nodes and the world around it. Both families at once. */
export interface Machines {
  at(place: Place | 'node'): Pick<Namespace, 'connect'>;
  /** Runs a program in the node's network. @throws Error with what it says */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  stop(): void;
}

async function startNamespace(): Promise<Namespace> {
  const child: ChildProcess = spawn('unshare', ['-n', process.execPath, AGENT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout, pid } = child;
  if (stdin === null || stdout === null || pid === undefined) throw new Error('unshare was not started');
  const waiting = new Map<number, (answer: Answer) => void>();
  let onNotice: (() => void) | undefined;
  const started = new Promise<void>((resolve, reject) => {
    onNotice = resolve;
    child.once('exit', code => reject(new Error(`the program of a network namespace ended with ${code}`)));
  });
  createInterface({ input: stdout }).on('line', line => {
    const said = JSON.parse(line) as Answer | { readonly id?: undefined };
    if (said.id === undefined) return onNotice?.();
    waiting.get(said.id)?.(said);
    waiting.delete(said.id);
  });
  await started;
  let lastId = 0;
  return {
    pid,
    listen: command =>
      new Promise(resolve => {
        onNotice = resolve;
        stdin.write(`${JSON.stringify(command)}\n`);
      }),
    connect: command =>
      new Promise(resolve => {
        const id = ++lastId;
        waiting.set(id, resolve);
        stdin.write(`${JSON.stringify({ id, ...command })}\n`);
      }),
    stop: () => void stdin.end(),
  };
}

function runIn(pid: number, program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const command = ['-t', String(pid), '-n', program, ...args];
    const child = execFile('nsenter', command, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr}`));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** What every kernel here must leave undone: it would answer late, seldom, or learn ways around the node. */
const QUIET: readonly (readonly [path: string, value: string])[] = [
  ...['all', 'default'].flatMap(
    device =>
      [
        [`ipv4/conf/${device}/rp_filter`, '0'],
        [`ipv4/conf/${device}/send_redirects`, '0'],
        [`ipv4/conf/${device}/accept_redirects`, '0'],
        [`ipv6/conf/${device}/accept_redirects`, '0'],
        [`ipv6/conf/${device}/accept_ra`, '0'],
        [`ipv6/conf/${device}/accept_dad`, '0'],
        [`ipv6/conf/${device}/dad_transmits`, '0'],
      ] as const,
  ),
  ['ipv4/icmp_ratelimit', '0'],
  ['ipv4/icmp_msgs_per_sec', '1000000'],
  ['ipv4/icmp_msgs_burst', '1000000'],
  ['ipv6/icmp/ratelimit', '0'],
  // Only the ends of the packets that our sockets make are to be seen.
  ['ipv4/ip_local_port_range', '61000 65001'],
];
const FORWARDING: readonly (readonly [path: string, value: string])[] = [
  ['ipv4/ip_forward', '1'],
  ['ipv6/conf/all/forwarding', '1'],
  // Ports are used again after some minutes: nothing may be known of them.
  ['netfilter/nf_conntrack_tcp_timeout_syn_sent', '10'],
  ['netfilter/nf_conntrack_tcp_timeout_close', '5'],
  ['netfilter/nf_conntrack_udp_timeout', '10'],
  // Node ports answer on loopback (kube-proxy sets it).
  ['ipv4/conf/all/route_localnet', '1'],
];

const set = (settings: typeof QUIET): string[] =>
  settings.map(([path, value]) => `echo '${value}' > /proc/sys/net/${path}`);

const dash = (family: Family): string => (family === 'IPv4' ? '-4' : '-6');
const hostRange = (address: string, family: Family): string =>
  `${addressIn(address, family)}/${family === 'IPv4' ? 32 : 128}`;
const assign = (address: string, link: string, family: Family): string =>
  `ip ${dash(family)} addr add ${hostRange(address, family)} dev ${link}${family === 'IPv6' ? ' nodad' : ''}`;
const inBoth = (command: (family: Family) => string): string[] => FAMILIES.map(command);

async function setUp(node: Namespace, places: ReadonlyMap<Place, Namespace>): Promise<void> {
  const inside = (pid: number, commands: readonly string[]): Promise<string> =>
    runIn(pid, 'bash', ['-e'], commands.join('\n'));
  await inside(node.pid, [
    ...set(QUIET),
    ...set(FORWARDING),
    'ip link set lo up',
    ...[...places].flatMap(([name, { pid }]) => [
      `ip link add ${PLACES[name].link} type veth peer name eth0 netns ${pid}`,
      `ip link set ${PLACES[name].link} up`,
    ]),
    ...nodeLinks().flatMap(([link, address]) => inBoth(family => assign(address, link, family))),
    ...PLACE_NAMES.flatMap(name =>
      PLACES[name].addresses.flatMap(address =>
        inBoth(family => `ip ${dash(family)} route add ${hostRange(address, family)} dev ${PLACES[name].link}`),
      ),
    ),
    ...inBoth(family => {
      const [router = ''] = PLACES.outside.addresses;
      return `ip ${dash(family)} route add default via ${addressIn(router, family)} dev ${PLACES.outside.link}`;
    }),
  ]);
  for (const [name, { pid }] of places) {
    const { addresses, gateway } = PLACES[name];
    await inside(pid, [
      ...set(QUIET),
      'ip link set lo up',
      'ip link set eth0 up',
      ...addresses.flatMap(address => inBoth(family => assign(address, 'eth0', family))),
      ...inBoth(family => `ip ${dash(family)} route add ${hostRange(gateway, family)} dev eth0`),
      ...inBoth(family => `ip ${dash(family)} route add default via ${addressIn(gateway, family)} dev eth0`),
    ]);
  }
}

const serversAt = (addresses: readonly string[]): ListenCommand => ({
  listen: addresses.flatMap(address =>
    FAMILIES.flatMap(family => ENDPOINT_PORTS.map(port => ({ address: addressIn(address, family), port }))),
  ),
});

export async function startMachines(): Promise<Machines> {
  const node = await startNamespace();
  const places = new Map<Place, Namespace>();
  for (const name of PLACE_NAMES) places.set(name, await startNamespace());
  await setUp(node, places);
  const endpoints: readonly string[] = [...ENDPOINTS.local, ...ENDPOINTS.remote];
  const servers = (addresses: readonly string[]): string[] => addresses.filter(one => endpoints.includes(one));
  const here = nodeLinks().map(([, address]) => address);
  await node.listen(serversAt(servers([...new Set(here)])));
  for (const [name, place] of places) await place.listen(serversAt(servers(PLACES[name].addresses)));
  return {
    at: place => (place === 'node' ? node : (places.get(place) ?? node)),
    run: (program, args, input) => runIn(node.pid, program, args, input),
    stop() {
      for (const one of [node, ...places.values()]) one.stop();
    },
  };
}
