import t from 'tap';
import { CONFIG_MAPS, NODES, SECRETS } from '../../../src/client/resources.js';
import type { ResourceRef } from '../../../src/client/types.js';
import { garbageCollector } from '../../../src/controllers/garbagecollector/controller.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const VERBS = ['get', 'list', 'watch', 'delete'];
const DISCOVERY: Readonly<Record<string, unknown>> = {
  '/apis': { groups: [] },
  '/api/v1': {
    resources: [
      { name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: VERBS },
      { name: 'secrets', kind: 'Secret', namespaced: true, verbs: VERBS },
      { name: 'nodes', kind: 'Node', namespaced: false, verbs: VERBS },
    ],
  },
};

interface OwnerFacts {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
}
const owner = ({ kind = 'ConfigMap', apiVersion = 'v1', name = 'owner', uid = 'uid-owner' }: OwnerFacts = {}) => ({
  apiVersion,
  kind,
  name,
  uid,
});
const object = (kind: string, namespace: string, name: string, ownerReferences: object[] = []): KubeObject =>
  ({
    apiVersion: 'v1',
    kind,
    metadata: { name, uid: `uid-${name}`, ...(namespace === '' ? {} : { namespace }), ownerReferences },
  }) as unknown as KubeObject;

async function collect(cluster: FakeCluster, change?: () => void): Promise<void> {
  const base = cluster.context();
  const request = async (_method: string, path: string): Promise<unknown> => DISCOVERY[path];
  const reconciler = garbageCollector.build({ ...base, client: { ...base.client, request } });
  void reconciler.background?.();
  const settle = async (): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve));
    while (cluster.queued.size > 0) {
      const [key = ''] = cluster.queued;
      cluster.queued.delete(key);
      await reconciler.reconcile(key);
    }
  };
  await settle();
  if (change === undefined) return;
  change();
  await settle();
}

interface Row {
  name: string;
  owners: [ResourceRef, KubeObject][];
  dependent: [ResourceRef, KubeObject];
  /** The dependent's owners in the end; undefined: it was deleted. */
  expect: string[] | undefined;
  events?: string[];
}
const ELSEWHERE = 'ownerRef [v1/ConfigMap, namespace: b, name: owner, uid: uid-owner] does not exist in namespace "b"';
const OWNER: [ResourceRef, KubeObject] = [CONFIG_MAPS, object('ConfigMap', 'a', 'owner')];

