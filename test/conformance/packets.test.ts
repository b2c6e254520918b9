import t, { type Test } from 'tap';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import { createProxier, type ProxyConfig } from '../../src/dataplane/proxiers/index.js';
import { PROXY_MODES, type ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import type { Proxier } from '../../src/dataplane/proxiers/types.js';
import { FakeClock } from '../../src/machinery/clock.js';
import { type Family, joinHostPort } from '../../src/machinery/ip.js';
import { exampleConfig } from '../fixtures/iptables/inputs.js';
import { hostRoutes } from '../support/host-routes.js';
import { inFamily, NODE, type PacketRow, packetRows } from './packets.js';

/** A fixed sequence that looks random enough for the balancing rules (Numerical Recipes' generator). */
function sequence(): () => number {
  let seed = 1;
  return () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

function load(mode: ProxyMode, family: Family, row: PacketRow): { kernel: Kernel; proxy: Proxier } {
  const clock = new FakeClock();
  const config = { ...inFamily(exampleConfig({ config: {} }), family), ...row.config, clock, mode } as ProxyConfig;
  const proxy = createProxier(config);
  proxy.setNode(row.nodeLabels ?? {});
  row.services.forEach(service => proxy.onServiceUpdate(service));
  row.slices.forEach(slice => proxy.onSliceUpdate(slice));
  const kernel = createKernel({ clock, random: sequence(), routes: hostRoutes(inFamily(NODE, family)) });
  const { program } = proxy.sync();
  if (program === undefined) throw new Error('the first sync is always full');
  kernel.load(program);
  return { kernel, proxy };
}

function check(t: Test, mode: ProxyMode, family: Family, row: PacketRow): void {
  const { kernel, proxy } = load(mode, family, row);
  const relayed = new Map(proxy.relay?.ports().map(port => [`${port.protocol}/${port.port}`, port]));
  const node = inFamily(NODE, family);
  const { from, to, proto = 'tcp' } = row.packet;
  const hook = row.packet.hook ?? (from === node ? 'output' : 'prerouting');
  const reached = new Set<string>();
  const sources = new Set<string>();
  const verdicts = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const { verdict, packet } = kernel.connect({
      proto,
      src: from,
      srcPort: 40_000 + i,
      dst: to[0],
      dstPort: to[1],
      hook,
    });
    const relay = packet.dst === node ? relayed.get(`${proto}/${packet.dstPort}`) : undefined;
    if (verdict === 'accept' && relay !== undefined) {
      const endpoint = relay.next(packet.src);
      verdicts.add(endpoint === undefined ? 'close' : 'accept');
      if (endpoint !== undefined) reached.add(joinHostPort(endpoint.ip, endpoint.port));
      // It dials the endpoint itself.
      sources.add(node);
      continue;
    }
    verdicts.add(verdict);
    reached.add(joinHostPort(packet.dst, packet.dstPort));
    sources.add(packet.src);
  }
  t.same([...verdicts], [row.expect.verdict], row.name);
  if (row.expect.verdict !== 'accept') return;
  t.same([...reached].sort(), [...row.expect.reaches].sort(), `${row.name}: destinations`);
  t.same([...sources], [row.expect.masquerade ? node : from], `${row.name}: source`);
}

for (const mode of PROXY_MODES)
  for (const family of ['IPv4', 'IPv6'] as const)
    t.test(`packets in ${mode} mode, ${family}`, async t => {
      const rows = packetRows.filter(row => row.modes.includes(mode) && row.families.includes(family));
      t.ok(rows.length > 30, `${rows.length} rows`);
      for (const row of rows) check(t, mode, family, inFamily(row, family));
    });
