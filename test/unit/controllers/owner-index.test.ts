import t from 'tap';
import { createStore } from '../../../src/client/indexer.js';
import { templatePatch } from '../../../src/controllers/history.js';
import { byController, CONTROLLER_INDEX, ownedOrOrphaned } from '../../../src/controllers/ownership.js';
import { planReplicas } from '../../../src/controllers/replicaset/plan.js';
import type { Pod, ReplicaSet } from '../../../src/machinery/types.js';
import { aPod } from '../../support/scheduling.js';

t.test('an owner looks at what it controls and at orphans of its namespace', async t => {
  const store = createStore<Pod>();
  store.addIndex(CONTROLLER_INDEX, byController);
  const ownedBy = (uid: string) => ({
    metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid, controller: true }] },
  });
  store.put(aPod('mine', ownedBy('u1')));
  store.put(aPod('other', ownedBy('u2')));
  store.put(aPod('orphan'));
  store.put(aPod('far', { namespace: 'elsewhere' }));
  const names = ownedOrOrphaned(store, { metadata: { uid: 'u1', namespace: 'default' } }).map(pod => pod.metadata.name);
  t.same(names, ['mine', 'orphan']);
});

t.test('Pods of a family are only asked for when some must go', async t => {
  const set = { metadata: { name: 's' }, spec: { replicas: 1 } } as unknown as ReplicaSet;
  let asked = 0;
  const family = (): Pod[] => {
    asked++;
    return [];
  };
  planReplicas(set, [aPod('a')], family, 0);
  t.equal(asked, 0);
  planReplicas(set, [aPod('a'), aPod('b')], family, 0);
  t.equal(asked, 1);
});

t.test('the data of a revision is what Go makes of a map: sorted keys', async t => {
  const template = { spec: { dnsPolicy: 'Default', containers: [{ name: 'c', image: 'i' }] }, metadata: {} };
  t.equal(
    JSON.stringify(templatePatch(template)),
    '{"spec":{"template":{"$patch":"replace","metadata":{},"spec":{"containers":[{"image":"i","name":"c"}],"dnsPolicy":"Default"}}}}',
  );
});
