import t from 'tap';
import { createScheduler } from '../../../src/dataplane/kernel/ipvs/schedulers/index.js';
import { hsiphash } from '../../../src/dataplane/kernel/ipvs/schedulers/siphash.js';
import type { Destination, Request, Scheduler } from '../../../src/dataplane/kernel/ipvs/schedulers/types.js';
import { SCHEDULERS, type SchedulerName } from '../../../src/dataplane/kernel/ipvs/types.js';

interface Server extends Destination {
  readonly name: string;
  weight: number;
  active: number;
  inactive: number;
}

const server = (name: string, weight = 1, active = 0, inactive = 0): Server => ({
  name,
  address: `10.0.0.${name.charCodeAt(0)}`,
  port: 80,
  weight,
  active,
  inactive,
});

const request = (src = 1, srcPort = 40_000, dst = 1): Request => ({
  protocol: 'tcp',
  src: `192.0.2.${src}`,
  srcPort,
  dst: `10.96.0.${dst}`,
  dstPort: 80,
});

const DAY_MS = 86_400_000;

function schedulerOf(name: SchedulerName, servers: readonly Server[], hashesPort = false) {
  const time = { now: 0 };
  const scheduler: Scheduler<Server> = createScheduler(name, { now: () => time.now, hashesPort });
  scheduler.update(servers);
  return { scheduler, time };
}

/** Names of the servers that so many connections get; nobody counts them. */
const turns = (scheduler: Scheduler<Server>, count: number): string =>
  Array.from({ length: count }, () => scheduler.schedule(request(), false)?.name ?? '-').join('');

t.test('rr and wrr give turns', async t => {
  const [a, b, c] = [server('a'), server('b'), server('c')];
  const { scheduler } = schedulerOf('rr', [a, b, c]);
  t.equal(turns(scheduler, 7), 'abcabca');
  scheduler.schedule(request(), true);
  scheduler.update([a, b, c]);
  t.equal(turns(scheduler, 1), 'b', 'neither a dry run nor a change of nothing takes anybody’s turn');
  b.weight = 0;
  t.equal(turns(scheduler, 3), 'cac', 'weight 0 has no turn');
  scheduler.update([a, b]);
  t.equal(turns(scheduler, 2), 'aa', 'who had the last turn is gone, so it goes on after the one before it');
  const weighted = schedulerOf('wrr', [server('a', 4), server('b', 3), server('c', 2)]).scheduler;
  t.equal(turns(weighted, 9), 'aababcabc', 'as LVS documents it');
  t.equal(turns(schedulerOf('wrr', [server('a', 2), server('b', 6), server('c', 0)]).scheduler, 8), 'bbabbbab');
  const changing = [server('a', 4), server('b', 3), server('c', 2)];
  const round = schedulerOf('wrr', changing).scheduler;
  t.equal(turns(round, 3), 'aab');
  round.update(changing);
  t.equal(turns(round, 9), 'ababcabca', 'a change begins anew at the weight that was asked for');
  const [x, y] = [server('x', 4), server('y', 3)];
  const other = schedulerOf('wrr', [x, y]).scheduler;
  t.equal(turns(other, 4), 'xxyx');
  y.weight = 2;
  other.update([x, y]);
  t.equal(turns(other, 3), 'xxy', 'or at the next one that the new divisor has');
});

t.test('lc, wlc, sed and nq look at connections', async t => {
  const pick = (name: SchedulerName, ...servers: Server[]): string => turns(schedulerOf(name, servers).scheduler, 1);
  t.equal(pick('lc', server('a', 9, 2, 0), server('b', 1, 1, 255)), 'b', 'inactive ones hardly count');
  t.equal(pick('lc', server('a', 1, 1, 1), server('b', 1, 1, 0)), 'b');
  t.equal(pick('lc', server('a', 0), server('b', 1, 5)), 'b');
  t.equal(pick('lc', server('a', 1, 1), server('b', 1, 1)), 'a', 'the first of equal ones');
  t.equal(pick('wlc', server('a', 3, 2), server('b', 1, 1)), 'a', '2/3 is less than 1/1');
  t.equal(pick('wlc', server('a', 1), server('b', 3)), 'a', 'idle ones are equal, whatever their weights');
  t.equal(pick('sed', server('a', 1), server('b', 3)), 'b', 'there it would be sooner done');
  t.equal(pick('sed', server('a', 1), server('b', 3, 2)), 'a');
  t.equal(pick('nq', server('a', 9, 1), server('b', 1)), 'b', 'an idle one, however slow');
  t.equal(pick('nq', server('a', 9, 1), server('b', 1, 1)), 'a');
});

