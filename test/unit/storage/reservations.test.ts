import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createStrategies } from '../../../src/kinds/index.js';
import type { KvStore } from '../../../src/storage/kv-store.js';
import { StorageError } from '../../../src/storage/kv-store.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { kindDeps } from '../../support/kind-deps.js';
import { fixture, plain, record, type Fixture } from '../../support/registries.js';
import { lateStore } from '../../support/stores.js';

const ADDRESSES = 'ipaddresses.networking.k8s.io';
const PORT_KEYS = '/registry/ranges/servicenodeports/';
const NOW = { dryRun: false };

interface Spec {
  clusterIP?: string;
  type?: string;
  ports: { port: number; nodePort?: number }[];
}

const service = (name: string, spec: Partial<Spec> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type: 'NodePort', ports: [{ port: 80 }], ...spec },
});
const key = (name: string) => ({ namespace: 'ns', name });

/** An API server's registries over a store that may be another's too. */
async function server(t: { teardown(run: () => void): void }, store: KvStore): Promise<Fixture> {
  const f = await fixture({ strategies: createStrategies(kindDeps()), store });
  t.teardown(f.close);
  return f;
}

const specOf = (object: KubeObject): Spec => object['spec'] as Spec;
const create = async (f: Fixture, name: string, spec: Partial<Spec> = {}): Promise<Spec> =>
  specOf(plain((await f.registry('services').create(f.context(), 'ns', service(name, spec))).object));

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );

/** "value holder" of every reservation in the store. */
async function reserved(store: KvStore): Promise<string[]> {
  const out: string[] = [];
  for (const prefix of ['/registry/ipaddresses/', PORT_KEYS]) {
    for (const { value } of (await store.range(prefix)).items) {
      const { metadata, spec } = JSON.parse(Buffer.from(value).toString()) as KubeObject & {
        spec: { parentRef: { name: string } };
      };
      out.push(`${metadata.name ?? ''} ${spec.parentRef.name}`);
    }
  }
  return out;
}

t.test('an address and a port are objects that come and go with their Service', async t => {
  const f = await server(t, createMemoryStore());
  const addresses = await record(f.registry(ADDRESSES), f.context(), '', {});
  const before = f.store.observed();
  const spec = await create(f, 'a', { clusterIP: '10.96.0.9', ports: [{ port: 80, nodePort: 30080 }] });
  t.equal(f.store.observed(), before + 3, 'what a Service has is older than the Service');
  t.same(await reserved(f.store), ['10.96.0.9 a', '30080 a']);
  const address = plain(
    await f.registry(ADDRESSES).get(f.context(), { namespace: '', name: spec.clusterIP ?? '' }, {}),
  );
  t.match(address, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
      resourceVersion: String(before + 1),
      uid: /-/,
      managedFields: [{ manager: 'kube-apiserver', operation: 'Update' }],
    },
    spec: { parentRef: { resource: 'services', namespace: 'ns', name: 'a' } },
  });

  const services = f.registry('services');
  const stored = plain(await services.get(f.context(), key('a'), {}));
  t.equal(stored.metadata.resourceVersion, String(before + 3));
  const ports = [{ port: 80, nodePort: 30081, protocol: 'TCP', targetPort: 80 }];
  await services.update(f.context(), key('a'), { ...stored, spec: { ...specOf(stored), ports } }, '');
  t.same(await reserved(f.store), ['10.96.0.9 a', '30081 a'], 'an update gives and takes away');
  t.equal(f.store.observed(), before + 5);

  const external = plain(await services.get(f.context(), key('a'), {}));
  const away = { ...external, spec: { type: 'ExternalName', externalName: 'example.org', sessionAffinity: 'None' } };
  await services.update(f.context(), key('a'), away, '');
  t.same(await reserved(f.store), [], 'a type that needs none gives them back');
  await create(f, 'b', { clusterIP: '10.96.0.9' });
  await services.delete(f.context(), key('b'), NOW);
  t.same(await reserved(f.store), []);
  t.same(
    (await addresses.until(4)).map(line => line.split('@')[0]),
    ['ADDED 10.96.0.9', 'DELETED 10.96.0.9', 'ADDED 10.96.0.9', 'DELETED 10.96.0.9'],
  );
  addresses.watch.stop();
  await create(f, 'c');
  const held = await f.store.range('/registry/ipaddresses/');
  await services.create(f.context({ dryRun: true }), 'ns', service('d'));
  t.same(await f.store.range('/registry/ipaddresses/').then(r => r.items), held.items, 'a dry run reserves nothing');
});

