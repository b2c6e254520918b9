import { given } from '../support/steps.js';
import t, { type Test } from 'tap';
import type { KubeObject } from '../../src/machinery/types.js';
import { createStrategies } from '../../src/kinds/index.js';
import { resourceId } from '../../src/api/resource-info.js';
import type { PatchRequest } from '../../src/server/registry/types.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';
import { kindDeps } from '../support/kind-deps.js';
import { fixture, plain, record, type Fixture } from '../support/registries.js';
import { etcdBinaries, freshStore, startEtcd, type RunningEtcd } from '../support/etcd.js';
import { countCommits, lateStore, losingStore, type Counted } from '../support/stores.js';
import { EXAMPLES } from './registry-examples.js';
import { reason, registrySuite } from './registry.js';

/** Some kinds with much behaviour and some with none; all of them over a store that others write to as well. */
const KINDS = new Set(['configmaps', 'namespaces', 'nodes', 'pods', 'services', 'deployments.apps', 'jobs.batch']);

type Open = () => Promise<KvStore>;
const late: Open = () => lateStore(createMemoryStore());
const losing: Open = () => losingStore(createMemoryStore(), 2);
const both: Open = async () => losingStore(await lateStore(createMemoryStore()), 3);

/** One etcd for all of them. */
const running = new Map<string, Promise<RunningEtcd>>();
const overEtcd = etcdBinaries().map(({ file, version }): readonly [string, Open] => [
  `is etcd ${version}`,
  async () => {
    const etcd = running.get(file) ?? startEtcd(file);
    running.set(file, etcd);
    return freshStore((await etcd).url);
  },
]);
t.teardown(async () => {
  for (const etcd of running.values()) await (await etcd).close();
});

async function over(
  t: Test,
  open: Open,
  run: (f: Fixture, commits: Counted['commits']) => Promise<void>,
): Promise<void> {
  const { store, commits } = countCommits(await open());
  const f = await fixture({ strategies: createStrategies(kindDeps()), store });
  t.teardown(async () => {
    f.close();
    await store.close();
  });
  await run(f, commits);
  t.same(f.failures, [], 'nothing failed in the background');
}

const key = { namespace: 'ns', name: 'a' };
const configMap = (): KubeObject => ({ metadata: { name: 'a' }, data: { k: '0' } });
const merge = (body: object): PatchRequest => ({
  type: 'merge',
  decode: () => given({ patch: body, duplicateKeys: [] }),
  raw: Buffer.from(JSON.stringify(body)),
  force: false,
});

for (const [name, open] of [
  ['tells late', late],
  ['loses its watches', losing],
  ['tells late and loses its watches', both],
  ...overEtcd,
] as const) {
  t.test(`kinds, over a store that ${name}`, t =>
    over(t, open, async f => {
      for (const entry of f.catalog.entries().filter(e => KINDS.has(resourceId(e.info)))) {
        const example = EXAMPLES[resourceId(entry.info)];
        if (example === undefined) throw new Error(`no example of ${resourceId(entry.info)}`);
        await t.test(resourceId(entry.info), t => registrySuite(t, f, f.registries.get(entry), example));
      }
    }),
  );

  t.test(`one client after the other, over a store that ${name}`, t =>
    over(t, open, async (f, commits) => {
      const maps = f.registry('configmaps');
      const ctx = f.context();
      const created = plain((await maps.create(ctx, 'ns', configMap())).object);
      t.same(plain(await maps.get(ctx, key, {})), created, 'a GET finds what was POSTed');
      t.equal((await maps.list(ctx, 'ns', {})).items.length, 1);
      t.same(
        plain(await maps.get(ctx, key, { resourceVersion: created.metadata.resourceVersion ?? '' })),
        created,
        'and by its resourceVersion',
      );
      commits();
      for (let i = 1; i <= 6; i++) {
        const patched = plain((await maps.patch(ctx, key, merge({ data: { k: String(i) } }), '')).object);
        t.same(patched['data'], { k: String(i) });
        const count = commits();
        t.ok(count <= 2, `a PATCH after a PATCH takes ${count} commits`);
      }
      await maps.patch(ctx, key, merge({ metadata: { finalizers: ['example.org/hold'] } }), '');
      const before = await f.store.latest(ctx.signal);
      const again = plain((await maps.patch(ctx, key, merge({ data: { k: '6' } }), '')).object);
      t.match(again, { metadata: { finalizers: ['example.org/hold'] }, data: { k: '6' } });
      t.equal(
        await f.store.latest(ctx.signal),
        before,
        'what is there already is not written, and answered as it is now',
      );
      await maps.delete(ctx, key, { dryRun: false });
      t.ok((await maps.get(ctx, key, {})).object.metadata.deletionTimestamp, 'the finalizer was not overlooked');
      await maps.patch(ctx, key, merge({ metadata: { finalizers: null } }), '');
      t.equal(await reason(maps.get(ctx, key, {})), 'NotFound');
      t.equal(await reason(maps.delete(ctx, key, { dryRun: false })), 'NotFound');
      await maps.create(ctx, 'ns', configMap());
      t.match(
        await maps.delete(ctx, key, { dryRun: false }),
        { deleted: true },
        'what was POSTed can be DELETEd at once',
      );
    }),
  );

  t.test(`many at once, over a store that ${name}`, t =>
    over(t, open, async f => {
      const maps = f.registry('configmaps');
      const ctx = f.context();
      const watch = await record(maps, ctx, 'ns', {});
      await maps.create(ctx, 'ns', configMap());
      const count = 30;
      await Promise.all(
        Array.from({ length: count }, (_, i) => maps.patch(ctx, key, merge({ data: { [`k${i}`]: 'v' } }), '')),
      );
      const { object } = await maps.get(ctx, key, {});
      t.equal(Object.keys(object['data'] as object).length, count + 1, 'every patch counts, none starves');
      const types = (await watch.until(count + 1)).map(line => line.split(' ')[0]);
      t.same(types, ['ADDED', ...Array.from({ length: count }, () => 'MODIFIED')], 'a watcher sees each of them once');
      t.notOk(watch.ended);
      watch.watch.stop();
    }),
  );
}
