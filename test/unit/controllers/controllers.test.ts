import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import {
  CLUSTER_ROLES,
  DEPLOYMENTS,
  ENDPOINTS,
  ENDPOINT_SLICES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICES,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '../../../src/client/resources.js';
import type { Client } from '../../../src/client/types.js';
import { ALL_CONTROLLERS } from '../../../src/controllers/all.js';
import { clusterRoleAggregationController } from '../../../src/controllers/clusterroleaggregation/controller.js';
import { deploymentController } from '../../../src/controllers/deployment/controller.js';
import { newReplicas, scaleDownOld, scaleProportionally } from '../../../src/controllers/deployment/rolling.js';
import { annotationsFor, revisionOf } from '../../../src/controllers/deployment/revisions.js';
import { templateHash } from '../../../src/controllers/deployment/hash.js';
import { byHash, fnv128a, printPort } from '../../../src/controllers/endpoints/hash-order.js';
import { endpointsController } from '../../../src/controllers/endpoints/controller.js';
import { endpointSliceController } from '../../../src/controllers/endpointslice/controller.js';
import { MAX_ENDPOINTS_PER_SLICE } from '../../../src/controllers/endpointslice/plan.js';
import { createCidrSet } from '../../../src/controllers/nodeipam/cidr-set.js';
import type { Problems } from '../../../src/controllers/namespace/conditions.js';
import { deleteContent } from '../../../src/controllers/namespace/content.js';
import { silentConditions, wantedTaints } from '../../../src/controllers/nodelifecycle/health.js';
import { deletionOrder } from '../../../src/controllers/replicaset/plan.js';
import { replicaSetController } from '../../../src/controllers/replicaset/controller.js';
import { serviceAccountTokenController } from '../../../src/controllers/serviceaccount/tokens-controller.js';
import { selectControllers, UnknownControllerError } from '../../../src/controllers/select.js';
import type {
  Deployment,
  EndpointSlice,
  KubeObject,
  Node,
  Pod,
  ReplicaSet,
  Secret,
  Service,
} from '../../../src/machinery/types.js';
import { toleratedFor } from '../../../src/controllers/tainteviction/tolerance.js';
import { createFakeCluster } from '../../support/fake-cluster.js';

const NOW = '2026-01-01T00:00:00Z';

interface PodFacts {
  name: string;
  ip?: string;
  ready?: boolean;
  node?: string;
  phase?: string;
  deleting?: boolean;
  labels?: Record<string, string>;
  owner?: string;
  extra?: Record<string, unknown>;
}
const pod = ({
  name,
  ip,
  ready = true,
  node = 'n1',
  phase = 'Running',
  deleting = false,
  labels = { app: 'a' },
  owner,
  extra = {},
}: PodFacts): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    labels,
    creationTimestamp: NOW,
    ...(deleting ? { deletionTimestamp: NOW } : {}),
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: `uid-${owner}`, controller: true },
          ],
        }),
  },
  spec: {
    nodeName: node,
    containers: [{ name: 'c', image: 'echo', ports: [{ name: 'http', containerPort: 8080 }] }],
    ...extra,
  },
  status: {
    phase,
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: NOW }],
  },
});

const service = (spec: Record<string, unknown> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-web', creationTimestamp: NOW, labels: { team: 'x' } },
  spec: {
    clusterIP: '10.96.0.9',
    ipFamilies: ['IPv4'],
    selector: { app: 'a' },
    ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...spec,
  },
});

const node = (
  name: string,
  facts: {
    ready?: string;
    taints?: unknown[];
    labels?: Record<string, string>;
    unschedulable?: boolean;
    cpu?: string;
  } = {},
): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: facts.labels ?? {}, creationTimestamp: NOW },
    spec: {
      ...(facts.taints === undefined ? {} : { taints: facts.taints }),
      ...(facts.unschedulable === true ? { unschedulable: true } : {}),
    },
    status: {
      conditions: [{ type: 'Ready', status: facts.ready ?? 'True' }],
      allocatable: { cpu: facts.cpu ?? '4', memory: '8Gi', pods: '110' },
    },
  }) as unknown as Node;

