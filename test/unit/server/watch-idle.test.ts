import t from 'tap';
import type { ListQuery } from '../../../src/server/registry/types.js';
import { eventually, fixture } from '../../support/registries.js';

const WATCHES = 100;
const QUERY: ListQuery = { resourceVersion: '0', timeoutSeconds: '600', allowWatchBookmarks: 'true' };

t.test('watches that wait share their timers, and ask for no signal, which is ten objects of each', async t => {
  const f = await fixture();
  t.teardown(() => f.close());
  const aborts = new Set<() => void>();
  const ctx = {
    ...f.context(),
    get signal(): AbortSignal {
      throw new Error('a signal is made');
    },
    throwIfAborted: () => undefined,
    onAbort(listener: () => void) {
      aborts.add(listener);
      return () => void aborts.delete(listener);
    },
  };
  const before = f.clock.waiting;
  const said: string[] = [];
  let begun = 0;
  for (let i = 0; i < WATCHES; i++)
    await f.registry('configmaps').watch(ctx, 'ns', QUERY, {
      events: batch => void said.push(...batch.map(event => event.type)),
      end: () => void said.push('end'),
      cut: () => t.fail('a watch is cut off'),
      backlog: () => 0,
      begun: () => void begun++,
    });
  await eventually('all have begun', () => begun === WATCHES);
  said.length = 0;
  t.equal(f.clock.waiting - before, 2, 'one for their bookmarks, one for their ends');
  const [first] = aborts;
  first?.();
  t.same(said, ['end'], 'a client that goes ends its watch');
  f.clock.step(60_000);
  t.same(said.splice(0), ['end', ...Array.from({ length: WATCHES - 1 }, () => 'BOOKMARK')]);
  f.clock.step(540_000);
  t.equal(said.filter(type => type === 'end').length, WATCHES - 1, 'all end when their time is over');
  t.equal(aborts.size, 0);
  t.ok(f.clock.waiting <= before, 'no timer is left');
});
