import t from 'tap';
import { createXtables } from '../../../src/dataplane/kernel/xtables/xtables.js';
import { createIpsets } from '../../../src/dataplane/kernel/ipset/ipsets.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { ChainRules } from '../../../src/dataplane/kernel/program.js';
import type { Rule } from '../../../src/dataplane/kernel/xtables/rule.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const NODE = '192.168.50.11';
const kernel = () => createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(NODE) });

const to = (port: number): Rule => ({
  kind: 'rule',
  chain: 'INPUT',
  matches: [
    { kind: 'protocol', protocol: 'tcp' },
    { kind: 'l4', protocol: 'tcp' },
    { kind: 'destinationPort', from: port, to: port },
  ],
  verdict: { kind: 'accept' },
});
const inInput = (rules: readonly Rule[]): ChainRules => ({ kind: 'addRules', chain: 'INPUT', rules });

t.test('a kernel that is edited leaves the lists of the program alone', async t => {
  const [first, second] = [inInput([to(1), to(2)]), inInput([to(3)])];
  const program = {
    kind: 'xtables',
    family: 'IPv4',
    full: true,
    jumps: [],
    ensureChains: [],
    tables: [{ table: 'filter', chains: ['INPUT'], commands: [first, second] }],
  } as const;
  const [one, other] = [kernel(), kernel()];
  one.load(program);
  restore(one, '*filter\n-I INPUT 2 -p tcp -m tcp --dport 9 -j DROP\n-D INPUT 1\n-A INPUT -j DROP\nCOMMIT\n', {
    noflush: true,
  });
  t.same(first.rules, [to(1), to(2)]);
  t.same(second.rules, [to(3)]);
  other.load(program);
  t.match(printSave(one), /INPUT .*dport 9 [^]*dport 2 [^]*dport 3 [^]*-A INPUT -j DROP/);
  t.notMatch(printSave(one), /dport 1 /);
  t.match(printSave(other), /dport 1 [^]*dport 2 [^]*dport 3 /);
});

t.test('counters stay with their rules', async t => {
  const edited = kernel();
  const rule = (port: number, verdict = 'ACCEPT'): string => `INPUT -p tcp -m tcp --dport ${port} -j ${verdict}`;
  restore(edited, `*filter\n[5:500] -A ${rule(1)}\n-A ${rule(2)}\nCOMMIT\n`);
  edited.connect({ proto: 'tcp', src: '10.0.0.1', srcPort: 4000, dst: NODE, dstPort: 2, hook: 'prerouting' });
  const counted = (): readonly string[] =>
    printSave(edited, { counters: true })
      .split('\n')
      .filter(line => line.includes('dport'))
      .map(line => `${line.slice(0, line.indexOf(']') + 1)} ${/dport (\d+)/.exec(line)?.[1] ?? ''}`);
  t.same(counted(), ['[5:500] 1', '[1:60] 2']);

  const change = (text: string): void => restore(edited, `*filter\n${text}\nCOMMIT\n`, { noflush: true });
  change(`[7:700] -I INPUT 2 -p tcp -m tcp --dport 3 -j DROP`);
  t.same(counted(), ['[5:500] 1', '[7:700] 3', '[1:60] 2'], 'one is inserted between them');
  change(`[3:0] -A ${rule(5)}\n[0:0] -A ${rule(6)}`);
  t.same(counted(), ['[5:500] 1', '[7:700] 3', '[1:60] 2', '[3:0] 5', '[0:0] 6'], 'empty packets count');
  change(`-D ${rule(5)}\n-D ${rule(6)}`);
  change(`-D ${rule(1)}`);
  t.same(counted(), ['[7:700] 3', '[1:60] 2'], 'the first goes');
  change(`-A ${rule(4)}`);
  t.same(counted(), ['[7:700] 3', '[1:60] 2', '[0:0] 4'], 'one is appended');
});

t.test('a trace says how likely a choice was', async t => {
  for (const [draw, expect] of [
    [0, 0.25],
    [0.9, 0.75],
  ] as const) {
    const chosen = createKernel({ clock: new FakeClock(), random: () => draw, routes: hostRoutes(NODE) });
    restore(
      chosen,
      '*filter\n-A INPUT -p tcp -m statistic --mode random --probability 0.25 -j ACCEPT\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n',
    );
    const { trace } = chosen.connect({
      proto: 'tcp',
      src: '10.0.0.1',
      srcPort: 4000,
      dst: NODE,
      dstPort: 2,
      hook: 'prerouting',
    });
    const step = trace.find(({ kind }) => kind === 'rule');
    t.equal(step?.kind === 'rule' ? step.probability : undefined, expect);
  }
});

t.test('a chain goes when the last rule that leads to it does, wherever that stood', async t => {
  const leads = Object.fromEntries(
    ['A', 'B', 'C', 'Z'].map(chain => [
      chain,
      { kind: 'rule', chain: 'INPUT', matches: [], verdict: { kind: 'jump', chain } } satisfies Rule,
    ]),
  );
  const load = (edited: ReturnType<typeof kernel>, chains: string): void =>
    edited.load({
      kind: 'xtables',
      family: 'IPv4',
      full: false,
      jumps: [],
      ensureChains: [],
      tables: [
        { table: 'filter', chains: ['INPUT'], commands: [inInput([...chains].flatMap(chain => leads[chain] ?? []))] },
      ],
    });
  for (const [before, after] of [
    ['ABZ', 'CAZ'],
    ['CAZ', 'ABZ'],
    ['ABZ', 'ABCZ'],
    ['AAB', 'AB'],
  ] as const) {
    const edited = kernel();
    restore(edited, '*filter\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n:Z - [0:0]\nCOMMIT\n');
    load(edited, before);
    load(edited, after);
    for (const chain of 'ABCZ') {
      const remove = (): void => restore(edited, `*filter\n-X ${chain}\nCOMMIT\n`, { noflush: true });
      if (after.includes(chain)) t.throws(remove, /busy/, `${before}, ${after}: ${chain} is in use`);
      else t.doesNotThrow(remove, `${before}, ${after}: ${chain} is not`);
    }
  }
});

t.test('iptables’ tables hang where Linux has them', async t => {
  const routes = hostRoutes(NODE);
  const { hooks, natRules } = createXtables({
    clock: new FakeClock(),
    random: () => 0,
    routes,
    translate: () => '',
    sets: createIpsets('IPv4', () => 0),
  });
  const places = (functions: typeof hooks) => functions.map(({ hook, priority }) => `${hook} ${priority}`);
  t.same(places(hooks), [
    ...['prerouting -300', 'output -300'],
    ...['prerouting -150', 'input -150', 'forward -150', 'output -150', 'postrouting -150'],
    ...['input 0', 'forward 0', 'output 0'],
  ]);
  t.same(places(natRules), ['prerouting -100', 'input 100', 'output -100', 'postrouting 100']);
});
