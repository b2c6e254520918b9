import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const TABLES: Readonly<Record<string, string>> = { nat: 'OUTPUT', raw: 'PREROUTING', mangle: 'INPUT', filter: 'INPUT' };

function listed(table: string, commands: readonly string[]): readonly string[] {
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('192.168.50.11') });
  kernel.load({
    kind: 'ipvs',
    family: 'IPv4',
    full: false,
    virtualServers: [],
    goneServers: [],
    ipsets: ['S', 'T'].map(name => ({ name, type: 'hash:ip', add: [], remove: [] })),
    addresses: { link: 'kube-ipvs0', add: [], remove: [] },
    sysctls: {},
    xtables: undefined,
  });
  restore(kernel, [`*${table}`, ':A - [0:0]', ':B - [0:0]', ...commands, 'COMMIT', ''].join('\n'));
  return printSave(kernel)
    .split('\n')
    .filter(line => line.startsWith('-A'));
}

/** Rules that differ in one thing: who deletes one by its text keeps all others. */
const DIFFERENT: readonly { readonly table: string; readonly rules: readonly string[] }[] = [
  { table: 'filter', rules: ['-j ACCEPT', '-j DROP', '-j REJECT', '-j A', '-j B', '-g A', ''] },
  { table: 'filter', rules: ['-j REJECT', '-p tcp -j REJECT --reject-with tcp-reset'] },
  { table: 'filter', rules: ['-p tcp -j A', '! -p tcp -j A', '-p udp -j A'] },
  {
    table: 'filter',
    rules: ['-s 10.0.0.1/32 -j A', '-s 10.0.0.2/32 -j A', '! -s 10.0.0.1/32 -j A', '-d 10.0.0.1/32 -j A'],
  },
  { table: 'filter', rules: ['-i eth0 -j A', '-o eth0 -j A', '-i eth1 -j A', '-i eth+ -j A'] },
  {
    table: 'filter',
    rules: [
      '-p tcp -m tcp --dport 1 -j A',
      '-p tcp -m tcp --dport 1:2 -j A',
      '-p tcp -m tcp --sport 1 -j A',
      '-p tcp -m tcp --dport 0:1 -j A',
    ],
  },
  {
    table: 'filter',
    rules: [
      '-m conntrack --ctstate NEW -j A',
      '-m conntrack --ctstate RELATED,ESTABLISHED -j A',
      '-m state --state NEW -j A',
    ],
  },
  { table: 'filter', rules: ['-m mark --mark 0x1 -j A', '-m mark --mark 0x1/0x1 -j A', '-m mark --mark 0x2 -j A'] },
  {
    table: 'filter',
    rules: [
      '-m addrtype --dst-type LOCAL -j A',
      '-m addrtype --src-type LOCAL -j A',
      '-m addrtype ! --dst-type LOCAL -j A',
      '-m addrtype --dst-type UNICAST -j A',
    ],
  },
  {
    table: 'filter',
    rules: ['-m statistic --mode random --probability 0.5 -j A', '-m statistic --mode random --probability 0.25 -j A'],
  },
  {
    table: 'filter',
    rules: [
      '-m recent --name x --set -j A',
      '-m recent --name y --set -j A',
      '-m recent --name x --rcheck --seconds 1 -j A',
      '-m recent --name x --rcheck --seconds 2 -j A',
      '-m recent --name x --rcheck --seconds 2 --reap -j A',
    ],
  },
  {
    table: 'filter',
    rules: ['-m set --match-set S src -j A', '-m set --match-set S dst -j A', '-m set --match-set T src -j A'],
  },
  {
    table: 'filter',
    rules: [
      '-m ipvs --vaddr 10.0.0.1 --vproto tcp --vport 80 -j A',
      '-m ipvs --vaddr 10.0.0.2 --vproto tcp --vport 80 -j A',
      '-m ipvs --vaddr 10.0.0.1 --vproto udp --vport 80 -j A',
      '-m ipvs --vaddr 10.0.0.1 --vproto tcp --vport 81 -j A',
    ],
  },
  { table: 'filter', rules: ['-m comment --comment a -j A', '-m comment --comment b -j A', '-j A'] },
  {
    table: 'mangle',
    rules: [
      '-j MARK --or-mark 0x1',
      '-j MARK --xor-mark 0x1',
      '-j MARK --set-xmark 0x2/0x2',
      '-j MARK --set-xmark 0x2/0x3',
    ],
  },
  {
    table: 'nat',
    rules: [
      '-p tcp -j DNAT --to-destination 10.0.0.1:80',
      '-p tcp -j DNAT --to-destination 10.0.0.2:80',
      '-p tcp -j DNAT --to-destination 10.0.0.1:81',
      '-p tcp -j DNAT --to-destination 10.0.0.1',
      '-p tcp -j REDIRECT --to-ports 80',
      '-p tcp -j REDIRECT --to-ports 81',
    ],
  },
];

t.test('a rule is deleted by its text, and nothing that is like it', async t => {
  for (const { table, rules } of DIFFERENT) {
    const chain = TABLES[table] ?? '';
    const appended = rules.map(rule => `-A ${chain} ${rule}`);
    const all = listed(table, appended);
    t.equal(all.length, rules.length, rules.join(' | '));
    for (const [i, rule] of rules.entries())
      t.same(listed(table, [...appended, `-D ${chain} ${rule}`]), all.toSpliced(i, 1), rule);
  }
});

/** The same to the kernel, however it is written. */
const SAME: readonly { readonly table: string; readonly rules: readonly string[] }[] = [
  { table: 'filter', rules: ['-s 0.0.0.0/0 -j A', '-j A'] },
  { table: 'filter', rules: ['-s 10.0.0.1 -j A', '-s 10.0.0.1/32 -j A'] },
  { table: 'filter', rules: ['-j REJECT', '-j REJECT --reject-with icmp-port-unreachable'] },
  {
    table: 'filter',
    rules: ['-m conntrack --ctstate ESTABLISHED,RELATED -j A', '-m conntrack --ctstate RELATED,ESTABLISHED -j A'],
  },
  { table: 'mangle', rules: ['-j MARK --or-mark 0x4000', '-j MARK --set-xmark 0x4000/0x4000'] },
];

t.test('a rule is deleted by another text of the same', async t => {
  for (const { table, rules } of SAME) {
    const chain = TABLES[table] ?? '';
    const [one = '', other = ''] = rules;
    t.same(listed(table, [`-A ${chain} ${one}`, `-D ${chain} ${other}`]), [], rules.join(' | '));
    t.same(listed(table, [`-A ${chain} ${other}`, `-D ${chain} ${one}`]), [], rules.join(' | '));
  }
});