t.test('sh, dh and mh hash', async t => {
  const servers = [server('a'), server('b'), server('c')];
  const spread = (scheduler: Scheduler<Server>, at: (i: number) => Request): Set<string | undefined> =>
    new Set(Array.from({ length: 100 }, (_, i) => scheduler.schedule(at(i), false)?.name));
  for (const name of ['sh', 'mh'] as const) {
    const { scheduler } = schedulerOf(name, servers);
    t.equal(spread(scheduler, i => request(7, i)).size, 1, `${name}: a client stays`);
    t.equal(spread(scheduler, i => request(i)).size, 3, `${name}: clients are spread`);
    t.equal(spread(schedulerOf(name, servers, true).scheduler, i => request(7, i)).size, 3, `${name}: by port too`);
  }
  const { scheduler } = schedulerOf('dh', servers);
  t.equal(spread(scheduler, i => request(i, i)).size, 1, 'dh: the client does not matter');
  t.equal(spread(scheduler, i => request(1, 1, i)).size, 3);
});

t.test('mh moves few clients when a server goes', async t => {
  const servers = Array.from({ length: 10 }, (_, i) => server(String.fromCharCode(97 + i)));
  const { scheduler } = schedulerOf('mh', servers);
  const place = () => Array.from({ length: 250 }, (_, i) => scheduler.schedule(request(i), false)?.name);
  const before = place();
  scheduler.update(servers.slice(1));
  const after = place();
  const moved = before.filter((name, i) => name !== 'a' && name !== after[i]).length;
  t.ok(moved < 25, `${moved} of 250 moved that did not have to`);
  t.notOk(after.includes('a'));
  const weighted = schedulerOf('mh', [server('a', 1), server('b', 9)]).scheduler;
  const count = Array.from({ length: 250 }, (_, i) => weighted.schedule(request(i), false)?.name);
  t.ok(count.filter(name => name === 'b').length > 190, 'weights are shares');
  const clients = Array.from({ length: 4_000 }, (_, i) => `10.7.${i >> 8}.${i & 255}`);
  const chosen = clients.map(src => weighted.schedule({ ...request(), src }, false)?.name);
  const share = chosen.filter(name => name === 'b').length / clients.length;
  t.ok(share > 0.88 && share < 0.92, `nine of ten: ${share}`);
});

t.test('mh looks at weights in proportion', async t => {
  const mapping = (...weights: readonly number[]): string => {
    const { scheduler } = schedulerOf(
      'mh',
      weights.map((weight, i) => server('abc'[i] ?? '', weight)),
    );
    return Array.from({ length: 200 }, (_, i) => scheduler.schedule(request(i), false)?.name ?? '-').join('');
  };
  t.equal(mapping(500, 1000, 1500), mapping(1, 2, 3));
  t.equal(mapping(5, 0, 5), mapping(1, 0, 1), 'one without weight is none');
  t.not(mapping(1, 2, 3), mapping(1, 1, 1));
});

t.test('SipHash-1-3', async t => {
  const key = [0x0706050403020100n, 0x0f0e0d0c0b0a0908n] as const;
  const seen = new Set(Array.from({ length: 1000 }, (_, i) => hsiphash(i, key)));
  t.equal(seen.size, 1000);
  // lib/siphash_kunit.c, test_vectors_hsiphash of 64-bit machines, the one of four bytes: 00 01 02 03.
  t.equal(hsiphash(0x03020100, key), 0x88d38328);
  // As CPython 3.11 hashes four bytes with PYTHONHASHSEED=0, whose key is zero; the last 32 bits.
  for (const { value, expect } of [
    { value: 0, expect: 0x9ac48af0 },
    { value: 1, expect: 0xc37b7090 },
    { value: 0x80000001, expect: 0xf46c9c83 },
    { value: 0xffffffff, expect: 0x74cad6e2 },
  ])
    t.equal(hsiphash(value, [0n, 0n]), expect);
});

