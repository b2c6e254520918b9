import t from 'tap';
import { createWorkQueue } from '../../../src/machinery/work-queue.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { settle } from '../../support/client.js';

t.test('work queue', async t => {
  t.test('fair, stingy, and never the same key twice at once', async t => {
    const clock = new FakeClock();
    const queue = createWorkQueue({ clock });
    const order: string[] = [];
    let release: () => void = () => undefined;
    const stop = new AbortController();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    const done = queue.run(
      2,
      async key => {
        order.push(key);
        if (key === 'a' && order.length < 3) await new Promise<void>(resolve => (release = resolve));
      },
      () => undefined,
      stop.signal,
    );
    await settle();
    t.same(order, ['a', 'b'], 'a was added twice and runs once');
    queue.add('a');
    await settle();
    t.same(order, ['a', 'b'], 'a is under way, so it waits');
    release();
    await settle();
    t.same(order, ['a', 'b', 'a']);
    stop.abort();
    await done;
  });
  t.test('a failing key backs off, a success forgets', async t => {
    const clock = new FakeClock();
    const queue = createWorkQueue({ clock, baseDelayMs: 10 });
    let failures = 3;
    const runs: number[] = [];
    const stop = new AbortController();
    queue.add('k');
    const done = queue.run(
      1,
      async () => {
        runs.push(clock.now());
        if (failures-- > 0) throw new Error('no');
      },
      () => undefined,
      stop.signal,
    );
    await settle();
    for (const wait of [10, 20, 40]) {
      clock.step(wait - 1);
      await settle();
      const before = runs.length;
      clock.step(1);
      await settle();
      t.equal(runs.length, before + 1, `after ${wait} ms`);
    }
    t.equal(queue.retries('k'), 0);
    stop.abort();
    await done;
  });
  t.test('of several delays the earliest holds', async t => {
    const clock = new FakeClock();
    const queue = createWorkQueue({ clock });
    queue.addAfter('k', 100);
    queue.addAfter('k', 10);
    queue.addAfter('k', 50);
    clock.step(10);
    t.equal(queue.length, 1);
  });
});
