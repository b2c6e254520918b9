import t, { type Test } from 'tap';
import { createStrategies } from '../../src/resources/kinds/index.js';
import { resourceId } from '../../src/resources/resource-info.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';
import { kindDeps } from '../support/kind-deps.js';
import { fixture } from '../support/registries.js';
import { EXAMPLES } from './registry-examples.js';
import { registrySuite } from './registry.js';

const deps = kindDeps();
type Open = (t: Test) => Promise<KvStore>;
const memory: Open = async () => createMemoryStore();
const leveldb: Open = t => openLevelStore(t.testdir());

for (const [name, strategies, open] of [
  ['data alone', {}, memory],
  ['with what the kinds do', createStrategies(deps), memory],
  ['with what the kinds do, on LevelDB', createStrategies(deps), leveldb],
] as const) {
  t.test(`every stored kind, ${name}`, async t => {
    const store = await open(t);
    const f = await fixture({ strategies, store });
    t.teardown(async () => {
      f.close();
      await store.close();
    });
    for (const entry of f.catalog.entries().filter(e => e.info.stored)) {
      const id = resourceId(entry.info);
      const example = EXAMPLES[id];
      const title = `${id} ${entry.info.version}`;
      if (example === undefined) {
        t.pass(title, { skip: 'no example in registry-examples.ts' });
        continue;
      }
      await t.test(title, t => registrySuite(t, f, f.registries.get(entry), example));
    }
  });
}
