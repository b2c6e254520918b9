import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { printRestore } from '../../src/dataplane/tools/iptables/print-restore.js';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { xtablesProgram } from '../support/xtables-program.js';
import { hostRoutes } from '../support/host-routes.js';
import { createRouteTable, defaultRoute, type RouteTable } from '../../src/dataplane/kernel/routes.js';
import { printSave } from '../../src/dataplane/tools/iptables/print-save.js';
import { compile, type ProxyConfig } from '../../src/dataplane/proxiers/index.js';
import { PROXY_MODES, type ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import type { XtablesProgram } from '../../src/dataplane/kernel/program.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import { FakeClock } from '../../src/machinery/clock.js';
import { EXAMPLE_NODE_LABELS, exampleConfig, examples } from '../fixtures/iptables/inputs.js';
import { LOCAL_POD, NODE, type PacketRow, packetRows } from './packets.js';

/** Why the kernel of this machine cannot be asked; undefined when it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  const probe = spawnSync('unshare', [
    '-n',
    'sh',
    '-c',
    'command -v iptables-nft-restore ip nsenter && iptables-nft -t nat -L -n',
  ]);
  return probe.status === 0
    ? undefined
    : `needs unshare, nsenter, ip and iptables-nft (${String(probe.stderr ?? probe.error)})`;
}

const why = obstacle();
const options = why === undefined ? {} : { skip: `THE KERNEL WAS NOT ASKED: ${why}` };

const withoutHeads = (text: string): string =>
  text
    .split('\n')
    .filter(line => !line.startsWith('#'))
    .join('\n');

function scratch(t: { teardown(after: () => void): unknown }): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-kernel-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const inNamespace = (script: string): string =>
  execFileSync('unshare', ['-n', 'bash', '-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Those whose program is all for the tables of iptables. */
const MODES = PROXY_MODES.filter(mode => {
  const config = { ...exampleConfig({ config: {} }), mode, clock: new FakeClock() };
  return compile(config, { services: [], slices: [] }).kind === 'xtables';
});
const casesOf = <T>(rows: readonly T[]): { mode: ProxyMode; row: T }[] =>
  MODES.flatMap(mode => rows.map(row => ({ mode, row })));

// Run by itself it would have tap's 30 seconds, which a busy machine exceeds.
t.setTimeout(280_000);
t.test('the kernel reads and lists our rules as we do', options, async t => {
  const folder = scratch(t);
  for (const { mode, row: example } of casesOf(examples)) {
    const { family, nodeAddresses } = exampleConfig(example);
    const program = xtablesProgram(
      compile(
        { ...exampleConfig(example), mode, clock: new FakeClock() },
        { services: example.services, slices: example.slices, nodeLabels: EXAMPLE_NODE_LABELS },
      ),
    );
    const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(...nodeAddresses) });
    kernel.load(program);
    const whole = printSave(kernel);
    writeFileSync(join(folder, 'whole'), whole);
    writeFileSync(join(folder, 'sync'), printRestore(program));
    const tool = family === 'IPv4' ? 'iptables-nft' : 'ip6tables-nft';
    const listed = inNamespace(
      `${tool}-restore < ${folder}/whole && ${tool}-restore --noflush --counters < ${folder}/sync && ${tool}-save`,
    );
    t.equal(withoutHeads(listed), withoutHeads(whole), `${mode}, ${example.name}`);
  }
});

/** Pods of this node behind "cni0", everything else behind "eth0". */
function topology(): RouteTable {
  const routes = createRouteTable('IPv4');
  routes.addAddress('eth0', NODE);
  routes.addAddress('cni0', '10.66.1.1');
  routes.add({ destination: '10.66.1.0/24', link: 'cni0' });
  routes.add({ destination: defaultRoute('IPv4'), link: 'eth0' });
  return routes;
}

const SETUP = `
  unshare -n sleep 600 & pod=$!
  unshare -n sleep 600 & outside=$!
  trap 'kill $pod $outside' EXIT
  until [ "$(readlink /proc/$pod/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
  until [ "$(readlink /proc/$outside/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link add cni0 type veth peer name eth0 netns $pod
  ip link add eth0 type veth peer name eth0 netns $outside
  ip link set lo up; ip link set cni0 up; ip link set eth0 up
  ip addr add 10.66.1.1/24 dev cni0; ip addr add ${NODE}/24 dev eth0
  ip route add default via 192.168.50.1 dev eth0 onlink
  for setting in ip_forward conf/all/route_localnet; do echo 1 > /proc/sys/net/ipv4/$setting; done
  for device in all eth0 cni0; do echo 0 > /proc/sys/net/ipv4/conf/$device/rp_filter; done
  nsenter -t $pod -n bash -c 'ip link set lo up; ip link set eth0 up; ip addr add ${LOCAL_POD}/24 dev eth0; ip addr add 10.66.1.10/24 dev eth0'
  nsenter -t $outside -n bash -c 'ip link set lo up; ip link set eth0 up; ip addr add 192.168.50.1/24 dev eth0; ip addr add 198.51.100.7/32 dev lo; ip addr add 192.0.2.1/32 dev lo'
`;

