import t from 'tap';
import { realClock } from '../../../src/machinery/clock.js';
import { createLedger } from '../../../src/testing/ledger.js';
import { createVirtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.js';
import { until } from '../../support/until.js';

const START = Date.parse('2026-01-01T00:00:00Z');
const noRest = (): Promise<void> => Promise.resolve();

function frozen(): { readonly clock: VirtualClock; readonly ledger: ReturnType<typeof createLedger> } {
  const ledger = createLedger();
  const clock = createVirtualClock({ ledger, startMs: START });
  clock.freeze();
  return { clock, ledger };
}

t.test('what is due is fired in order, and what it caused comes to rest before the next', async t => {
  const { clock } = frozen();
  const began = clock.now();
  const seen: string[] = [];
  const note = (what: string): void => void seen.push(`${clock.now() - began} ${what}`);
  clock.after(2_000, () => note('b'));
  clock.after(1_000, () => {
    note('a');
    clock.after(500, () => note('set by a'));
  });
  clock.after(2_000, () => note('c, of the same moment'));
  clock.after(3_001, () => note('too late'));
  clock.after(1_200, () => note('kept in order'), { unref: true });
  clock.after(1_300, () => note('kept in order'), { unref: true });
  const cancel = clock.after(1_500, () => note('cancelled'));
  cancel();
  await clock.advance(3_000, () => {
    note('rest');
    return Promise.resolve();
  });
  t.same(seen, [
    '0 rest',
    '1000 a',
    '1200 kept in order',
    '1300 kept in order',
    '1300 rest',
    '1500 set by a',
    '1500 rest',
    '2000 b',
    '2000 c, of the same moment',
    '2000 rest',
    '3000 rest',
  ]);
  t.equal(clock.next(), began + 3_001);
});

t.test('calls of advance take their turns', async t => {
  const { clock } = frozen();
  const began = clock.now();
  await Promise.all([clock.advance(1_000, noRest), clock.advance(2_000, noRest)]);
  t.equal(clock.now() - began, 3_000);
});

t.test('a rest that fails ends the advance, not those that come later', async t => {
  const { clock } = frozen();
  const began = clock.now();
  await t.rejects(
    clock.advance(1_000, () => Promise.reject(new Error('no rest'))),
    /no rest/,
  );
  await clock.advance(1_000, noRest);
  t.equal(clock.now() - began, 1_000);
});

t.test('a pause of some work ends by itself, and time is then where it ends', async t => {
  const { clock, ledger } = frozen();
  const began = clock.now();
  const seen: string[] = [];
  clock.after(60_000, () => seen.push('a minute'));
  clock.after(10, () => seen.push('time that passes'));
  const pause = clock.sleep(20, undefined, { work: true });
  t.same(ledger.waiting(), ['a pause of 20 ms']);
  await pause;
  t.same(seen, ['time that passes'], 'what was due before has been fired before');
  t.equal(clock.now() - began, 20);
  t.same(ledger.waiting(), []);
});

t.test('housekeeping happens by itself, moves no time, and is waited for by nobody', async t => {
  const { clock, ledger } = frozen();
  const began = clock.now();
  let kept = false;
  clock.after(5, () => (kept = true), { work: true, unref: true });
  t.same(ledger.waiting(), []);
  await until('it has happened', () => kept);
  t.equal(clock.now(), began);
});

t.test('which waits end by themselves', async t => {
  const cases = [
    { name: 'time that passes', ms: 1, wait: {}, expect: false },
    { name: 'work that is given a long rest', ms: 1_001, wait: { work: true }, expect: false },
    { name: 'work', ms: 1, wait: { work: true }, expect: true },
    { name: 'no time at all', ms: 0, wait: {}, expect: true },
  ];
  for (const { name, ms, wait, expect } of cases) {
    const { clock } = frozen();
    let fired = false;
    let mark = false;
    clock.after(ms, () => (fired = true), wait);
    // Set later and as long: when it has ended, the first would have.
    clock.after(1, () => (mark = true), { work: true, unref: true });
    await until('the mark', () => mark);
    await new Promise(resolve => void setImmediate(resolve));
    t.equal(fired, expect, name);
  }
});

t.test('time runs by itself before it is frozen, and again when it is thawed', async t => {
  const clock = createVirtualClock({ ledger: createLedger(), startMs: START });
  t.ok(clock.now() >= START && clock.now() < START + 60_000);
  await clock.sleep(5);
  t.ok(clock.now() > START);
  await t.rejects(clock.advance(1, noRest), /time runs by itself/);

  let fired = false;
  clock.after(5, () => (fired = true));
  clock.freeze();
  const at = clock.now();
  await realClock.sleep(10);
  t.equal(clock.now(), at);
  t.equal(fired, false, 'what waited when time was frozen waits on');
  clock.thaw();
  await until('it fires', () => fired);
  t.ok(clock.now() > at);
});
