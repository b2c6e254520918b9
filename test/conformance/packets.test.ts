import t from 'tap';
import { createNetfilter } from '../../src/dataplane/kernel/kernel.js';
import { createProxy } from '../../src/dataplane/proxiers/iptables/proxier.js';
import type { Netfilter, ProxyConfig, ProxyMode } from '../../src/dataplane/types.js';
import { FakeClock } from '../../src/machinery/clock.js';
import { exampleConfig } from '../fixtures/iptables/inputs.js';
import { NODE, type PacketRow, packetRows } from './packets.js';

/** A fixed sequence that looks random enough for the balancing rules (Numerical Recipes' generator). */
function sequence(): () => number {
  let seed = 1;
  return () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

function load(mode: ProxyMode, row: PacketRow): Netfilter {
  const clock = new FakeClock();
  const config = { ...exampleConfig({ config: {} }), ...row.config, clock, mode } as ProxyConfig;
  const proxy = createProxy(config);
  proxy.setNode(row.nodeLabels ?? {});
  row.services.forEach(service => proxy.onServiceUpdate(service));
  row.slices.forEach(slice => proxy.onSliceUpdate(slice));
  const netfilter = createNetfilter({ clock, random: sequence(), nodeIPs: () => [NODE] });
  const { ruleset } = proxy.sync();
  if (ruleset === undefined) throw new Error('the first sync is always full');
  netfilter.apply(ruleset);
  return netfilter;
}

const modes: readonly ProxyMode[] = ['iptables'];

for (const mode of modes) {
  t.test(`packets in ${mode} mode`, async t => {
    for (const row of packetRows) {
      if (row.modes !== undefined && !row.modes.includes(mode)) continue;
      const netfilter = load(mode, row);
      const { from, to, proto = 'tcp' } = row.packet;
      const hook = row.packet.hook ?? (from === NODE ? 'output' : 'prerouting');
      const reached = new Set<string>();
      const sources = new Set<string>();
      const verdicts = new Set<string>();
      for (let i = 0; i < 100; i++) {
        const { verdict, packet } = netfilter.connect({
          proto,
          src: from,
          srcPort: 40_000 + i,
          dst: to[0],
          dstPort: to[1],
          hook,
        });
        verdicts.add(verdict);
        reached.add(`${packet.dst}:${packet.dstPort}`);
        sources.add(packet.src);
      }
      t.same([...verdicts], [row.expect.verdict], row.name);
      if (row.expect.verdict !== 'accept') continue;
      t.same([...reached].sort(), [...row.expect.reaches].sort(), `${row.name}: destinations`);
      t.same([...sources], [row.expect.masquerade ? NODE : from], `${row.name}: source`);
    }
  });
}
