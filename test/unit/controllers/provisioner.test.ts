import t from 'tap';
import {
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  STORAGE_CLASSES,
} from '../../../src/client/resources.js';
import type { ControllerDefinition } from '../../../src/controllers/controller.js';
import { ephemeralVolumeController } from '../../../src/controllers/ephemeralvolume/controller.js';
import { volumeExpandController } from '../../../src/controllers/volumeexpand/controller.js';
import { localPathProvisioner } from '../../../src/controllers/localpath/controller.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';
import { aNode, aPod } from '../../support/scheduling.js';

const PROVISIONER = 'rancher.io/local-path';

const storageClass = (volumeBindingMode: string, fields: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard' },
  provisioner: PROVISIONER,
  reclaimPolicy: 'Delete',
  volumeBindingMode,
  ...fields,
});
const claim = (spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name: 'c',
    namespace: 'ns',
    uid: 'u',
    annotations: { 'volume.kubernetes.io/storage-provisioner': PROVISIONER, ...annotations },
  },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'standard',
    ...spec,
  },
});
const SELECTED = { 'volume.kubernetes.io/selected-node': 'b' };

/** Works the queue off, with what was put off; failures are kept. */
async function run(cluster: FakeCluster, definition: ControllerDefinition): Promise<string[]> {
  const reconciler = definition.build(cluster.context());
  const failures: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    for (const key of [...cluster.queued]) {
      cluster.queued.delete(key);
      await reconciler.reconcile(key).catch((error: unknown) => void failures.push((error as Error).message));
    }
    cluster.clock.step(10_000);
  }
  return failures;
}

interface Row {
  name: string;
  class: KubeObject;
  claim: KubeObject;
  /** The node of the volume that is made. */
  node?: string;
  events: string[];
}
const MADE = ['External provisioner is provisioning volume for claim "ns/c"', 'Successfully provisioned volume pvc-u'];
const rows: Row[] = [
  {
    name: 'on the node that the scheduler chose',
    class: storageClass('WaitForFirstConsumer'),
    claim: claim({}, SELECTED),
    node: 'b',
    events: MADE,
  },
  {
    name: 'not before the scheduler has chosen',
    class: storageClass('WaitForFirstConsumer'),
    claim: claim(),
    events: [],
  },
  { name: 'at once, on any node', class: storageClass('Immediate'), claim: claim(), node: 'a', events: MADE },
  {
    name: 'not for many nodes',
    class: storageClass('WaitForFirstConsumer'),
    claim: claim({ accessModes: ['ReadWriteMany'] }, SELECTED),
    events: [
      'failed to provision volume with StorageClass "standard": NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes',
    ],
  },
  {
    name: 'not for a class of another provisioner',
    class: storageClass('Immediate', { provisioner: 'example.com/other' }),
    claim: claim(),
    events: [],
  },
];

/** A node whose agent is Kubette's. */
const ourNode = (name: string): KubeObject => {
  const node = aNode(name);
  const status = node['status'] as object;
  return { ...node, status: { ...status, nodeInfo: { containerRuntimeVersion: 'kubette://0.1.0' } } };
};

t.test('volumes are made', async t => {
  for (const row of rows)
    await t.test(row.name, async t => {
      const cluster = createFakeCluster();
      cluster.load(NODES, ourNode('a'), ourNode('b'));
      cluster.load(STORAGE_CLASSES, row.class);
      cluster.load(PERSISTENT_VOLUME_CLAIMS, row.claim);
      await run(cluster, localPathProvisioner);
      const made = cluster.get(PERSISTENT_VOLUMES, 'pvc-u');
      t.equal(made?.metadata.annotations?.['local.path.provisioner/selected-node'], row.node);
      if (row.node !== undefined)
        t.match(made, {
          spec: {
            capacity: { storage: '1Gi' },
            claimRef: { namespace: 'ns', name: 'c', uid: 'u' },
            persistentVolumeReclaimPolicy: 'Delete',
            storageClassName: 'standard',
            nodeAffinity: {
              required: { nodeSelectorTerms: [{ matchExpressions: [{ operator: 'In', values: [row.node] }] }] },
            },
          },
        });
      t.same([...new Set(cluster.events.map(event => event.message))], row.events);
    });
});

t.test('a node that has gone meanwhile is chosen anew', async t => {
  const cluster = createFakeCluster();
  cluster.load(STORAGE_CLASSES, storageClass('WaitForFirstConsumer'));
  cluster.load(PERSISTENT_VOLUME_CLAIMS, claim({}, SELECTED));
  await run(cluster, localPathProvisioner);
  const left = cluster.get(PERSISTENT_VOLUME_CLAIMS, 'ns/c');
  t.equal(left?.metadata.annotations?.['volume.kubernetes.io/selected-node'], undefined);
});

