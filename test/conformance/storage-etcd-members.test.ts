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
  /** The keys that its watch was told. */
  readonly told: readonly string[];
  put(key: string): Promise<number>;
  /** Time goes on until it is answered: calls come to their deadlines, pings stay without an answer. */
  inTime<T>(asked: Promise<T>): Promise<T>;
  /** The same, asked until there is an answer. */
  goesOn<T>(ask: () => Promise<T>): Promise<T>;
  /** All that is told until now, but for what nobody answered, which may have come about. */
  allTold(): Promise<readonly string[]>;
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
      const inTime = <T>(asked: Promise<T>): Promise<T> => passUntil(clock, asked);
      const goesOn = <T>(ask: () => Promise<T>): Promise<T> => inTime(answered(ask));
      const allTold = async (): Promise<readonly string[]> => {
        const newest = await goesOn(() => opened.latest(signal));
        await inTime(createProgress(opened).reached(newest, signal));
        return told.filter(key => key !== '/nobody-knows');
      };
      await run(t, { members, store: opened, told, put, inTime, goesOn, allTold });
    });
}

async function passUntil<T>(clock: FakeClock, asked: Promise<T>): Promise<T> {
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

test('a member that has frozen is left for another, and its watch goes on', async (t, over) => {
  const { members, told, put, inTime, goesOn, allTold } = over;
  const [first] = members;
  await put('/a');
  await until('it is told', () => told.length === 1);
  first?.process.kill('SIGSTOP');
  t.teardown(() => void first?.process.kill('SIGCONT'));
  await t.rejects(inTime(put('/nobody-knows')), { name: 'StorageError' }, 'who hears nothing is told so');
  await goesOn(() => put('/b'));
  t.same(await allTold(), ['/a', '/b']);
  first?.process.kill('SIGCONT');
  await put('/c');
  await until('it is told', () => told.includes('/c'));
});

test('a member that has lost the others is left, and none of two acknowledges', async (t, over) => {
  const { members, store, put, inTime, goesOn, allTold } = over;
  const [first, second, third] = members;
  const before = await put('/a');
  await third?.kill('SIGKILL');
  await put('/b');
  await second?.kill('SIGKILL');
  await t.rejects(inTime(put('/nobody-knows')), { name: 'StorageError' }, 'one of three');
  await t.rejects(inTime(store.latest(signal)), { name: 'StorageError' }, 'nobody knows what is newest');
  await Promise.all([second?.start(), third?.start()]);
  t.ok((await goesOn(() => put('/c'))) > before);
  // The one that had been there all the time is killed: two have to have heard.
  await first?.kill('SIGKILL');
  await goesOn(() => put('/d'));
  t.same(await allTold(), ['/a', '/b', '/c', '/d']);
});
