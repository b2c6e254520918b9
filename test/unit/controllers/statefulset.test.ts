import t from 'tap';
import { CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from '../../../src/client/resources.js';
import { hashRevision } from '../../../src/controllers/history.js';
import { statefulSetController } from '../../../src/controllers/statefulset/controller.js';
import type { StatefulSet } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';
import { meta, template, settle, podNames, setPod, setAllRunning } from '../../support/workloads.js';

t.test('StatefulSet', async t => {
  const set = (spec: object = {}, more: object = {}): StatefulSet => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: meta('web'),
    spec: {
      replicas: 2,
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: template({ app: 'web' }),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
    ...more,
  });
  const status = (cluster: FakeCluster): StatefulSet['status'] =>
    (cluster.get(STATEFUL_SETS, 'default/web') as unknown as StatefulSet).status;

  t.test('one Pod after the other, with identity, claims and revision', async t => {
    const cluster = createFakeCluster();
    const claims = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }];
    cluster.load(STATEFUL_SETS, set({ volumeClaimTemplates: claims }));
    const run = await settle(cluster, statefulSetController);
    t.same(podNames(cluster), ['web-0'], 'waits for the first');
    const revision = cluster.list(CONTROLLER_REVISIONS)[0]?.metadata;
    t.match(revision, { name: /^web-[a-z0-9]+$/, labels: { app: 'web', 'controller.kubernetes.io/hash': /\w+/ } });
    t.match(cluster.get(PODS, 'default/web-0'), {
      metadata: {
        generateName: 'web-',
        labels: {
          app: 'web',
          'statefulset.kubernetes.io/pod-name': 'web-0',
          'apps.kubernetes.io/pod-index': '0',
          'controller-revision-hash': revision?.name,
        },
      },
      spec: {
        hostname: 'web-0',
        subdomain: 'web',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } }],
      },
    });
    t.match(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/data-web-0'), { metadata: { labels: { app: 'web' } } });
    t.same(
      cluster.events.map(event => event.message),
      [
        'Create Claim data-web-0 Pod web-0 in StatefulSet web success',
        'Create Pod web-0 in StatefulSet web successful',
      ],
    );
    setAllRunning(cluster);
    await run();
    t.same(podNames(cluster), ['web-0', 'web-1']);
    setAllRunning(cluster);
    await run();
    t.match(status(cluster), {
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 2,
      currentRevision: revision?.name,
      updateRevision: revision?.name,
      observedGeneration: 1,
    });
  });

  t.test('parallel management does not wait; ordinals start where told', async t => {
    const cluster = createFakeCluster();
    cluster.load(STATEFUL_SETS, set({ podManagementPolicy: 'Parallel', replicas: 3, ordinals: { start: 5 } }));
    await settle(cluster, statefulSetController);
    t.same(podNames(cluster), ['web-5', 'web-6', 'web-7']);
  });

  t.test('an update replaces from the top down to the partition', async t => {
    const cluster = createFakeCluster();
    const running = set({ replicas: 3, podManagementPolicy: 'Parallel' });
    cluster.load(STATEFUL_SETS, running);
    const run = await settle(cluster, statefulSetController);
    setAllRunning(cluster);
    await run();
    const old = status(cluster)?.currentRevision;
    const next = set({
      replicas: 3,
      podManagementPolicy: 'Parallel',
      template: template({ app: 'web' }, { terminationGracePeriodSeconds: 1 }),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    });
    cluster.load(STATEFUL_SETS, { ...next, status: status(cluster) });
    cluster.actions.length = 0;
    await run();
    t.same(
      cluster.actions.filter(a => a.verb === 'delete').map(a => a.key),
      ['default/web-2'],
      'one at a time',
    );
    setAllRunning(cluster);
    await run();
    setAllRunning(cluster);
    await run();
    const deleted = cluster.actions.filter(a => a.verb === 'delete').map(a => a.key);
    t.same(deleted, ['default/web-2', 'default/web-1'], 'the partition keeps web-0');
    t.equal(status(cluster)?.currentRevision, old);
    t.match(status(cluster), { currentReplicas: 1, updatedReplicas: 2 });
    t.equal(cluster.list(CONTROLLER_REVISIONS).length, 2);
  });

  t.test('scales down from the top, and claims follow their Pod when told', async t => {
    const cluster = createFakeCluster();
    const policy = { whenScaled: 'Delete', whenDeleted: 'Retain' };
    const spec = {
      persistentVolumeClaimRetentionPolicy: policy,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      podManagementPolicy: 'Parallel',
    };
    cluster.load(STATEFUL_SETS, set(spec));
    const run = await settle(cluster, statefulSetController);
    setAllRunning(cluster);
    await run();
    const uid = cluster.get(PODS, 'default/web-1')?.metadata.uid;
    cluster.load(STATEFUL_SETS, {
      ...set({ ...spec, replicas: 1 }),
      status: status(cluster),
    });
    await run();
    t.same(podNames(cluster), ['web-0']);
    const owners = cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/data-web-1')?.metadata.ownerReferences;
    t.match(owners, [{ kind: 'Pod', name: 'web-1', uid }]);
    t.equal(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/data-web-0')?.metadata.ownerReferences, undefined);
  });

  t.test('a failed Pod is made again', async t => {
    const cluster = createFakeCluster();
    cluster.load(STATEFUL_SETS, set({ replicas: 1 }));
    const run = await settle(cluster, statefulSetController);
    setPod(cluster, 'web-0', { phase: 'Failed' });
    await run();
    t.same(
      cluster.events.map(event => event.reason),
      ['SuccessfulCreate', 'SuccessfulDelete', 'SuccessfulCreate'],
    );
    t.same(cluster.get(PODS, 'default/web-0')?.['status'], { phase: 'Pending' }, 'a new one');
  });

  t.test('the hash of a revision is upstream’s FNV-1 of the data', async t => {
    // FNV-1 32 of {"a":"\\u003c","b":1}0, computed elsewhere.
    t.equal(hashRevision({ b: 1, a: '<' }, 0), 'b9f8d89b8');
    t.not(hashRevision({ a: 1 }, 0), hashRevision({ a: 1 }, 1));
  });
});