const rows: Row[] = [
  {
    name: 'the owner lives',
    owners: [OWNER],
    dependent: [SECRETS, object('Secret', 'a', 'd', [owner()])],
    expect: ['owner'],
  },
  {
    name: 'the owner is gone',
    owners: [],
    dependent: [SECRETS, object('Secret', 'a', 'd', [owner()])],
    expect: undefined,
  },
  {
    name: 'a cluster-scoped object with an owner of a namespaced kind stays, though the owner lives elsewhere',
    owners: [OWNER],
    dependent: [NODES, object('Node', '', 'd', [owner()])],
    expect: ['owner'],
    events: ['ownerRef [v1/ConfigMap, namespace: , name: owner, uid: uid-owner] does not exist in namespace ""'],
  },
  {
    name: 'a cluster-scoped object with an owner of a namespaced kind stays, though nobody has that uid',
    owners: [],
    dependent: [NODES, object('Node', '', 'd', [owner()])],
    expect: ['owner'],
  },
  {
    name: 'nor does it lose another owner that is gone',
    owners: [],
    dependent: [NODES, object('Node', '', 'd', [owner({ kind: 'Node', name: 'gone', uid: 'uid-gone' }), owner()])],
    expect: ['gone', 'owner'],
  },
  {
    name: 'an owner in another namespace does not count, and an Event says so',
    owners: [OWNER],
    dependent: [SECRETS, object('Secret', 'b', 'd', [owner()])],
    expect: undefined,
    events: [ELSEWHERE],
  },
  {
    name: 'an owner in another namespace beside one that lives is dropped',
    owners: [OWNER, [NODES, object('Node', '', 'n')]],
    dependent: [SECRETS, object('Secret', 'b', 'd', [owner(), owner({ kind: 'Node', name: 'n', uid: 'uid-n' })])],
    expect: ['n'],
    events: [ELSEWHERE],
  },
  {
    name: 'the name of an owner with another uid',
    owners: [OWNER],
    dependent: [SECRETS, object('Secret', 'a', 'd', [owner({ uid: 'uid-former' })])],
    expect: undefined,
  },
  {
    name: 'the uid of an owner with another name',
    owners: [OWNER],
    dependent: [SECRETS, object('Secret', 'a', 'd', [owner({ name: 'other' })])],
    expect: undefined,
  },
  {
    name: 'the uid of an owner with another kind',
    owners: [OWNER],
    dependent: [SECRETS, object('Secret', 'a', 'd', [owner({ kind: 'Secret' })])],
    expect: undefined,
  },
  {
    name: 'an owner of a kind that is not served: nobody can say that it is gone',
    owners: [],
    dependent: [SECRETS, object('Secret', 'a', 'd', [owner({ apiVersion: 'example.com/v1', kind: 'Widget' })])],
    expect: ['owner'],
  },
  {
    name: 'an owner in a version that is not served, and one that is gone: nothing is touched',
    owners: [],
    dependent: [
      SECRETS,
      object('Secret', 'a', 'd', [owner({ name: 'gone', uid: 'uid-gone' }), owner({ apiVersion: 'v2' })]),
    ],
    expect: ['gone', 'owner'],
  },
];

t.test('what is deleted for want of an owner', async t => {
  for (const row of rows)
    await t.test(row.name, async t => {
      const cluster = createFakeCluster();
      for (const [ref, object] of [...row.owners, row.dependent]) cluster.load(ref, object);
      await collect(cluster);
      const [ref, { metadata }] = row.dependent;
      const key = metadata.namespace === undefined ? 'd' : `${metadata.namespace}/d`;
      const left = cluster.get(ref, key)?.metadata.ownerReferences?.map(o => o.name);
      t.same(left, row.expect);
      t.same(
        cluster.events.map(event => event.message),
        row.events ?? [],
      );
    });
});

t.test('an object whose owners are all in the graph costs no request', async t => {
  const cluster = createFakeCluster();
  cluster.load(...OWNER);
  cluster.load(SECRETS, object('Secret', 'a', 'd', [owner()]));
  let asked = 0;
  const base = cluster.context();
  const resource: typeof base.client.resource = ref => {
    asked++;
    return base.client.resource(ref);
  };
  const request = async (_method: string, path: string): Promise<unknown> => DISCOVERY[path];
  const reconciler = garbageCollector.build({ ...base, client: { ...base.client, request, resource } });
  void reconciler.background?.();
  await new Promise(resolve => setImmediate(resolve));
  for (const key of [...cluster.queued]) await reconciler.reconcile(key);
  t.equal(asked, 0);
});

t.test('dependents go when an owner goes that was first named wrongly', async t => {
  const cluster = createFakeCluster();
  // The secret is listed before anything; its sibling names the owner rightly.
  cluster.load(SECRETS, object('Secret', 'a', 'wrong', [owner({ name: 'other' })]));
  cluster.load(SECRETS, object('Secret', 'a', 'right', [owner()]));
  cluster.load(...OWNER);
  await collect(cluster, () => {
    t.ok(cluster.get(SECRETS, 'a/right'), 'kept while its owner lives');
    t.notOk(cluster.get(SECRETS, 'a/wrong'), 'its owner does not exist');
    void cluster.context().client.resource(CONFIG_MAPS).delete({ namespace: 'a', name: 'owner' });
  });
  t.notOk(cluster.get(SECRETS, 'a/right'), 'gone with its owner');
});