t.test('volumes go with their claims as their policy says', async t => {
  for (const [policy, isLeft] of [
    ['Delete', false],
    ['Retain', true],
  ] as const) {
    const cluster = createFakeCluster();
    const volume = (name: string, phase: string, by: string): KubeObject => ({
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': by } },
      spec: { persistentVolumeReclaimPolicy: policy },
      status: { phase },
    });
    cluster.load(
      PERSISTENT_VOLUMES,
      volume('released', 'Released', PROVISIONER),
      volume('bound', 'Bound', PROVISIONER),
      volume('foreign', 'Released', 'example.com/other'),
    );
    await run(cluster, localPathProvisioner);
    const names = cluster.list(PERSISTENT_VOLUMES).map(({ metadata }) => metadata.name);
    t.same(names, isLeft ? ['released', 'bound', 'foreign'] : ['bound', 'foreign'], policy);
  }
});

t.test('files go from their node before the volume does', async t => {
  const volume: KubeObject = {
    metadata: {
      name: 'pvc-u',
      annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER, 'local.path.provisioner/selected-node': 'a' },
    },
    spec: {
      persistentVolumeReclaimPolicy: 'Delete',
      hostPath: { path: '/var/local-path-provisioner/pvc-u_ns_c', type: 'DirectoryOrCreate' },
    },
    status: { phase: 'Released' },
  };
  const cluster = createFakeCluster();
  cluster.load(NODES, ourNode('a'));
  cluster.load(PERSISTENT_VOLUMES, volume);
  await run(cluster, localPathProvisioner);
  t.same(
    cluster.actions.filter(({ verb }) => verb === 'delete').map(({ resource, key }) => `${resource} ${key}`),
    ['nodes/proxy DELETE /api/v1/nodes/a/proxy/volumes/pvc-u_ns_c', 'persistentvolumes pvc-u'],
  );
  const away = createFakeCluster();
  const node = ourNode('a');
  const conditions = [{ type: 'Ready', status: 'Unknown' }];
  away.load(NODES, { ...node, status: { ...(node['status'] as object), conditions } });
  away.load(PERSISTENT_VOLUMES, volume);
  t.ok((await run(away, localPathProvisioner)).includes('node a is not Ready'));
  t.equal(away.list(PERSISTENT_VOLUMES).length, 1, 'a volume waits for its node');
});

t.test('a claim that wants to grow is told whom it waits for', async t => {
  const bound = (asks: string, phase = 'Bound'): KubeObject => ({
    metadata: { name: `c-${asks}-${phase}`, namespace: 'ns' },
    spec: { resources: { requests: { storage: asks } } },
    status: { phase, capacity: { storage: '1Gi' } },
  });
  const cluster = createFakeCluster();
  cluster.load(PERSISTENT_VOLUME_CLAIMS, bound('2Gi'), bound('1Gi'), bound('2Gi', 'Lost'));
  await run(cluster, volumeExpandController);
  t.match(cluster.events, [
    { type: 'Normal', reason: 'ExternalExpanding', message: 'waiting for an external controller to expand this PVC' },
  ]);
  t.equal(cluster.events.length, 1);
});

t.test('the default class comes with the first node, unless there is another class', async t => {
  const classes = async (before: KubeObject[], nodes: KubeObject[]): Promise<unknown[]> => {
    const cluster = createFakeCluster();
    cluster.load(STORAGE_CLASSES, ...before);
    cluster.load(NODES, ...nodes);
    await run(cluster, localPathProvisioner);
    return cluster.list(STORAGE_CLASSES).map(({ metadata }) => metadata.name);
  };
  t.same(await classes([], [ourNode('a')]), ['standard']);
  t.same(await classes([], [aNode('a')]), [], 'a Node that is only an object has no directories');
  t.same(await classes([], []), []);
  t.same(await classes([{ metadata: { name: 'mine' } }], [ourNode('a')]), ['mine']);
});

t.test('claims of ephemeral volumes', async t => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce'] } };
  const pod = aPod('p', { spec: { volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: template } }] } });
  await t.test('are made, and go with their Pod', async t => {
    const cluster = createFakeCluster();
    cluster.load(PODS, pod);
    await run(cluster, ephemeralVolumeController);
    t.match(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'default/p-v'), {
      metadata: { labels: { a: 'b' }, ownerReferences: [{ kind: 'Pod', name: 'p', uid: 'uid-p', controller: true }] },
      spec: { accessModes: ['ReadWriteOnce'] },
    });
  });
  await t.test('are not those of somebody else', async t => {
    const cluster = createFakeCluster();
    cluster.load(PODS, pod);
    cluster.load(PERSISTENT_VOLUME_CLAIMS, { metadata: { name: 'p-v', namespace: 'default', uid: 'x' } });
    const failures = await run(cluster, ephemeralVolumeController);
    const why = 'PVC default/p-v was not created for pod default/p (pod is not owner)';
    t.equal(failures[0], why);
    t.match(cluster.events[0], { reason: 'FailedBinding', message: `ephemeral volume v: ${why}` });
  });
});
