import t from 'tap';
import { NODES, PODS } from '../../../src/client/resources.js';
import { buildScheduler } from '../../../src/controllers/scheduler/controller.js';
import { DEFAULT_PROFILES } from '../../../src/controllers/scheduler/profiles.js';
import { createSchedulingQueue, type SchedulingQueue } from '../../../src/controllers/scheduler/queue.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { Pod } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { aNode, aPod } from '../../support/scheduling.js';

interface Bench {
  readonly queue: SchedulingQueue;
  readonly clock: FakeClock;
  readonly gates: Set<string>;
  pop(): string | undefined;
  /** Pops one that fits nowhere. */
  reject(plugin: string): void;
}
function bench(): Bench {
  const clock = new FakeClock();
  const gates = new Set<string>();
  const queue = createSchedulingQueue({
    clock,
    gate: pod => (gates.has(pod.metadata.name ?? '') ? 'closed' : undefined),
    eventsOf: plugin => (plugin === 'Fit' ? ['pod/deleted'] : ['node/added']),
    wake: () => undefined,
  });
  return {
    queue,
    clock,
    gates,
    pop: () => queue.pop()?.pod.metadata.name,
    reject(plugin) {
      const queued = queue.pop();
      if (queued !== undefined) queue.unschedulable(queued, new Set([plugin]));
    },
  };
}
const put = (queue: SchedulingQueue, ...pods: Pod[]): void => pods.forEach(pod => queue.put(pod, false));

t.test('the more important first, then who came first', async t => {
  const { queue, pop } = bench();
  put(queue, aPod('a', { priority: 1 }), aPod('b', { priority: 9 }), aPod('c', { priority: 9 }), aPod('d'));
  t.same([pop(), pop(), pop(), pop(), pop()], ['b', 'c', 'a', 'd', undefined]);
});

t.test('one that fits nowhere waits for an event that its plugin asked for', async t => {
  const { queue, pop, reject } = bench();
  put(queue, aPod('a'));
  reject('Fit');
  t.equal(pop(), undefined);
  queue.happened('node/added');
  t.equal(pop(), undefined, 'not this one');
  queue.happened('pod/deleted');
  t.equal(pop(), 'a');
});

t.test('a queue that is closed waits for nothing', async t => {
  const { queue, clock, pop, reject } = bench();
  put(queue, aPod('a'), aPod('b'), aPod('c'));
  reject('Fit');
  const failing = queue.pop();
  if (failing !== undefined) queue.failed(failing);
  const last = queue.pop();
  t.equal(clock.waiting, 2);
  queue.close();
  if (last !== undefined) queue.failed(last);
  t.equal(clock.waiting, 0);
  t.equal(pop(), undefined);
});

t.test('or for its own change', async t => {
  const { queue, pop, reject } = bench();
  const pod = aPod('a');
  put(queue, pod);
  reject('Fit');
  queue.put(pod, false);
  t.equal(pop(), undefined, 'its status changes nothing');
  queue.put(pod, true);
  t.equal(pop(), 'a');
});

t.test('or for five minutes', async t => {
  const { queue, clock, pop, reject } = bench();
  put(queue, aPod('a'));
  reject('Fit');
  clock.step(299_000);
  t.equal(pop(), undefined);
  clock.step(1_000);
  t.equal(pop(), 'a');
});

t.test('one that was tried lately lets others go first', async t => {
  const { queue, pop, reject } = bench();
  put(queue, aPod('a', { priority: 9 }));
  reject('Fit');
  put(queue, aPod('b'));
  queue.happened('pod/deleted');
  t.same([pop(), pop()], ['b', 'a']);
});

t.test('one that failed is tried again later and later', async t => {
  const { queue, clock, pop } = bench();
  put(queue, aPod('a'));
  for (const ms of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    const queued = queue.pop();
    if (queued === undefined) throw new Error('nobody is there');
    queue.failed(queued);
    clock.step(ms - 1);
    t.equal(pop(), undefined, `not before ${ms} ms`);
    clock.step(1);
  }
  t.equal(pop(), 'a');
});

t.test('gates keep Pods out until they are looked at again', async t => {
  const { queue, gates, pop } = bench();
  gates.add('a');
  put(queue, aPod('a'));
  t.equal(pop(), undefined);
  gates.delete('a');
  queue.happened('pod/deleted');
  t.equal(pop(), undefined, 'an event does not open them');
  queue.put(aPod('a'), true);
  t.equal(pop(), 'a');
});

t.test('one that is gone does not come back', async t => {
  const { queue, pop } = bench();
  put(queue, aPod('a'), aPod('b'));
  queue.remove('uid-a');
  t.same([pop(), pop()], ['b', undefined]);
});

t.test('Pods are left to the scheduler that they name', async t => {
  const cluster = createFakeCluster();
  cluster.load(NODES, aNode('n'));
  const named = (name: string, schedulerName: string): Pod => aPod(name, { spec: { schedulerName } });
  cluster.load(PODS, named('p', 'default-scheduler'), named('q', 'second'), named('r', 'somebody'));
  const profiles = [...DEFAULT_PROFILES, { schedulerName: 'second', plugins: () => [] }];
  const scheduler = buildScheduler(cluster.context(), profiles, () => 0);
  for (let i = 0; i < 10; i++) await scheduler.reconcile('next');
  await new Promise(resolve => setImmediate(resolve));
  t.same(cluster.actions.map(({ verb, key }) => [verb, key]).sort(), [
    ['post', 'default/p'],
    ['post', 'default/q'],
  ]);
});

t.test('a Pod that cannot be bound is tried again, and its room is free meanwhile', async t => {
  const cluster = createFakeCluster();
  cluster.load(NODES, aNode('n', { pods: '1' }));
  cluster.load(PODS, aPod('p'));
  cluster.failNext('post', 'pods', new Error('broken'));
  const scheduler = buildScheduler(cluster.context(), DEFAULT_PROFILES, () => 0);
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await scheduler.reconcile('next');
    await new Promise(resolve => setImmediate(resolve));
  };
  await turn();
  t.match(cluster.events[0], { reason: 'FailedScheduling', message: 'broken' });
  cluster.clock.step(1_000);
  await turn();
  t.equal(cluster.actions.filter(({ verb }) => verb === 'post').length, 2);
  t.match(cluster.events.at(-1), { reason: 'Scheduled', message: 'Successfully assigned default/p to n' });
});
