import t from 'tap';
import { createServerList } from '../../../src/dataplane/kernel/ipvs/real-servers.js';
import type { RealServer } from '../../../src/dataplane/kernel/ipvs/types.js';

const server = (last: number, weight = 1): RealServer => ({ address: `10.0.0.${last}`, port: 80, weight });

t.test('what a scheduler has to hear of', async t => {
  const steps: readonly { name: string; wanted: readonly RealServer[]; connections?: number; expect: boolean }[] = [
    { name: 'the first come', wanted: [server(1), server(2)], expect: true },
    { name: 'nothing is different', wanted: [server(1), server(2)], expect: false },
    { name: 'a weight', wanted: [server(1, 3), server(2)], expect: true },
    { name: 'one goes and has connections: its weight is 0', wanted: [server(2)], connections: 1, expect: true },
    { name: 'it is still going', wanted: [server(2)], expect: false },
    { name: 'it comes back', wanted: [server(1), server(2)], expect: true },
    { name: 'its weight is 0', wanted: [server(1, 0), server(2)], expect: true },
    { name: 'it goes as it is', wanted: [server(2)], expect: false },
    { name: 'another comes', wanted: [server(2), server(3)], expect: true },
    { name: 'one without connections goes', wanted: [server(2)], expect: true },
  ];
  const list = createServerList(true);
  for (const { name, wanted, connections, expect } of steps) {
    const first = list.all.find(({ address }) => address === server(1).address);
    if (first !== undefined && connections !== undefined) first.active = connections;
    t.equal(list.set(wanted), expect, name);
  }
});

t.test('one that does not go gracefully goes at once, with its connections', async t => {
  const list = createServerList(false);
  list.set([server(1), server(2)]);
  for (const one of list.all) one.active = 1;
  t.equal(list.set([server(2)]), true);
  t.same(
    list.all.map(({ address }) => address),
    ['10.0.0.2'],
  );
  t.equal(list.set([server(1, 5), server(2)]), true);
  t.match(list.all, [{ address: '10.0.0.1', weight: 5, active: 1, available: true }, {}], 'and comes back with them');
});