for (const [name, open] of [
  [
    'one store',
    async (): Promise<[KvStore, KvStore]> => {
      const store = createMemoryStore();
      return [store, store];
    },
  ],
  [
    'one store that tells late',
    async (): Promise<[KvStore, KvStore]> => {
      const store = createMemoryStore();
      return [await lateStore(store), await lateStore(store)];
    },
  ],
] as const) {
  t.test(`two API servers over ${name} hand out no value twice`, async t => {
    const [one, two] = await open();
    const [a, b] = [await server(t, one), await server(t, two)];
    // Both count through the ranges in the same order, so that each choice of one is the other's too.
    const specs = await Promise.all(Array.from({ length: 200 }, (_, i) => create(i % 2 === 0 ? a : b, `s${i}`)));
    t.equal(new Set(specs.map(spec => spec.clusterIP)).size, 200, 'addresses');
    t.equal(new Set(specs.map(spec => spec.ports[0]?.nodePort)).size, 200, 'ports');
    t.equal((await reserved(one)).length, 400);

    const asked = { clusterIP: '10.96.0.77', ports: [{ port: 80 }] };
    const results = await Promise.all([a, b, a, b].map((f, i) => failure(create(f, `ip${i}`, asked))));
    t.equal(results.filter(result => result === 'none').length, 1, 'one of them has the address');
    const refused = results.filter(result => result !== 'none');
    for (const text of refused)
      t.match(
        text,
        /spec.clusterIPs: Invalid value: \["10.96.0.77"\]: failed to allocate IP 10.96.0.77: provided IP is already allocated$/,
      );
    const ports = { ports: [{ port: 80, nodePort: 30001 }] };
    const byPort = await Promise.all([a, b].map((f, i) => failure(create(f, `port${i}`, ports))));
    t.equal(byPort.filter(result => result === 'none').length, 1, 'one of them has the port');
    t.match(
      byPort.find(result => result !== 'none'),
      /spec.ports\[0\].nodePort: Invalid value: 30001: provided port is already allocated$/,
    );

    // What one has made the other can take away, and then give to somebody else.
    await b.registry('services').delete(b.context(), key('s0'), NOW);
    t.equal(
      (await create(a, 'again', { ...(specs[0]?.clusterIP === undefined ? {} : { clusterIP: specs[0].clusterIP }) }))
        .clusterIP,
      specs[0]?.clusterIP,
    );
  });
}

t.test('a server that stops after a commit leaves nothing without its holder, before it nothing at all', async t => {
  const memory = createMemoryStore();
  let die: 'before' | 'after' | undefined;
  const dying: KvStore = {
    ...memory,
    async commit(preconditions, ops) {
      if (die !== 'before') await memory.commit(preconditions, ops);
      if (die === undefined) return memory.commit([], []);
      throw new StorageError('io', `dead ${die} the commit`);
    },
  };
  const f = await server(t, dying);
  die = 'after';
  t.equal(await failure(create(f, 'a', { clusterIP: '10.96.0.9' })), 'dead after the commit');
  die = 'before';
  t.equal(await failure(create(f, 'b', { clusterIP: '10.96.0.10' })), 'dead before the commit');
  t.same(
    (await reserved(memory)).map(line => line.split(' ')[1]),
    ['a', 'a'],
    'all of a, nothing of b',
  );

  const revision = memory.observed();
  const next = await server(t, memory);
  t.equal(memory.observed(), revision, 'the next server finds nothing to repair');
  await create(next, 'b', { clusterIP: '10.96.0.10' });
  die = 'after';
  t.equal(await failure(f.registry('services').delete(f.context(), key('a'), NOW)), 'dead after the commit');
  t.same(
    (await reserved(memory)).map(line => line.split(' ')[1]),
    ['b', 'b'],
    'nothing of a',
  );
});

