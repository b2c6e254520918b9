import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import { printNftList } from '../../../src/dataplane/tools/nft/print-list.js';
import { printNftScript } from '../../../src/dataplane/tools/nft/print-script.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { exampleConfig } from '../../fixtures/iptables/inputs.js';
import { inFamily } from '../../conformance/packets.js';
import { hostRoutes } from '../../support/host-routes.js';

/** As nft 1.0.6 names priorities: at the output hook it has a name for that of the filter only. */
const BASE_CHAINS = [
  'type filter hook forward priority filter; policy accept;',
  'type filter hook input priority filter; policy accept;',
  'type filter hook output priority -110; policy accept;',
  'type filter hook output priority filter; policy accept;',
  'type filter hook prerouting priority dstnat - 10; policy accept;',
  'type nat hook output priority -100; policy accept;',
  'type nat hook postrouting priority srcnat; policy accept;',
  'type nat hook prerouting priority dstnat; policy accept;',
];

for (const [family, table] of [
  ['IPv4', 'ip kube-proxy'],
  ['IPv6', 'ip6 kube-proxy'],
] as const)
  t.test(`texts of nft, ${family}`, async t => {
    const clock = new FakeClock();
    const config = inFamily(exampleConfig({ config: {} }), family);
    const { program } = createProxier({ ...config, family, mode: 'nftables', clock }).sync();
    if (program?.kind !== 'nftables') throw new Error('the program is none of nftables');
    const lines = printNftScript(program).trim().split('\n');
    t.match(lines[1], `delete table ${table}`);
    t.same(
      lines.filter(line => !line.includes(` ${table} `) && line !== `delete table ${table}`),
      [],
      'every line is about the table of the family',
    );
    const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(...config.nodeAddresses) });
    kernel.load(program);
    const listed = printNftList(kernel).split('\n');
    t.equal(listed[0], `table ${table} {`);
    t.same(
      listed
        .map(line => line.trim())
        .filter(line => line.startsWith('type ') && line.includes(' hook '))
        .sort(),
      BASE_CHAINS,
    );
  });
