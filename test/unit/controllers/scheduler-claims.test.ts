import t from 'tap';
import {
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STORAGE_CLASSES,
} from '../../../src/client/resources.js';
import { buildScheduler } from '../../../src/controllers/scheduler/controller.js';
import { DEFAULT_PROFILES } from '../../../src/controllers/scheduler/profiles.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';
import { aNode, aPod } from '../../support/scheduling.js';

const storageClass = (provisioner: string): KubeObject => ({
  metadata: { name: 'wait' },
  provisioner,
  volumeBindingMode: 'WaitForFirstConsumer',
});
const claim = (annotations: Record<string, string> = {}, volumeName?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'c', namespace: 'default', uid: 'uid-c', annotations },
  spec: {
    storageClassName: 'wait',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    ...(volumeName === undefined ? {} : { volumeName }),
  },
});
const pod = aPod('p', { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] } });
const SELECTED = 'volume.kubernetes.io/selected-node';
const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' };

async function start(
  provisioner: string,
  ...volumes: KubeObject[]
): Promise<{ cluster: FakeCluster; settle(): Promise<void> }> {
  const cluster = createFakeCluster();
  cluster.load(NODES, aNode('n'));
  cluster.load(STORAGE_CLASSES, storageClass(provisioner));
  cluster.load(PERSISTENT_VOLUMES, ...volumes);
  cluster.load(PERSISTENT_VOLUME_CLAIMS, claim());
  cluster.load(PODS, pod);
  const scheduler = buildScheduler(cluster.context(), DEFAULT_PROFILES, () => 0);
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      await scheduler.reconcile('next');
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  await settle();
  return { cluster, settle };
}
const posts = (cluster: FakeCluster): number => cluster.actions.filter(({ verb }) => verb === 'post').length;
const selectedOf = (cluster: FakeCluster): string | undefined =>
  cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/c')?.metadata.annotations?.[SELECTED];

t.test('a claim is told its node, and the Pod is bound when its volume is', async t => {
  const { cluster, settle } = await start('example.com/driver');
  t.equal(selectedOf(cluster), 'n');
  t.equal(posts(cluster), 0, 'not before');
  t.match(cluster.get(PODS, 'default/p'), { status: { nominatedNodeName: 'n' } }, 'but all may know');
  cluster.load(PERSISTENT_VOLUME_CLAIMS, claim({ ...BOUND, [SELECTED]: 'n' }, 'v'));
  await settle();
  t.equal(posts(cluster), 1);
});

t.test('a provisioner that cannot takes the node back, and another one is looked for', async t => {
  const { cluster, settle } = await start('example.com/driver');
  cluster.load(PERSISTENT_VOLUME_CLAIMS, claim());
  await settle();
  t.equal(posts(cluster), 0);
  t.ok(
    cluster.events.some(
      ({ message }) =>
        message === 'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "c"',
    ),
  );
  t.equal(selectedOf(cluster), undefined);
  cluster.clock.step(1_000);
  await settle();
  t.equal(selectedOf(cluster), 'n', 'tried again');
});

t.test('a volume that is there is reserved for the claim', async t => {
  const { cluster } = await start('kubernetes.io/no-provisioner', {
    metadata: { name: 'v' },
    spec: { storageClassName: 'wait', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
    status: { phase: 'Available' },
  });
  t.match(cluster.get(PERSISTENT_VOLUMES, 'v'), {
    spec: { claimRef: { namespace: 'default', name: 'c', uid: 'uid-c' } },
  });
  t.equal(posts(cluster), 0);
});

t.test('nobody waits for the volumes of a Pod that is gone', async t => {
  const { cluster, settle } = await start('example.com/driver');
  await cluster.context().client.resource(PODS).delete({ namespace: 'default', name: 'p' });
  await settle();
  const why = 'running PreBind plugin "VolumeBinding": binding volumes: pod does not exist any more: pod "p" not found';
  t.ok(cluster.events.some(({ message }) => message === why));
  t.equal(posts(cluster), 0);
});