t.test('a start repairs what is missing and what is left over', async t => {
  const store = createMemoryStore();
  const old = await server(t, store);
  await create(old, 'a', { clusterIP: '10.96.0.9', ports: [{ port: 80, nodePort: 30080 }] });
  await create(old, 'gone', { clusterIP: '10.96.0.10', ports: [{ port: 80, nodePort: 30090 }] });
  const whole = await reserved(store);
  // As data of a version without reservations, and as a crash of it left them.
  const drop = async (name: string): Promise<unknown> => store.commit([], [{ type: 'delete', key: name }]);
  await drop('/registry/ipaddresses/10.96.0.9');
  await drop(`${PORT_KEYS}30080`);
  await drop('/registry/services/specs/ns/gone');
  const mine = { metadata: { name: '10.96.0.200' }, spec: { parentRef: { resource: 'services', name: 'gone' } } };
  await old.registry(ADDRESSES).create(old.context(), '', mine);
  t.equal((await reserved(store)).length, 3);

  const f = await server(t, store);
  const repaired = [...whole.filter(line => line.endsWith(' a')), '10.96.0.200 gone'].sort();
  t.same((await reserved(store)).sort(), repaired, 'what a person has made stays');
  t.match(await failure(create(f, 'b', { clusterIP: '10.96.0.9' })), /provided IP is already allocated/);
  await create(f, 'c', { clusterIP: '10.96.0.10', ports: [{ port: 80, nodePort: 30090 }] });

  // A person deletes one while the server runs: it is made again in time.
  await f.registry(ADDRESSES).delete(f.context(), { namespace: '', name: '10.96.0.9' }, NOW);
  const { resourceVersion } = await f.registry(ADDRESSES).list(f.context(), '', {});
  const seen = await record(f.registry(ADDRESSES), f.context(), '', { resourceVersion });
  f.clock.step(3 * 60_000);
  t.match(await seen.until(1), [/^ADDED 10.96.0.9@/]);
  seen.watch.stop();
  t.same(f.failures, []);
});

t.test(
  'two Services of old data with one address: the first keeps it, and the second takes nothing with it',
  async t => {
    const store = createMemoryStore();
    const old = await server(t, store);
    const spec = await create(old, 'a', { clusterIP: '10.96.0.9', type: 'ClusterIP' });
    const twin = plain(await old.registry('services').get(old.context(), key('a'), {}));
    const value = Buffer.from(JSON.stringify({ ...twin, metadata: { ...twin.metadata, name: 'b', uid: 'other' } }));
    await store.commit([], [{ type: 'put', key: '/registry/services/specs/ns/b', value }]);
    const f = await server(t, store);
    t.same(f.failures, ['repair of reservations'], 'it is told');
    t.same(await reserved(store), [`${spec.clusterIP ?? ''} a`]);
    await f.registry('services').delete(f.context(), key('b'), NOW);
    t.same(await reserved(store), [`${spec.clusterIP ?? ''} a`]);
  },
);

t.test('a finalizer on an IPAddress keeps the address from being given out again', async t => {
  const f = await server(t, createMemoryStore());
  await create(f, 'a', { clusterIP: '10.96.0.9' });
  const at = { namespace: '', name: '10.96.0.9' };
  const addresses = f.registry(ADDRESSES);
  const held = plain(await addresses.get(f.context(), at, {}));
  held.metadata.finalizers = ['example.org/hold'];
  await addresses.update(f.context(), at, held, '');
  await f.registry('services').delete(f.context(), key('a'), NOW);
  t.match((await addresses.get(f.context(), at, {})).object.metadata.deletionTimestamp, /Z$/);
  t.match(await failure(create(f, 'b', { clusterIP: '10.96.0.9' })), /provided IP is already allocated/);
});
