import t from 'tap';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../../../src/client/resources.js';
import { deploymentController } from '../../../src/controllers/deployment/controller.js';
import { newReplicas, scaleDownOld, scaleProportionally } from '../../../src/controllers/deployment/rolling.js';
import { annotationsFor, revisionOf } from '../../../src/controllers/deployment/revisions.js';
import { templateHash } from '../../../src/controllers/deployment/hash.js';
import { deletionOrder } from '../../../src/controllers/replicaset/plan.js';
import { replicaSetController } from '../../../src/controllers/replicaset/controller.js';
import type { Deployment, ReplicaSet } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { NOW, pod } from '../../support/controlled-objects.js';

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'echo' }] } };

const replicaSet = (
  name: string,
  replicas: number,
  facts: { available?: number; created?: string; annotations?: Record<string, string>; image?: string } = {},
): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    labels: { app: 'a' },
    creationTimestamp: facts.created ?? NOW,
    annotations: facts.annotations ?? {},
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web', controller: true }],
  },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'a' } },
    template: { ...template, spec: { containers: [{ name: 'c', image: facts.image ?? 'old' }] } },
  },
  status: { replicas, availableReplicas: facts.available ?? replicas },
});

t.test('ReplicaSet', async t => {
  t.test('creates, counts and remembers what it expects', async t => {
    const cluster = createFakeCluster();
    cluster.load(REPLICA_SETS, replicaSet('rs', 3));
    const { reconcile } = replicaSetController.build(cluster.context());
    await reconcile('default/rs');
    t.equal(cluster.list(PODS).length, 3);
    t.same(
      cluster.events.map(e => e.reason),
      ['SuccessfulCreate', 'SuccessfulCreate', 'SuccessfulCreate'],
    );
    await reconcile('default/rs');
    t.equal(cluster.actions.filter(a => a.verb === 'create').length, 3);
    t.match(cluster.get(REPLICA_SETS, 'default/rs'), { status: { replicas: 3, readyReplicas: 0 } });
  });
  t.test('adopts a matching orphan', async t => {
    const cluster = createFakeCluster();
    cluster.load(REPLICA_SETS, replicaSet('rs', 1));
    cluster.load(PODS, pod({ name: 'orphan' }));
    await replicaSetController.build(cluster.context()).reconcile('default/rs');
    t.equal(cluster.get(PODS, 'default/orphan')?.metadata.ownerReferences?.[0]?.uid, 'uid-rs');
    t.notOk(cluster.actions.some(a => a.verb === 'create'));
  });
  t.test('a failed create becomes a ReplicaFailure condition and a retry', async t => {
    const cluster = createFakeCluster();
    cluster.load(REPLICA_SETS, replicaSet('rs', 1, { available: 0 }));
    cluster.failNext('create', 'pods', new Error('quota'));
    await t.rejects(replicaSetController.build(cluster.context()).reconcile('default/rs'), /quota/);
    t.match(cluster.get(REPLICA_SETS, 'default/rs'), {
      status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }] },
    });
  });
  t.test('deletes in upstream order', async t => {
    const pods = [
      pod({ name: 'old-ready' }),
      pod({ name: 'not-ready', ready: false }),
      pod({ name: 'pending', phase: 'Pending', ready: false }),
      pod({ name: 'unassigned', node: '', phase: 'Pending', ready: false }),
      pod({ name: 'crowded', node: 'n2' }),
    ];
    const order = deletionOrder(
      pods,
      new Map([
        ['n1', 1],
        ['n2', 5],
      ]),
      Date.parse(NOW) + 60_000,
    );
    t.same(
      order.map(p => p.metadata.name),
      ['unassigned', 'pending', 'not-ready', 'crowded', 'old-ready'],
    );
  });
});

const deployment = (replicas: number, spec: Record<string, unknown> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-web', generation: 1, creationTimestamp: NOW },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'a' } },
    template,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    ...spec,
  },
});