t.test('lblc remembers nothing of a dry run', async t => {
  const [a, b] = [server('a', 1), server('b', 1)];
  const { scheduler } = schedulerOf('lblc', [a, b]);
  t.equal(scheduler.schedule(request(), true)?.name, 'a');
  a.active = 1;
  t.equal(turns(scheduler, 1), 'b');
});

t.test('lblc keeps what goes to one address with one server', async t => {
  const [a, b] = [server('a', 1), server('b', 1)];
  const { scheduler, time } = schedulerOf('lblc', [a, b]);
  t.equal(turns(scheduler, 2), 'aa');
  a.active = 1;
  t.equal(turns(scheduler, 1), 'a', 'although the other is idle');
  a.active = 2;
  t.equal(turns(scheduler, 1), 'b', 'too much to do, and another has not half of its weight');
  t.equal(turns(scheduler, 1), 'b', 'it moved');
  b.weight = 0;
  t.equal(turns(scheduler, 1), 'a');
  b.weight = 1;
  time.now += DAY_MS + 1;
  t.equal(turns(scheduler, 1), 'b', 'a day later it is forgotten');
  scheduler.update([a]);
  t.equal(turns(scheduler, 1), 'a');
});

t.test('lblc knows many addresses, and forgets those that were used longest ago', async t => {
  const servers = [server('a'), server('b')];
  const { scheduler } = schedulerOf('lblc', servers);
  const at = (dst: string): string | undefined => scheduler.schedule({ ...request(), dst }, false)?.name;
  const [a, b] = servers;
  if (a === undefined || b === undefined) throw new Error('there are two');
  const addresses = Array.from({ length: 16_384 }, (_, i) => `10.${i >> 14}.${(i >> 7) & 127}.${i & 127}`);
  b.active = 1;
  for (const address of addresses) at(address);
  b.active = 0;
  a.active = 1;
  t.equal(at(addresses[0] ?? ''), 'a', 'all are known');
  t.equal(at(addresses[1] ?? ''), 'a');
  t.equal(at('10.9.9.9'), 'b', 'one more is not');
  t.equal(at(addresses[3] ?? ''), 'a');
  t.equal(at(addresses[2] ?? ''), 'b', 'and had the place of one');
});

t.test('lblcr has a set for one address, that grows and shrinks', async t => {
  const [a, b] = [server('a', 1), server('b', 1)];
  const { scheduler, time } = schedulerOf('lblcr', [a, b]);
  t.equal(turns(scheduler, 1), 'a');
  a.active = 2;
  t.equal(turns(scheduler, 1), 'b', 'joins the set');
  a.active = 0;
  b.active = 1;
  t.equal(turns(scheduler, 1), 'a', 'the least busy of the set');
  for (let day = 0; day < 2; day++) {
    time.now += DAY_MS - 1000;
    turns(scheduler, 1);
  }
  a.active = 1;
  b.active = 0;
  t.equal(turns(scheduler, 1), 'a', 'the busiest has left it');
});

t.test('lblcr keeps the servers of a set that are left', async t => {
  const [a, b] = [server('a', 1), server('b', 1)];
  const { scheduler } = schedulerOf('lblcr', [a, b]);
  t.equal(turns(scheduler, 1), 'a');
  a.active = 1;
  scheduler.update([b, a]);
  t.equal(turns(scheduler, 1), 'a', 'although another is idle');
  scheduler.update([b]);
  t.equal(turns(scheduler, 1), 'b', 'one that is gone is none of them');
});

t.test('every scheduler', async t => {
  for (const name of SCHEDULERS) {
    t.equal(schedulerOf(name, []).scheduler.schedule(request(), false), undefined, `${name}: nobody is there`);
    const nobody = schedulerOf(name, [server('a', 0), server('b', 0)]).scheduler;
    t.equal(nobody.schedule(request(), false), undefined, `${name}: nobody takes new ones`);
    t.equal(turns(schedulerOf(name, [server('a')]).scheduler, 2), 'aa', `${name}: one takes all`);
    const { scheduler } = schedulerOf(name, []);
    t.equal(turns(scheduler, 2), '--');
    scheduler.update([server('a')]);
    t.equal(turns(scheduler, 2), 'aa', `${name}: the first that comes takes all`);
  }
});
