import t from 'tap';
import { PODS, REPLICATION_CONTROLLERS } from '../../../src/client/resources.js';
import { replicationControllerController } from '../../../src/controllers/replicationcontroller/controller.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { meta, template, settle } from '../../support/workloads.js';

t.test('ReplicationController: a ReplicaSet by another name', async t => {
  const cluster = createFakeCluster();
  cluster.load(REPLICATION_CONTROLLERS, {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: meta('rc'),
    spec: { replicas: 2, selector: { app: 'rc' }, template: template({ app: 'rc' }) },
  });
  await settle(cluster, replicationControllerController);
  t.equal(cluster.list(PODS).length, 2);
  const stored = cluster.get(REPLICATION_CONTROLLERS, 'default/rc');
  t.match(stored, { spec: { selector: { app: 'rc' } }, status: { replicas: 2 } });
  t.notOk('terminatingReplicas' in (stored?.['status'] as object), 'which its status does not have');
});