t.test('Deployment', async t => {
  t.test('rolling arithmetic', async t => {
    const old = replicaSet('old', 10);
    const fresh = replicaSet('new', 0, { image: 'echo' });
    t.equal(newReplicas(deployment(10), [old, fresh], fresh), 3, '25% surge of 10 rounds up to 3');
    const grown = replicaSet('new', 3, { available: 0 });
    t.same(
      scaleDownOld(deployment(10), [old, grown], [old], grown).map(s => s.to),
      [8],
      '25% unavailable of 10 rounds down to 2',
    );
    const sick = replicaSet('old', 10, { available: 5 });
    t.same(
      scaleDownOld(deployment(10), [sick, grown], [sick], grown).map(s => s.to),
      [8],
      'unhealthy Pods go first, within the budget',
    );
    const a = replicaSet('a', 6, { annotations: { 'deployment.kubernetes.io/max-replicas': '13' } });
    const b = replicaSet('b', 7, { annotations: { 'deployment.kubernetes.io/max-replicas': '13' } });
    const scaled = scaleProportionally(deployment(20), [a, b]);
    t.equal(
      scaled.reduce((n, s) => n + s.to, 0),
      25,
      'shares add up to replicas plus surge',
    );
  });
  t.test('first rollout makes one ReplicaSet of the template', async t => {
    const cluster = createFakeCluster();
    cluster.load(DEPLOYMENTS, deployment(2));
    await deploymentController.build(cluster.context()).reconcile('default/web');
    const [set] = cluster.list(REPLICA_SETS) as ReplicaSet[];
    const hash = templateHash(template, undefined);
    t.equal(set?.metadata.name, `web-${hash}`);
    t.match(set, {
      metadata: {
        annotations: {
          'deployment.kubernetes.io/revision': '1',
          'deployment.kubernetes.io/desired-replicas': '2',
          'deployment.kubernetes.io/max-replicas': '3',
        },
      },
      spec: { replicas: 2, selector: { matchLabels: { app: 'a', 'pod-template-hash': hash } } },
    });
    t.match(cluster.get(DEPLOYMENTS, 'default/web'), {
      status: {
        conditions: [
          { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated' },
          { type: 'Available', status: 'False' },
        ],
      },
    });
    t.same(
      cluster.events.map(e => e.message),
      [`Scaled up replica set web-${hash} from 0 to 2`],
    );
  });
  t.test('revisions are int64', async t => {
    const annotations = { 'deployment.kubernetes.io/revision': '3546343826724305832' };
    t.equal(
      annotationsFor(deployment(1), annotations, revisionOf({ metadata: { annotations } }) + 1n)[
        'deployment.kubernetes.io/revision'
      ],
      '3546343826724305833',
    );
  });

  t.test('Recreate waits until the old Pods are gone', async t => {
    const cluster = createFakeCluster();
    cluster.load(DEPLOYMENTS, deployment(1, { strategy: { type: 'Recreate' } }));
    cluster.load(REPLICA_SETS, replicaSet('old', 1));
    cluster.load(PODS, pod({ name: 'p', owner: 'old' }));
    const { reconcile } = deploymentController.build(cluster.context());
    await reconcile('default/web');
    await reconcile('default/web');
    t.same(
      cluster.list(REPLICA_SETS).map(s => [s.metadata.name, (s as ReplicaSet).spec?.replicas]),
      [['old', 0]],
    );
    cluster.load(PODS, pod({ name: 'p', owner: 'old', phase: 'Succeeded' }));
    await reconcile('default/web');
    t.equal(cluster.list(REPLICA_SETS).length, 2);
  });
  t.test('the hash does not depend on how the template was written', async t => {
    const reordered = { spec: { containers: [{ image: 'echo', name: 'c' }] }, metadata: { labels: { app: 'a' } } };
    t.equal(templateHash(template as never, undefined), templateHash(reordered as never, undefined));
    t.not(templateHash(template, undefined), templateHash(template, 1));
  });
});
