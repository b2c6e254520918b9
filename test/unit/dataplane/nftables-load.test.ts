import t from 'tap';
import { DYNAMIC_SET_SIZE } from '../../../src/dataplane/kernel/nftables/table.js';
import type { NftExpression } from '../../../src/dataplane/kernel/nftables/rule.js';
import { learn } from '../../../src/dataplane/kernel/nftables/match.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { NftCommand, NftablesProgram } from '../../../src/dataplane/kernel/program.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const SET = { name: 'clients', kind: 'set', key: ['ipv4_addr'], timeoutSeconds: 60 } as const;
const program = (full: boolean, commands: readonly NftCommand[]): NftablesProgram => ({
  kind: 'nftables',
  family: 'IPv4',
  full,
  table: 'kube-proxy',
  comment: '',
  commands,
});
const addSet: NftCommand = { kind: 'addSet', set: SET };
const addChain: NftCommand = { kind: 'addChain', chain: { name: 'own' } };

t.test('what packets have taught a set', async t => {
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('192.168.50.11') });
  const learned = (): readonly string[] => [...(kernel.nftables.tables()[0]?.sets.get(SET.name)?.learned.keys() ?? [])];
  const element = { key: ['10.0.0.1'], expiresSeconds: 30 };
  kernel.load(program(true, [addSet, { kind: 'addElement', set: SET.name, element }]));
  t.same(learned(), ['10.0.0.1']);
  kernel.load(program(true, [addSet, addChain]));
  t.same(learned(), ['10.0.0.1'], 'outlives that the table is written anew');
  kernel.load(program(false, [{ kind: 'deleteSet', set: SET.name }]));
  kernel.load(program(false, [addSet]));
  t.same(learned(), [], 'goes with its set');
});

t.test('a transaction that cannot be done changes nothing', async t => {
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('192.168.50.11') });
  const map = { name: 'map', kind: 'map', key: ['inet_service'] } as const;
  const element = (port: string, chain: string): NftCommand => ({
    kind: 'addElement',
    set: 'map',
    element: { key: [port], verdict: { kind: 'goto', chain } },
  });
  const rule = { kind: 'nftRule', chain: 'own', expressions: [{ kind: 'masquerade' }] } as const;
  kernel.load(
    program(true, [
      addSet,
      addChain,
      { kind: 'addSet', set: map },
      element('80', 'own'),
      { kind: 'addRules', chain: 'own', rules: [rule] },
    ]),
  );
  const state = (): string => {
    const [table] = kernel.nftables.tables();
    return JSON.stringify([
      [...(table?.chains ?? [])].map(([name, { rules }]) => [name, rules]).sort(),
      [...(table?.sets ?? [])].map(([name, { set, elements }]) => [name, set, [...elements]]).sort(),
    ]);
  };
  const before = state();
  const commands: readonly NftCommand[] = [
    { kind: 'addChain', chain: { name: 'other' } },
    { kind: 'addSet', set: { ...SET, timeoutSeconds: 90 } },
    { kind: 'addSet', set: { ...SET, name: 'more' } },
    { kind: 'deleteElement', set: 'map', key: ['80'] },
    element('80', 'other'),
    { kind: 'flushChain', chain: 'own' },
    { kind: 'addRules', chain: 'own', rules: [rule, rule] },
    { kind: 'deleteSet', set: 'clients' },
  ];
  t.throws(() => kernel.load(program(false, [...commands, element('81', 'nowhere')])), /no chain nowhere/);
  t.equal(state(), before);
  t.throws(() => kernel.load(program(false, [...commands, { kind: 'deleteChain', chain: 'nowhere' }])), /no chain/);
  t.equal(state(), before);
  kernel.load(program(false, commands));
  t.not(state(), before, 'by itself it can be done');
});

t.test('what a rule names must be there', async t => {
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('192.168.50.11') });
  kernel.load(program(true, [addSet, addChain]));
  const goto = { kind: 'goto', chain: 'nowhere' } as const;
  const rows: readonly { name: string; expression: NftExpression; expect: RegExp }[] = [
    { name: 'goto', expression: { kind: 'verdict', verdict: goto }, expect: /no chain nowhere/ },
    {
      name: 'jump',
      expression: { kind: 'verdict', verdict: { kind: 'jump', chain: 'nowhere' } },
      expect: /no chain nowhere/,
    },
    { name: 'numgen', expression: { kind: 'numgen', verdicts: [{ kind: 'drop' }, goto] }, expect: /no chain nowhere/ },
    { name: 'vmap', expression: { kind: 'vmap', key: ['saddr'], map: 'nothing' }, expect: /no set or map nothing/ },
    { name: 'update', expression: { kind: 'update', set: 'nothing', side: 'saddr' }, expect: /no set or map nothing/ },
    {
      name: 'a set',
      expression: { kind: 'address', side: 'saddr', addresses: { kind: 'set', name: 'nothing' } },
      expect: /no set or map nothing/,
    },
  ];
  for (const { name, expression, expect } of rows) {
    const rule = { kind: 'nftRule', chain: 'own', expressions: [expression] } as const;
    t.throws(() => kernel.load(program(false, [{ kind: 'addRules', chain: 'own', rules: [rule] }])), expect, name);
  }
});

t.test('a full set learns nothing, until something has expired', async t => {
  const learned = new Map(Array.from({ length: DYNAMIC_SET_SIZE }, (_, i) => [String(i), 1000 + (i < 2 ? 0 : 1)]));
  const set = { set: SET, elements: new Map(), learned };
  learn(set, 'new', 999);
  t.equal(learned.has('new'), false);
  learn(set, 'new', 1000);
  t.equal(learned.get('new'), 61_000);
  t.same([learned.has('0'), learned.has('1'), learned.has('2')], [false, false, true]);
});