function rulesetOf(mode: ProxyMode, row: PacketRow): XtablesProgram {
  const config = { ...exampleConfig({ config: {} }), ...row.config, mode, clock: new FakeClock() } as ProxyConfig;
  return xtablesProgram(compile(config, row.nodeLabels === undefined ? row : { ...row, nodeLabels: row.nodeLabels }));
}

function loaded(program: XtablesProgram, random: number): Kernel {
  const kernel = createKernel({ clock: new FakeClock(), random: () => random, routes: topology() });
  kernel.load(program);
  return kernel;
}

/** Sends one packet from the row's place; TCP gives up before it would send another after a second. Bash starts in that time, too. */
function send({ packet }: PacketRow, seconds: number): string {
  const { from, to, proto = 'tcp' } = packet;
  const shoot = `timeout ${seconds} bash -c "echo > /dev/${proto}/${to[0]}/${to[1]}"`;
  if (from === NODE || packet.hook === 'output') return shoot;
  const [where, gateway] = from.startsWith('10.66.1.') ? ['$pod', '10.66.1.1'] : ['$outside', NODE];
  return `nsenter -t ${where} -n sh -c 'ip route replace default via ${gateway} dev eth0 src ${from}; ${shoot}'`;
}

/** The service rules that saw the packet, with its count and size. The rule for answers sees the RST of a closed port. */
function hits(saved: string): string[] {
  const isAnswer = (line: string): boolean => line.includes('--ctstate RELATED,ESTABLISHED -j ACCEPT');
  return saved.split('\n').filter(line => /^\[[1-9]\d*:\d+\] -A KUBE-/.test(line) && !isAnswer(line));
}

t.test('the kernel does with packets what we do', options, async t => {
  const folder = scratch(t);
  // Here the client itself has no route to a loopback address of another machine.
  const rows = packetRows.filter(
    // And bash has no /dev/sctp.
    ({ packet }) => (packet.to[0] !== '127.0.0.1' || packet.hook === 'output') && packet.proto !== 'sctp',
  );
  const cases = casesOf(rows);
  const rulesets = cases.map(({ mode, row }) => rulesetOf(mode, row));
  const steps = cases.map(({ row }, i) => {
    const program = rulesets[i];
    if (program !== undefined) writeFileSync(join(folder, `${i}.in`), printSave(loaded(program, 0)));
    const tried = (seconds: number): string =>
      `iptables-nft-restore < ${folder}/${i}.in; ${send(row, seconds)} 2> /dev/null; iptables-nft-save -c > ${folder}/${i}.out`;
    // Where no rule has seen any, bash may have been too late on a busy machine.
    return `${tried(0.5)}; grep -q '^\\[[1-9][0-9]*:[0-9]*\\] -A KUBE-' ${folder}/${i}.out || { ${tried(0.95)}; }`;
  });
  inNamespace(`${SETUP}\n${steps.join('\n')}\ntrue`);
  cases.forEach(({ mode, row }, i) => {
    const program = rulesets[i];
    if (program === undefined) return;
    const seen = hits(readFileSync(join(folder, `${i}.out`), 'utf8'));
    // Both ends of the dice: rows have at most two endpoints.
    const ours = [0, 0.99].map(random => {
      const kernel = loaded(program, random);
      const { from, to, proto = 'tcp' } = row.packet;
      const hook = row.packet.hook ?? (from === NODE ? 'output' : 'prerouting');
      const inInterface = from.startsWith('10.66.1.') ? 'cni0' : 'eth0';
      kernel.connect({
        proto,
        src: from,
        srcPort: 40_000,
        dst: to[0],
        dstPort: to[1],
        hook,
        // A SYN with the usual options; a datagram with one newline.
        size: proto === 'tcp' ? 60 : 29,
        ...(hook === 'output' ? {} : { inInterface }),
      });
      return hits(printSave(kernel, { counters: true }));
    });
    const same = ours.find(one => JSON.stringify(one) === JSON.stringify(seen));
    t.same(seen, same ?? ours[0], `${mode}, ${row.name}`);
  });
});
