import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createRecentLists } from '../../../src/dataplane/kernel/xtables/recent.js';
import { printSave } from '../../../src/dataplane/tools/iptables/print-save.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const NODE = '192.168.50.11';
const kernel = () => createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes(NODE) });

const REFUSED: readonly { readonly name: string; readonly input: string; readonly expect: RegExp }[] = [
  {
    name: 'chains that jump in a circle',
    input: ':A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -j B\n-A B -j A',
    expect: /reached from itself/,
  },
  {
    name: 'chains that go to each other',
    input: ':A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -g B\n-A B -g A',
    expect: /reached from itself/,
  },
  {
    name: 'a rule behind the last is none to delete',
    input: '-A INPUT -j DROP\n-D INPUT 2',
    expect: /Index of deletion too big/,
  },
  {
    name: 'a place behind the end is none to insert at',
    input: '-A INPUT -j DROP\n-I INPUT 3 -j ACCEPT',
    expect: /Index of insertion too big/,
  },
  {
    name: 'a chain is made once',
    input: ':A - [0:0]\n-N A',
    expect: /Chain already exists/,
  },
  {
    name: 'a chain with rules does not go',
    input: ':A - [0:0]\n-A A -j DROP\n-X A',
    expect: /Directory not empty/,
  },
];

t.test('edits that the kernel refuses', async t => {
  for (const { name, input, expect } of REFUSED)
    t.throws(() => restore(kernel(), `*filter\n${input}\nCOMMIT\n`), { message: expect }, name);
});

t.test('edits at the edges', async t => {
  const edited = kernel();
  restore(edited, '*filter\n-A INPUT -j DROP\n-I INPUT 2 -j ACCEPT\n-D INPUT 1\nCOMMIT\n');
  t.match(printSave(edited), /-A INPUT -j ACCEPT\nCOMMIT/);
  t.notMatch(printSave(edited), /DROP/);
  restore(edited, '*filter\n-N A\n-N B\n-X B\nCOMMIT\n');
  t.match(printSave(edited), /\n:A - \[0:0\]\nCOMMIT/, 'a chain that is made and removed at once is none');
});

t.test('a list of recent addresses', async t => {
  const clock = new FakeClock();
  const lists = createRecentLists(clock);
  const match = { kind: 'recent', name: 'seen' } as const;
  const check = { ...match, action: 'rcheck', seconds: 10 } as const;
  const known = (): readonly string[] => [...(lists.snapshot().get('seen')?.keys() ?? [])];
  t.equal(lists.test(check, '10.0.0.1', false), false, 'nobody was seen');
  for (const dryRun of [true, false])
    t.equal(lists.test({ ...match, action: 'remove' }, '10.0.0.1', dryRun), false, 'of no list nobody is removed');
  t.equal(lists.test({ ...match, action: 'set' }, '10.0.0.1', true), true);
  t.same(known(), [], 'a dry run sets nothing');
  lists.test({ ...match, action: 'set' }, '10.0.0.1', false);
  clock.step(10_000);
  t.equal(lists.test(check, '10.0.0.1', false), true, 'to the second');
  lists.test({ ...match, action: 'set' }, '10.0.0.2', false);
  clock.step(1);
  t.equal(lists.test(check, '10.0.0.1', false), false, 'longer ago');
  t.equal(lists.test(check, '10.0.0.2', false), true);
  t.equal(lists.test({ ...match, action: 'rcheck' }, '10.0.0.1', false), true, 'whenever it was');
  t.same(known(), ['10.0.0.1', '10.0.0.2'], 'nobody is reaped who is not asked to be');
  lists.test({ ...check, seconds: 10.001, reap: true }, '10.0.0.2', false);
  t.same(known(), ['10.0.0.1', '10.0.0.2'], 'nor is one that is just still recent');
  lists.test({ ...check, reap: true }, '10.0.0.2', true);
  t.same(known(), ['10.0.0.1', '10.0.0.2'], 'nor in a dry run');
  lists.test({ ...check, reap: true }, '10.0.0.2', false);
  t.same(known(), ['10.0.0.2'], 'who was seen long ago goes, who was not stays');
  lists.test({ ...check, reap: true }, '10.0.0.2', false);
  t.same(known(), ['10.0.0.2']);
  clock.step(9000);
  t.equal(lists.test({ ...check, action: 'update' }, '10.0.0.2', true), true);
  clock.step(2000);
  t.equal(lists.test(check, '10.0.0.2', false), false, 'a dry run does not renew');
  t.equal(lists.test({ ...match, action: 'remove' }, '10.0.0.2', true), true);
  t.same(known(), ['10.0.0.2'], 'a dry run removes nothing');
  t.equal(lists.test({ ...match, action: 'remove' }, '10.0.0.2', false), true);
  t.equal(lists.test({ ...match, action: 'remove' }, '10.0.0.2', false), false, 'it is gone');
});

t.test('a packet that is not to be tracked is UNTRACKED for the rules behind, and no flow', async t => {
  const node = kernel();
  const send = (dstPort: number) =>
    node.connect({ proto: 'tcp', src: '10.0.0.1', srcPort: 4000, dst: NODE, dstPort, hook: 'prerouting' }).verdict;
  restore(node, '*raw\n-A PREROUTING -p tcp -m tcp --dport 5 -j CT --notrack\nCOMMIT\n', { noflush: true });
  restore(node, '*filter\n-A INPUT -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n', { noflush: true });
  t.equal(send(6), 'accept');
  t.equal(node.conntrack().length, 1);
  t.equal(send(5), 'drop');
  t.equal(node.conntrack().length, 1);
});
