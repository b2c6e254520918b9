import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { createRate } from '../../../../src/nodeagent/host/rate.js';

t.test('a burst, then so many a second', async t => {
  const clock = new FakeClock();
  const may = createRate(clock, 50, 100);
  const allowed = (asked: number): number => Array.from({ length: asked }, may).filter(Boolean).length;
  t.equal(allowed(300), 100, 'the burst');
  await clock.advance(1_000);
  t.equal(allowed(300), 50, 'a second later');
  await clock.advance(60_000);
  t.equal(allowed(300), 100, 'no more than a burst is saved');
});
