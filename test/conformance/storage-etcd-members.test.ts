import t, { type Test } from 'tap';
import { FakeClock } from '../../src/machinery/clock.js';
import { createProgress } from '../../src/storage/progress.js';
import type { KvStore, WatchEvent } from '../../src/storage/kv-store.js';
import { etcdBinaries, freshStore, startEtcdMembers, type RunningEtcd } from '../support/etcd.js';
import { answered, until } from '../support/until.js';

t.jobs = 1;
t.setTimeout(300_000);

const { signal } = new AbortController();
const binaries = etcdBinaries();
if (binaries.length === 0) t.test('over etcd', { skip: 'etcd is not installed' }, () => undefined);

/** A store over three members, whose time is the test's. */
interface Over {
  readonly members: readonly RunningEtcd[];
  readonly store: KvStore;
  readonly clock: FakeClock;
  readonly told: readonly string[];
  put(key: string): Promise<number>;
}

function test(what: string, run: (t: Test, over: Over) => Promise<void>): void {
  for (const { file, version } of binaries)
    t.test(`etcd ${version}: ${what}`, async t => {
      const members = await startEtcdMembers(file, 3);
      const clock = new FakeClock();
      let store: KvStore | undefined;
      t.teardown(async () => {
        await store?.close();
        // A frozen one does not end by itself.
        for (const member of members) await member.close();
      });
      const servers = members.map(({ url }) => url);
      const opened = (store = await freshStore('', { servers, clock }));
      const told: string[] = [];
      await opened.watch('', opened.observed(), {
        events: (events: readonly WatchEvent[]) => void told.push(...events.map(({ key }) => key)),
        lost: why => t.fail('the watch is lost', { why }),
      });
      const put = async (key: string): Promise<number> =>
        (await opened.commit([], [{ type: 'put', key, value: Buffer.from('x') }])).revision;
      await run(t, { members, store: opened, clock, told, put });
    });
}

/** Time goes on until it is answered: calls come to their deadlines, pings stay without an answer. */
async function inTime<T>(clock: FakeClock, asked: Promise<T>): Promise<T> {
  let isOpen = true;
  const done = asked.finally(() => (isOpen = false));
  // Whoever waits sees to a rejection below.
  done.catch(() => undefined);
  await until('it is answered', () => {
    clock.step(50);
    return !isOpen;
  });
  return done;
}

test('a member that has frozen is left for another, and its watch goes on', async (t, {
  members,
  store,
  clock,
  told,
  put,
}) => {
  const [first] = members;
  await put('/a');
  await until('it is told', () => told.length === 1);
  first?.process.kill('SIGSTOP');
  t.teardown(() => void first?.process.kill('SIGCONT'));
  await t.rejects(inTime(clock, put('/nobody-knows')), { name: 'StorageError' }, 'who hears nothing is told so');
  await inTime(
    clock,
    answered(() => put('/b')),
  );
  await inTime(clock, createProgress(store).reached(await store.latest(signal), signal));
  t.same(
    told.filter(key => key !== '/nobody-knows'),
    ['/a', '/b'],
    'what nobody answered may have come about',
  );
  first?.process.kill('SIGCONT');
  await put('/c');
  await until('it is told', () => told.includes('/c'));
});

test('a member that has lost the others is left, and none of two acknowledges', async (t, {
  members,
  store,
  clock,
  told,
  put,
}) => {
  const [first, second, third] = members;
  const before = await put('/a');
  await third?.kill('SIGKILL');
  await put('/b');
  await second?.kill('SIGKILL');
  await t.rejects(inTime(clock, put('/nobody-knows')), { name: 'StorageError' }, 'one of three');
  await t.rejects(inTime(clock, store.latest(signal)), { name: 'StorageError' }, 'nobody knows what is newest');
  await Promise.all([second?.start(), third?.start()]);
  t.ok(
    (await inTime(
      clock,
      answered(() => put('/c')),
    )) > before,
  );
  // The one that had been there all the time is killed: two have to have heard.
  await first?.kill('SIGKILL');
  await inTime(
    clock,
    answered(() => put('/d')),
  );
  await inTime(
    clock,
    createProgress(store).reached(
      await inTime(
        clock,
        answered(() => store.latest(signal)),
      ),
      signal,
    ),
  );
  t.same(
    told.filter(key => key !== '/nobody-knows'),
    ['/a', '/b', '/c', '/d'],
  );
});
