import t from 'tap';
import type { KubeObject, Node, Pod } from '../../../src/machinery/types.js';
import { aNode, aPod, createScheduling, type Others } from '../../support/scheduling.js';

const NOT_HELPFUL = (nodes: number): string =>
  `no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;
const NO_VICTIMS = (nodes: number): string =>
  `no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${nodes} No preemption victims found for incoming pod.`;

interface Row {
  name: string;
  nodes: Node[];
  pods?: Pod[];
  others?: Others;
  pod: Pod;
  expect: string;
}
const hostPort = (port: number, hostIP?: string, protocol = 'TCP') => ({
  ports: [{ containerPort: port, hostPort: port, protocol, ...(hostIP === undefined ? {} : { hostIP }) }],
});
const onNodes = (...names: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: names.map(name => ({
          matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
        })),
      },
    },
  },
});
const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';
const near = (app: string, more: Record<string, unknown> = {}) => ({
  topologyKey: ZONE,
  labelSelector: { matchLabels: { app } },
  ...more,
});
const affinity = (...terms: object[]) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const antiAffinity = (...terms: object[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const inZone = (zone: string) => ({ labels: { [ZONE]: zone } });
const spread = (more: Record<string, unknown> = {}) => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: ZONE,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'a' } },
      ...more,
    },
  ],
});
const app = (name: string) => ({ labels: { app: name } });
const TAINTED = { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] };

const claim = (name: string, spec: Record<string, unknown>, bound = false): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'default',
    annotations: bound ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {},
  },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  status: { phase: bound ? 'Bound' : 'Pending' },
});
const volume = (name: string, spec: Record<string, unknown>, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, labels },
  spec: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
  status: { phase: 'Available' },
});
const storageClass = (name: string, fields: Record<string, unknown>): KubeObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  ...fields,
});
const mounts = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] });
const onHost = (name: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOST, operator: 'In', values: [name] }] }] },
  },
});
const WAIT = storageClass('wait', {
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
});

const rows: Row[] = [
  {
    name: 'reasons are counted and sorted, and nothing can be done',
    nodes: [aNode('a', { unschedulable: true }), aNode('b', TAINTED), aNode('c', { cpu: '1' })],
    pod: aPod('p', { cpu: '2' }),
    expect: `0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ${NOT_HELPFUL(3)}`,
  },
  {
    name: 'a toleration lets in',
    nodes: [aNode('a', TAINTED)],
    pod: aPod('p', { spec: { tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }] } }),
    expect: 'a',
  },
  {
    name: 'several resources are short',
    nodes: [aNode('a')],
    pod: aPod('p', { cpu: '5', memory: '9Gi' }),
    expect: `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. ${NOT_HELPFUL(1)}`,
  },
  {
    name: 'too many pods',
    nodes: [aNode('a', { pods: '1' })],
    pods: [aPod('q', { node: 'a' })],
    pod: aPod('p'),
    expect: `0/1 nodes are available: 1 Too many pods. ${NO_VICTIMS(1)}`,
  },
  {
    name: 'resources given for the whole Pod count',
    nodes: [aNode('a')],
    pod: aPod('p', { cpu: '100m', spec: { resources: { requests: { cpu: '5' } } } }),
    expect: `0/1 nodes are available: 1 Insufficient cpu. ${NOT_HELPFUL(1)}`,
  },
  {
    name: 'an init container runs beside the sidecars before it',
    nodes: [aNode('a')],
    pod: aPod('p', {
      cpu: '500m',
      spec: {
        initContainers: [
          { name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
          { name: 'i', resources: { requests: { cpu: '3500m' } } },
        ],
      },
    }),
    expect: `0/1 nodes are available: 1 Insufficient cpu. ${NOT_HELPFUL(1)}`,
  },
  {
    name: 'a host port on another address',
    nodes: [aNode('a')],
    pods: [aPod('q', { node: 'a', container: hostPort(80, '127.0.0.1') })],
    pod: aPod('p', { container: hostPort(80, '127.0.0.2') }),
    expect: 'a',
  },
  {
    name: 'a host port of another protocol',
    nodes: [aNode('a')],
    pods: [aPod('q', { node: 'a', container: hostPort(80) })],
    pod: aPod('p', { container: hostPort(80, undefined, 'UDP') }),
    expect: 'a',
  },
  {
    name: 'a host port on all addresses',
    nodes: [aNode('a')],
    pods: [aPod('q', { node: 'a', container: hostPort(80, '127.0.0.1') })],
    pod: aPod('p', { container: hostPort(80) }),
    expect: `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${NO_VICTIMS(1)}`,
  },
  {
    name: 'a node that does not exist is named',
    nodes: [aNode('a'), aNode('b')],
    pod: aPod('p', { spec: onNodes('gone') }),
    expect: `0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${NOT_HELPFUL(2)}`,
  },
  {
    name: 'one of the nodes that are named',
    nodes: [aNode('a'), aNode('b')],
    pod: aPod('p', { spec: onNodes('gone', 'b') }),
    expect: 'b',
  },
  {
    name: 'a node selector',
    nodes: [aNode('a'), aNode('b')],
    pod: aPod('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
    expect: `0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL(2)}`,
  },
  {
    name: 'required anti-affinity',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z1'))],
    pods: [aPod('q', { node: 'a', ...app('a') })],
    pod: aPod('p', { spec: antiAffinity(near('a')) }),
    expect: `0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.`,
  },
  {
    name: 'anti-affinity of a Pod that is there',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    pods: [aPod('q', { node: 'a', spec: antiAffinity(near('a')) })],
    pod: aPod('p', app('a')),
    expect: 'b',
  },
  {
    name: 'affinity to a Pod in a zone',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    pods: [aPod('q', { node: 'b', ...app('db') })],
    pod: aPod('p', { spec: affinity(near('db')) }),
    expect: 'b',
  },
  {
    name: 'affinity to nobody',
    nodes: [aNode('a', inZone('z1'))],
    pod: aPod('p', { spec: affinity(near('db')) }),
    expect: `0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ${NOT_HELPFUL(1)}`,
  },
  {
    name: 'the first of a group that wants to be together',
    nodes: [aNode('a', inZone('z1'))],
    pod: aPod('p', { ...app('db'), spec: affinity(near('db')) }),
    expect: 'a',
  },
  {
    name: 'a namespace selector finds Pods of other namespaces',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    pods: [aPod('q', { node: 'b', namespace: 'other', ...app('db') })],
    others: { namespaces: [{ metadata: { name: 'other', labels: { team: 'x' } } }] },
    pod: aPod('p', { spec: affinity(near('db', { namespaceSelector: { matchLabels: { team: 'x' } } })) }),
    expect: 'b',
  },
  {
    name: 'Pods of other namespaces do not count otherwise',
    nodes: [aNode('a', inZone('z1'))],
    pods: [aPod('q', { node: 'a', namespace: 'other', ...app('a') })],
    pod: aPod('p', { spec: antiAffinity(near('a')) }),
    expect: 'a',
  },
  {
    name: 'spread over zones',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    pods: [aPod('q', { node: 'a', ...app('a') })],
    pod: aPod('p', { ...app('a'), spec: spread() }),
    expect: 'b',
  },
  {
    name: 'fewer zones than there must be',
    nodes: [aNode('a', inZone('z1'))],
    pods: [aPod('q', { node: 'a', ...app('a') })],
    pod: aPod('p', { ...app('a'), spec: spread({ minDomains: 2 }) }),
    expect: `0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints. ${NO_VICTIMS(1)}`,
  },
  {
    name: 'a tainted node keeps others waiting',
    nodes: [aNode('a', inZone('z1')), aNode('b', { ...inZone('z2'), ...TAINTED })],
    pods: [aPod('q', { node: 'a', ...app('a') })],
    pod: aPod('p', { ...app('a'), spec: spread() }),
    expect: `0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.`,
  },
  {
    name: 'unless taints are honoured',
    nodes: [aNode('a', inZone('z1')), aNode('b', { ...inZone('z2'), ...TAINTED })],
    pods: [aPod('q', { node: 'a', ...app('a') })],
    pod: aPod('p', { ...app('a'), spec: spread({ nodeTaintsPolicy: 'Honor' }) }),
    expect: 'a',
  },
  {
    name: 'a node without the label that is spread over',
    nodes: [aNode('a')],
    pod: aPod('p', { ...app('a'), spec: spread() }),
    expect: `0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label). ${NOT_HELPFUL(1)}`,
  },
  {
    name: 'matchLabelKeys count the Pods of one revision',
    nodes: [
      aNode('a', inZone('z1')),
      aNode('b', { ...inZone('z2'), taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }),
    ],
    pods: [aPod('q', { node: 'a', labels: { app: 'a', hash: 'old' } })],
    pod: aPod('p', { labels: { app: 'a', hash: 'new' }, spec: spread({ matchLabelKeys: ['hash'] }) }),
    expect: 'a',
  },
  {
    name: 'a claim that does not exist',
    nodes: [aNode('a')],
    pod: aPod('p', { spec: mounts('gone') }),
    expect: '0/1 nodes are available: persistentvolumeclaim "gone" not found. not found',
  },
  {
    name: 'a claim that is not bound',
    nodes: [aNode('a')],
    others: { claims: [claim('c', { storageClassName: '' })] },
    pod: aPod('p', { spec: mounts('c') }),
    expect: '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
  },
  {
    name: 'a claim whose volume is on another node',
    nodes: [aNode('a'), aNode('b')],
    others: { claims: [claim('c', { volumeName: 'v' }, true)], volumes: [volume('v', onHost('b'))] },
    pod: aPod('p', { spec: mounts('c') }),
    expect: 'b',
  },
  {
    name: 'a claim that waits for its Pod goes where a volume is',
    nodes: [aNode('a'), aNode('b')],
    others: {
      classes: [WAIT],
      claims: [claim('c', { storageClassName: 'wait' })],
      volumes: [volume('v', { storageClassName: 'wait', ...onHost('b') })],
    },
    pod: aPod('p', { spec: mounts('c') }),
    expect: 'b',
  },
  {
    name: 'or nowhere',
    nodes: [aNode('a')],
    others: { classes: [WAIT], claims: [claim('c', { storageClassName: 'wait' })] },
    pod: aPod('p', { spec: mounts('c') }),
    expect: `0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind. ${NOT_HELPFUL(1)}`,
  },
  {
    name: 'or where a driver may make one',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    others: {
      classes: [
        storageClass('dynamic', {
          provisioner: 'example.com/driver',
          volumeBindingMode: 'WaitForFirstConsumer',
          allowedTopologies: [{ matchLabelExpressions: [{ key: ZONE, values: ['z2'] }] }],
        }),
      ],
      claims: [claim('c', { storageClassName: 'dynamic' })],
    },
    pod: aPod('p', { spec: mounts('c') }),
    expect: 'b',
  },
  {
    name: 'a volume labelled with a zone',
    nodes: [aNode('a', inZone('z1')), aNode('b', inZone('z2'))],
    others: { claims: [claim('c', { volumeName: 'v' }, true)], volumes: [volume('v', {}, { [ZONE]: 'z2' })] },
    pod: aPod('p', { spec: mounts('c') }),
    expect: 'b',
  },
  {
    name: 'a claim for one Pod that another one uses',
    nodes: [aNode('a')],
    pods: [aPod('q', { node: 'a', spec: mounts('c') })],
    others: {
      claims: [claim('c', { volumeName: 'v', accessModes: ['ReadWriteOncePod'] }, true)],
      volumes: [volume('v', {})],
    },
    pod: aPod('p', { spec: mounts('c') }),
    expect: `0/1 nodes are available: 1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod. ${NO_VICTIMS(1)}`,
  },
  {
    name: 'more volumes than a driver attaches',
    nodes: [aNode('a')],
    pods: [aPod('q', { node: 'a', spec: mounts('c1') })],
    others: {
      claims: [claim('c1', { volumeName: 'v1' }, true), claim('c2', { volumeName: 'v2' }, true)],
      volumes: ['1', '2'].map(n => volume(`v${n}`, { csi: { driver: 'd.example.com', volumeHandle: n } })),
      csiNodes: [
        { metadata: { name: 'a' }, spec: { drivers: [{ name: 'd.example.com', allocatable: { count: 1 } }] } },
      ],
    },
    pod: aPod('p', { spec: mounts('c2') }),
    expect: `0/1 nodes are available: 1 node(s) exceed max volume count. ${NO_VICTIMS(1)}`,
  },
  {
    name: 'a device claim that nobody has allocated',
    nodes: [aNode('a')],
    others: { resourceClaims: [{ metadata: { name: 'r', namespace: 'default' }, spec: {} }] },
    pod: aPod('p', { spec: { resourceClaims: [{ name: 'r', resourceClaimName: 'r' }] } }),
    expect:
      '0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  },
];

t.test('where a Pod goes, or why nowhere', async t => {
  for (const { name, nodes, pods = [], others, pod, expect } of rows)
    t.equal(createScheduling(nodes, pods, others).schedule(pod), expect, name);
});

t.test('what keeps a Pod out of the queue', async t => {
  const { framework } = createScheduling([], []);
  const why = (spec: Record<string, unknown>): string | undefined =>
    framework.plugins.map(plugin => plugin.preEnqueue?.(aPod('p', { spec }))).find(text => text !== undefined);
  t.equal(why({ schedulingGates: [{ name: 'x' }, { name: 'y' }] }), 'waiting for scheduling gates: [x y]');
  t.equal(
    why({ resourceClaims: [{ name: 'r', resourceClaimName: 'gone' }] }),
    'resourceclaim.resource.k8s.io "gone" not found',
  );
  t.equal(why({}), undefined);
});

t.test('Pods of large clusters go where one is free, wherever it is', async t => {
  const nodes = Array.from({ length: 500 }, (_, i) => aNode(`n${i}`, { cpu: i === 499 ? '4' : '1' }));
  t.equal(createScheduling(nodes, []).schedule(aPod('p', { cpu: '2' })), 'n499');
});
