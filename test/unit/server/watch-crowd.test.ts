import t from 'tap';
import { createLine } from '../../../src/machinery/line.js';
import { fixture } from '../../support/registries.js';

const WATCHERS = 400;
/** How many of a turn are told before the time is looked at. */
const AT_ONCE = 256;

t.test('a change is told to hundreds of watchers over several turns, to each in order and once', async t => {
  let turn = 0;
  const next = (): Promise<void> =>
    new Promise(resolve =>
      setImmediate(() => {
        turn++;
        resolve();
      }),
    );
  const f = await fixture({ turns: { isOver: () => true, next } });
  t.teardown(() => f.close());
  const registry = f.registry('configmaps');
  const told = new Map<number, number>();
  const names = Array.from({ length: WATCHERS }, (): string[] => []);
  for (const seen of names)
    await registry.watch(
      f.context(),
      'ns',
      { resourceVersion: '0' },
      {
        events(batch) {
          told.set(turn, (told.get(turn) ?? 0) + 1);
          for (const event of batch) if ('object' in event) seen.push(event.object.key.name);
        },
        end: () => undefined,
        cut: () => t.fail('a watcher is cut off'),
        backlog: () => 0,
      },
    );
  const all = ['a', 'b', 'c'];
  await new Promise(resolve => setImmediate(resolve));
  for (const name of all) await registry.create(f.context(), 'ns', { metadata: { name, namespace: 'ns' } });
  while (names.some(seen => seen.length < all.length)) await new Promise(resolve => setImmediate(resolve));
  t.ok(
    names.every(seen => seen.join() === all.join()),
    'each has seen all of them',
  );
  t.ok(Math.max(...told.values()) <= AT_ONCE + 1, `at most ${Math.max(...told.values())} in a turn`);
  t.same(f.failures, []);
});

t.test(
  'a line does as much in a turn as there is time for, in order, and stands in one place of those that wait',
  async t => {
    let left = 0;
    let asked = 0;
    const turns = {
      isOver: () => --left <= 0,
      next: async (): Promise<void> => {
        asked++;
        left = 3;
        await new Promise(resolve => setImmediate(resolve));
      },
    };
    const line = createLine(turns);
    const done: number[] = [];
    await new Promise<void>(resolve => {
      for (let i = 0; i < 7; i++)
        line.stand(() => {
          done.push(i);
          if (i === 1) line.stand(() => resolve());
        });
      t.notOk(line.hasRoom(), 'nobody overtakes');
    });
    t.same(done, [0, 1, 2, 3, 4, 5, 6]);
    t.equal(asked, 3);
  },
);
