import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { createTimeouts, type Timed } from '../../../src/machinery/timeouts.js';

function setup() {
  const clock = new FakeClock(0);
  const timeouts = createTimeouts(clock);
  const told: string[] = [];
  const timed = (name: string, then = (): void => undefined): Timed => ({
    links: undefined,
    dueMs: 0,
    expired() {
      told.push(`${name} at ${clock.monotonic()}`);
      then();
    },
  });
  return { clock, timeouts, told, timed };
}

t.test('each is told once, when its own time is over, whatever lengths there are', t => {
  const { clock, timeouts, told, timed } = setup();
  timeouts.start(100, timed('first'));
  clock.step(40);
  timeouts.start(100, timed('second'));
  timeouts.start(20, timed('short'));
  t.equal(clock.waiting, 2, 'one timer for each length');
  clock.step(1_000);
  t.same(told, ['short at 60', 'first at 100', 'second at 140']);
  t.equal(clock.waiting, 0);
  t.end();
});

t.test('who is stopped is not told, and leaves nothing', t => {
  const { clock, timeouts, told, timed } = setup();
  const [first, second] = [timed('first'), timed('second')];
  timeouts.start(100, first);
  clock.step(50);
  timeouts.start(100, second);
  timeouts.stop(100, first);
  timeouts.stop(100, first);
  timeouts.stop(7, second);
  clock.step(75);
  t.same(told, []);
  timeouts.stop(100, second);
  t.equal(clock.waiting, 0);
  clock.step(1_000);
  t.same(told, []);
  t.end();
});

t.test('who is told may stop others, and begin again', t => {
  const { clock, timeouts, told, timed } = setup();
  const other = timed('other');
  const again = timed('again');
  const first = timed('first', () => {
    timeouts.stop(100, other);
    timeouts.start(100, again);
  });
  timeouts.start(100, first);
  timeouts.start(100, other);
  clock.step(100);
  t.same(told, ['first at 100']);
  clock.step(100);
  t.same(told, ['first at 100', 'again at 200']);
  t.equal(clock.waiting, 0);
  t.end();
});
