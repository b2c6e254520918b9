import t from 'tap';
import { whenBusy } from '../../../src/cmd/when-busy.js';
import { FakeClock } from '../../../src/machinery/clock.js';

const rows = [
  { name: 'nothing is told while little is done', seconds: [100, 300, 500, 499, 0, 500], expect: undefined },
  { name: 'a moment is not enough', seconds: [900, 900, 10, 900, 900, 10], expect: undefined },
  { name: 'three busy seconds are', seconds: [0, 900, 600, 700], expect: 4 },
  { name: 'it is told once', seconds: [900, 900, 900, 900, 900, 900, 900], expect: 3 },
];

t.test('when a process has much to do', async t => {
  for (const { name, seconds, expect } of rows) {
    const clock = new FakeClock();
    let used = 0;
    const told: number[] = [];
    let second = 0;
    whenBusy(
      clock,
      () => used,
      () => told.push(second),
    );
    for (const milliseconds of seconds) {
      second++;
      used += milliseconds;
      clock.step(1_000);
    }
    t.same(told, expect === undefined ? [] : [expect], name);
  }
});