t.test('--controllers', async t => {
  const names = (list: string): string[] => selectControllers(ALL_CONTROLLERS, list.split(',')).map(c => c.name);
  t.equal(names('*').length, ALL_CONTROLLERS.length);
  t.notOk(names('*,-scheduler').includes('scheduler'));
  t.same(names('endpointslice,deployment-controller'), ['deployment-controller', 'endpointslice-controller']);
  t.same(names('-scheduler'), []);
  t.throws(() => names('*,-nope'), UnknownControllerError);
});

t.test('Endpoints of a Service', async t => {
  const rows = [
    {
      name: 'ready and not ready addresses, sorted',
      pods: [
        pod({ name: 'b', ip: '10.0.0.2' }),
        pod({ name: 'a', ip: '10.0.0.1' }),
        pod({ name: 'c', ip: '10.0.0.3', ready: false }),
      ],
      expect: [{ ready: ['10.0.0.1', '10.0.0.2'], notReady: ['10.0.0.3'], ports: [8080] }],
    },
    {
      name: 'terminal, deleting, unselected and addressless Pods do not count',
      pods: [
        pod({ name: 'a', ip: '10.0.0.1', phase: 'Succeeded' }),
        pod({ name: 'b', ip: '10.0.0.2', deleting: true }),
        pod({ name: 'c', ip: '10.0.0.3', labels: { app: 'other' } }),
        pod({ name: 'd' }),
      ],
      expect: [],
    },
    {
      name: 'publishNotReadyAddresses publishes all, also deleting ones',
      service: service({ publishNotReadyAddresses: true }),
      pods: [pod({ name: 'a', ip: '10.0.0.1', ready: false }), pod({ name: 'b', ip: '10.0.0.2', deleting: true })],
      expect: [{ ready: ['10.0.0.1', '10.0.0.2'], notReady: [], ports: [8080] }],
    },
    {
      name: 'a named port that a Pod lacks leaves the Pod out',
      service: service({ ports: [{ port: 80, targetPort: 'grpc' }] }),
      pods: [pod({ name: 'a', ip: '10.0.0.1' })],
      expect: [],
    },
    {
      name: 'a headless Service without ports keeps its addresses',
      service: service({ clusterIP: 'None', ports: [] }),
      pods: [pod({ name: 'a', ip: '10.0.0.1' })],
      expect: [{ ready: ['10.0.0.1'], notReady: [], ports: [] }],
    },
  ];
  for (const row of rows) {
    const cluster = createFakeCluster();
    cluster.load(SERVICES, row.service ?? service());
    cluster.load(PODS, ...row.pods);
    await endpointsController.build(cluster.context()).reconcile('default/web');
    const made = cluster.get(ENDPOINTS, 'default/web') as {
      subsets?: { addresses?: { ip: string }[]; notReadyAddresses?: { ip: string }[]; ports?: { port: number }[] }[];
    };
    const got = (made.subsets ?? []).map(s => ({
      ready: (s.addresses ?? []).map(a => a.ip),
      notReady: (s.notReadyAddresses ?? []).map(a => a.ip),
      ports: (s.ports ?? []).map(p => p.port),
    }));
    t.same(got, row.expect, row.name);
  }
  const cluster = createFakeCluster();
  cluster.load(SERVICES, service());
  cluster.load(PODS, pod({ name: 'a', ip: '10.0.0.1' }));
  const { reconcile } = endpointsController.build(cluster.context());
  await reconcile('default/web');
  const { metadata } = cluster.get(ENDPOINTS, 'default/web') as KubeObject;
  t.same(metadata.labels, { team: 'x', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
  t.equal(metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'], NOW);
  await reconcile('default/web');
  t.equal(cluster.actions.length, 1, 'nothing changed, nothing written');
});

const slicesOf = (cluster: ReturnType<typeof createFakeCluster>): EndpointSlice[] =>
  cluster.list(ENDPOINT_SLICES) as EndpointSlice[];

t.test('EndpointSlices of a Service', async t => {
  t.test('conditions say ready, serving, terminating', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('n1', { labels: { 'topology.kubernetes.io/zone': 'z1' } }));
    cluster.load(SERVICES, service({ trafficDistribution: 'PreferClose' }));
    cluster.load(
      PODS,
      pod({ name: 'a', ip: '10.0.0.1' }),
      pod({ name: 'b', ip: '10.0.0.2', deleting: true }),
      pod({ name: 'c', ip: '10.0.0.3', node: 'gone' }),
    );
    const { reconcile } = endpointSliceController.build(cluster.context());
    await t.rejects(reconcile('default/web'), {
      message: 'skipping Pod c for Service default/web: Node gone Not Found',
    });
    t.match(cluster.events, [{ type: 'Warning', reason: 'FailedToUpdateEndpointSlices' }]);
    const [slice] = slicesOf(cluster);
    t.match(slice, {
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      metadata: {
        labels: {
          team: 'x',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
      },
    });
    t.same(
      slice?.endpoints?.map(e => [
        e.addresses[0],
        e.conditions?.ready,
        e.conditions?.serving,
        e.conditions?.terminating,
        e.zone,
        e.hints?.forZones?.[0]?.name,
      ]),
      [
        ['10.0.0.1', true, true, false, 'z1', 'z1'],
        ['10.0.0.2', false, true, true, 'z1', undefined],
      ],
      'a Pod whose node is gone is left out',
    );
  });

  t.test('no Pods: one placeholder, kept as it is', async t => {
    const cluster = createFakeCluster();
    cluster.load(SERVICES, service());
    const { reconcile } = endpointSliceController.build(cluster.context());
    await reconcile('default/web');
    await reconcile('default/web');
    t.equal(cluster.actions.length, 1);
    t.same(
      slicesOf(cluster).map(s => [s.endpoints, s.ports]),
      [[undefined, undefined]],
      'empty lists are nobody’s field',
    );
  });

  t.test('packing', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('n1'));
    cluster.load(SERVICES, service());
    const address = (i: number): string => `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    for (let i = 0; i < 250; i++) cluster.load(PODS, pod({ name: `p${i}`, ip: address(i) }));
    const { reconcile } = endpointSliceController.build(cluster.context());
    await reconcile('default/web');
    t.same(
      slicesOf(cluster)
        .map(s => s.endpoints?.length)
        .sort(),
      [100, 100, 50],
    );
    cluster.actions.length = 0;
    cluster.load(PODS, pod({ name: 'p250', ip: address(250) }));
    await reconcile('default/web');
    t.same(
      cluster.actions.map(a => a.verb),
      ['update'],
      'one more endpoint goes into the slice with room',
    );
    cluster.actions.length = 0;
    cluster.load(PODS, pod({ name: 'p0', ip: address(0), ready: false }));
    await reconcile('default/web');
    t.same(
      cluster.actions.map(a => a.verb),
      ['update'],
      'a changed endpoint rewrites its slice only',
    );
    t.ok(slicesOf(cluster).every(s => (s.endpoints ?? []).length <= MAX_ENDPOINTS_PER_SLICE));
  });

  t.test('a change of the ports reuses the slice', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('n1'));
    cluster.load(SERVICES, service());
    cluster.load(PODS, pod({ name: 'a', ip: '10.0.0.1' }));
    const { reconcile } = endpointSliceController.build(cluster.context());
    await reconcile('default/web');
    cluster.actions.length = 0;
    cluster.load(SERVICES, service({ ports: [{ port: 80, targetPort: 9090, protocol: 'TCP' }] }));
    await reconcile('default/web');
    t.same(
      cluster.actions.map(a => a.verb),
      ['update'],
    );
    t.equal(slicesOf(cluster)[0]?.ports?.[0]?.port, 9090);
  });
});

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

t.test('node lifecycle', async t => {
  const taint = (key: string): { key: string; effect: string; timeAdded: string } => ({
    key,
    effect: 'NoExecute',
    timeAdded: NOW,
  });
  const rows = [
    { name: 'no toleration: at once', tolerations: [], expect: 0 },
    {
      name: 'for a while',
      tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds: 30 }],
      expect: 30_000,
    },
    { name: 'for ever', tolerations: [{ operator: 'Exists' }], expect: undefined },
  ];
  for (const row of rows)
    t.equal(
      toleratedFor(pod({ name: 'p', extra: { tolerations: row.tolerations } }), [taint('k') as never]),
      row.expect,
      row.name,
    );
  t.same(
    wantedTaints(node('a', { ready: 'Unknown' }), NOW)?.map(x => [x.key, x.effect]),
    [
      ['node.kubernetes.io/unreachable', 'NoSchedule'],
      ['node.kubernetes.io/unreachable', 'NoExecute'],
    ],
  );
  t.equal(wantedTaints(node('a'), NOW), undefined, 'nothing to change');
  t.same(
    wantedTaints(
      node('a', {
        taints: [
          { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
          { key: 'mine', effect: 'NoSchedule' },
        ],
      }),
      NOW,
    )?.map(x => x.key),
    ['mine'],
  );
  t.match(silentConditions(node('a'), NOW)?.[0], { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' });
});

t.test('pod ranges', async t => {
  const set = createCidrSet('10.244.0.0/16', 24);
  set.occupy('10.244.0.0/24');
  t.equal(set.allocate(), '10.244.1.0/24');
  set.release('10.244.0.0/24');
  t.equal(set.allocate(), '10.244.0.0/24');
  t.notOk(set.occupy('10.99.0.0/24'));
  const small = createCidrSet('10.0.0.0/24', 24);
  t.equal(small.allocate(), '10.0.0.0/24');
  t.equal(small.allocate(), undefined);
  t.throws(() => createCidrSet('nonsense', 24), RangeError);
});

t.test('aggregated ClusterRoles', async t => {
  const cluster = createFakeCluster();
  const rule = (resource: string) => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
  const role = (name: string, labels: Record<string, string>, rules: unknown[]): KubeObject => ({
    metadata: { name, labels },
    rules,
  });
  const sum = {
    metadata: { name: 'sum', labels: { to: 'sum' } },
    aggregationRule: {
      clusterRoleSelectors: [{ matchLabels: { to: 'sum' } }, { matchExpressions: [{ key: 'x', operator: 'Exists' }] }],
    },
    rules: null,
  };
  cluster.load(
    CLUSTER_ROLES,
    sum,
    role('b', { to: 'sum' }, [rule('b'), rule('shared')]),
    role('a', { to: 'sum', x: '' }, [rule('shared'), rule('a')]),
    role('c', { to: 'other' }, [rule('c')]),
    role('d', { x: 'y' }, [rule('d')]),
  );
  const { reconcile } = clusterRoleAggregationController.build(cluster.context());
  await reconcile('sum');
  t.same(cluster.get(CLUSTER_ROLES, 'sum')?.['rules'], [rule('shared'), rule('a'), rule('b'), rule('d')]);
  await reconcile('sum');
  await reconcile('c');
  await reconcile('gone');
  t.equal(cluster.actions.length, 1, 'nothing changed, nothing written');
  cluster.queued.clear();
  cluster.load(CLUSTER_ROLES, role('c', { to: 'sum' }, [rule('c')]));
  t.ok(cluster.queued.has('sum'), 'any change of any role is looked at');
});

t.test('Endpoints keep upstream’s order, which is a hash’s', async t => {
  t.equal(fnv128a(''), '6c62272e07bb014262b821756295c58d');
  t.equal(fnv128a('foobar'), '343e1662793c64bf6f0d3597ba446f18');
  const ports = [
    { name: 'alt', port: 9999, protocol: 'TCP' },
    { name: 'http', port: 8080, protocol: 'TCP' },
  ];
  t.equal(
    printPort(ports[1]!),
    '(v1.EndpointPort){Name:(string)http Port:(int32)8080 Protocol:(v1.Protocol)TCP AppProtocol:(*string)<nil>}',
  );
  t.same(
    byHash(ports, printPort).map(p => p.name),
    ['http', 'alt'],
  );
});

t.test('Secrets for tokens are filled in, and go with their account', async t => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const serviceAccountKey = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const secret = (name: string, account: string, uid?: string): Secret => ({
    metadata: {
      name,
      namespace: 'default',
      annotations: {
        'kubernetes.io/service-account.name': account,
        ...(uid === undefined ? {} : { 'kubernetes.io/service-account.uid': uid }),
      },
    },
    type: 'kubernetes.io/service-account-token',
  });
  const cluster = createFakeCluster();
  cluster.load(SERVICE_ACCOUNTS, { metadata: { name: 'robot', namespace: 'default', uid: 'u' } });
  cluster.load(SECRETS, secret('mine', 'robot'), secret('stale', 'robot', 'old'), secret('lost', 'nobody'));
  const { reconcile } = serviceAccountTokenController.build(cluster.context({ rootCa: 'CA', serviceAccountKey }));
  for (const name of ['mine', 'stale', 'lost']) await reconcile(`default/${name}`);
  t.strictSame(
    cluster.list(SECRETS).map(s => s.metadata.name),
    ['mine'],
  );
  const [mine] = cluster.list(SECRETS) as Secret[];
  t.equal(mine?.metadata.annotations?.['kubernetes.io/service-account.uid'], 'u');
  t.same(Object.keys(mine?.data ?? {}).sort(), ['ca.crt', 'namespace', 'token']);
  const written = cluster.actions.length;
  await reconcile('default/mine');
  t.equal(cluster.actions.length, written, 'nothing is missing');
});

t.test('a namespace is emptied of Pods first', async t => {
  const configMaps = { group: '', version: 'v1', resource: 'configmaps', namespaced: true };
  const resources = [PODS, configMaps].map(ref => ({
    ref,
    kind: '',
    versions: [ref.version],
    verbs: ['delete', 'deletecollection', 'list'],
  }));
  const held = pod({ name: 'held', deleting: true, extra: {} });
  const finalized = { ...held, metadata: { ...held.metadata, finalizers: ['example.org/keep'] } };
  const empty = async (pods: Pod[], sinceMs: number) => {
    const deleted: string[] = [];
    const client = {
      request: async (_method: string, path: string) => void deleted.push(path.split('/').at(-1) ?? ''),
      resource: (ref: { resource: string }) => ({ list: async () => ({ items: ref.resource === 'pods' ? pods : [] }) }),
    } as unknown as Client;
    const problems: Problems = new Map();
    const { estimateSeconds } = await deleteContent(client, resources, 'ns', sinceMs, problems);
    return { deleted, estimateSeconds, problems: [...problems.values()].map(({ message }) => message) };
  };
  t.strictSame(await empty([], 0), { deleted: ['pods', 'configmaps'], estimateSeconds: 0, problems: [] });
  t.strictSame(
    await empty([finalized], 60_000),
    { deleted: ['pods'], estimateSeconds: 15, problems: [] },
    'a finalizer may take its time',
  );
  t.strictSame(
    await empty([held], 60_000),
    {
      deleted: ['pods'],
      estimateSeconds: 0,
      problems: [
        'Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: ns for gvr: /v1, Resource=pods',
      ],
    },
    'what neither has grace nor finalizers should be gone',
  );
});
