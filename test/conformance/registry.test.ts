import t, { type Test } from 'tap';
import { createStrategies } from '../../src/kinds/index.js';
import { loadApi } from '../../src/api/load.js';
import { resourceId } from '../../src/api/resource-info.js';
import type { KvStore } from '../../src/storage/kv-store.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';
import { customKind } from '../support/custom-kind.js';
import { definedKinds, definitionOf, versionOf } from '../support/defined-kinds.js';
import { kindDeps } from '../support/kind-deps.js';
import { fixture } from '../support/registries.js';
import { EXAMPLES } from './registry-examples.js';
import { registrySuite } from './registry.js';
import { checkScore } from '../support/score.js';

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
    let passed = 0;
    const withoutExample: string[] = [];
    for (const entry of f.catalog.entries().filter(e => e.info.stored)) {
      const id = resourceId(entry.info);
      const example = EXAMPLES[id];
      const title = `${id} ${entry.info.version}`;
      if (example === undefined) {
        t.pass(title, { skip: 'no example in registry-examples.ts' });
        withoutExample.push(title);
        continue;
      }
      await t.test(title, async t => {
        await registrySuite(t, f, f.registries.get(entry), example);
        if (t.passing()) passed++;
      });
    }
    checkScore(t, 'registry', { [name]: { passed, withoutExample } });
  });
}

const spec = { type: 'object', properties: { size: { type: 'integer', default: 1 }, color: { type: 'string' } } };
const SCHEMAS = [
  ['its fields', { type: 'object', properties: { spec } }, { spec: { color: 'red' } }],
  ['anything', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, { any: [{ z: null }] }],
  ['nothing', { type: 'object' }, {}],
] as const;

t.test('a kind whose schema is known at run time only', async t => {
  const store = createMemoryStore();
  const f = await fixture({ store });
  t.teardown(async () => {
    f.close();
    await store.close();
  });
  for (const [title, props, example] of SCHEMAS) {
    const entry = customKind(loadApi(), props);
    f.catalog.setCustom([entry]);
    await t.test(title, t => registrySuite(t, f, f.registries.get(entry), example));
  }
});

t.test('kinds that come of definitions', async t => {
  const f = await definedKinds(t);
  for (const scope of ['Namespaced', 'Cluster'])
    for (const [i, [title, openAPIV3Schema, example]] of SCHEMAS.entries()) {
      const plural = `${scope.toLowerCase()}s${i}`;
      await f.define(
        definitionOf({
          plural,
          kind: `Kind${plural}`,
          scope,
          versions: [versionOf('v1', { schema: { openAPIV3Schema } })],
        }),
      );
      await f.established(`${plural}.example.org`);
      const registry = f.registries.get(f.entry('example.org', 'v1', plural));
      await t.test(`${scope}: ${title}`, t => registrySuite(t, f, registry, example));
    }
});
