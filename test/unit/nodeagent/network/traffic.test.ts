import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { BUSY, watchTraffic } from '../../../../src/nodeagent/network/traffic.js';

t.test('many packets in a second are told of, once', async t => {
  const rows: { name: string; everyMs: number; expect: number }[] = [
    { name: 'at once', everyMs: 0, expect: 1 },
    { name: 'a few each second', everyMs: 100, expect: 0 },
    { name: 'just too few', everyMs: Math.ceil(1000 / BUSY) + 1, expect: 0 },
    { name: 'enough', everyMs: 4, expect: 1 },
  ];
  for (const { name, everyMs, expect } of rows) {
    const clock = new FakeClock();
    let told = 0;
    const seen = watchTraffic(clock, () => told++);
    for (let i = 0; i < 10 * BUSY; i++) {
      clock.step(everyMs);
      seen();
    }
    t.equal(told, expect, name);
  }
});
