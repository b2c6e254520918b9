import t, { type Test } from 'tap';
import { realClock } from '../../../src/machinery/clock.js';
import { createCountedClock } from '../../../src/testing/counted-clock.js';
import { createLedger, type Ledger } from '../../../src/testing/ledger.js';
import { leftToDo, settle, type Revisions } from '../../../src/testing/settle.js';

const PODS = { group: '', version: 'v1', resource: 'pods' };

/** A store whose newest change is of a Pod. */
function store(): Revisions & { newest: number; asked: number; onAsked: () => void } {
  return {
    newest: 1,
    asked: 0,
    onAsked: () => undefined,
    revision() {
      return this.newest;
    },
    changed(_group, _version, resource) {
      return resource === 'pods' ? this.newest : undefined;
    },
    tellProgress() {
      this.asked++;
      this.onAsked();
    },
  };
}

/** Begins to settle. Answers whether it has by the time that everything which could make it has happened. */
function settling(t: Test, ledger: Ledger, api: Revisions): () => Promise<boolean> {
  let done = false;
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  settle({ ledger, api, until: 'settled', signal: stop.signal })
    .then(() => (done = true))
    .catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  return async () => {
    for (let i = 0; i < 100; i++) await new Promise(resolve => void setImmediate(resolve));
    return done;
  };
}

t.test('it is waited for what is in hand, also for what that begins', async t => {
  const ledger = createLedger();
  const end = ledger.begin('deployment');
  const isDone = settling(t, ledger, store());
  t.equal(await isDone(), false);
  const next = ledger.begin('replicaset');
  end();
  end();
  t.equal(await isDone(), false);
  t.same(ledger.inHand(), ['replicaset'], 'to end twice is to end once');
  next();
  t.equal(await isDone(), true);
});

t.test(
  'it is waited for those who have not been told of the newest change, and the server is asked to tell them',
  async t => {
    const ledger = createLedger();
    const api = store();
    const follower = ledger.follow('a controller', PODS);
    ledger.follow('another', { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods' }).reached(0);
    ledger.follow('a third', { group: 'x', version: 'v1', resource: 'elsewhere' });
    const isDone = settling(t, ledger, api);
    t.equal(await isDone(), false);
    t.equal(api.asked, 1);
    follower.reached(1);
    t.equal(await isDone(), false, 'the others, whose Pods these are in this table');
    t.same(leftToDo({ ledger, api, until: 'settled' }), ['pods, of which another has to be told']);
  },
);

t.test('who is told of the newest change, has ended or cannot ask is not waited for', async t => {
  const cases: { name: string; does: (follower: ReturnType<Ledger['follow']>) => void; expect: boolean }[] = [
    { name: 'told', does: follower => follower.reached(1), expect: true },
    { name: 'told of an older one', does: follower => follower.reached(0), expect: false },
    { name: 'ended', does: follower => follower.end(), expect: true },
    {
      name: 'could not ask for a while',
      does: follower => [1, 2, 3, 4].forEach(() => follower.failed()),
      expect: false,
    },
    { name: 'cannot ask', does: follower => [1, 2, 3, 4, 5].forEach(() => follower.failed()), expect: true },
  ];
  for (const { name, does, expect } of cases) {
    const ledger = createLedger();
    const isDone = settling(t, ledger, store());
    does(ledger.follow('a controller', PODS));
    t.equal(await isDone(), expect, name);
  }
});

t.test('pauses of some work are waited for where that is asked', async t => {
  const ledger = createLedger();
  const clock = createCountedClock(realClock, ledger);
  let paused = true;
  const stop = new AbortController();
  clock.sleep(1_000, stop.signal, { work: true }).catch(() => (paused = false));
  clock.sleep(3_600_000, stop.signal).catch(() => undefined);
  await settle({ ledger, api: store(), until: 'quiet' });
  t.equal(paused, true);
  const isDone = settling(t, ledger, store());
  t.equal(await isDone(), false);
  stop.abort();
  t.equal(await isDone(), true, 'one that is given up is none any more');
});

t.test('what does not move is passed over where there is patience for so long only, until it moves', async t => {
  const ledger = createLedger();
  const api = store();
  const end = ledger.begin('readiness probe');
  const follower = ledger.follow('a controller', PODS);
  await settle({ ledger, api, until: 'settled', patienceMs: 1 });
  t.same(leftToDo({ ledger, api, until: 'settled' }), []);
  api.newest = 3;
  follower.reached(2);
  t.same(leftToDo({ ledger, api, until: 'settled' }), ['pods, of which a controller has to be told']);
  end();
});

t.test('whoever gives up is told what is left', async t => {
  const ledger = createLedger();
  ledger.begin('job');
  const stop = new AbortController();
  const settled = settle({ ledger, api: store(), until: 'settled', signal: stop.signal });
  stop.abort();
  await t.rejects(settled, /^not settled, left to do: job$/);
});
