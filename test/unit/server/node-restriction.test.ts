import t from 'tap';
import type { KubeObject, ObjectKey } from '../../../src/machinery/types.js';
import type { UserInfo } from '../../../src/api/strategy.js';
import { createNodeRestriction } from '../../../src/server/admission/node-restriction.js';
import { alwaysDeny } from '../../../src/server/auth/authorizer.js';
import { verdict } from '../../support/admission.js';

const NODE: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] };

t.test('NodeRestriction', t => {
  const plugin = createNodeRestriction(alwaysDeny);
  const pod = (name: string, nodeName: string, uid = name): KubeObject => ({
    metadata: { name, namespace: 'ns', uid },
    spec: {
      nodeName,
      containers: [],
      volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { audience: 'vault' } }] } }],
    },
  });
  const stored = {
    pods: [pod('mine', 'n1'), pod('theirs', 'n2')],
    nodes: [{ metadata: { name: 'n1', uid: 'u1' } }],
  };
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true };
  const mirror = (spec: object = {}, metadata: object = {}): KubeObject => ({
    metadata: { name: 'm', annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner], ...metadata },
    spec: { nodeName: 'n1', containers: [], ...spec },
  });
  const node = (labels: Record<string, string> = {}, more: object = {}, name = 'n1'): KubeObject => ({
    metadata: { name, labels },
    ...more,
  });
  const bound = (name: string, uid: string, audiences?: string[]): KubeObject => ({
    metadata: {},
    spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid }, ...(audiences && { audiences }) },
  });
  const update = { operation: 'UPDATE' } as const;
  const remove = { operation: 'DELETE' } as const;
  const pods = 'pods "m" is forbidden: ';
  const at = (name: string): { key: ObjectKey } => ({ key: { namespace: 'ns', name } });
  const lease = { what: 'leases.coordination.k8s.io', object: node() };
  const leaseRefused = 'leases.coordination.k8s.io "n1" is forbidden: ';
  const cases: [string, Parameters<typeof verdict>[3], string][] = [
    ['mirror Pod', { what: 'pods', object: mirror() }, ''],
    [
      'Pod of its own',
      { what: 'pods', object: mirror({}, { annotations: {} }) },
      `${pods}pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods`,
    ],
    [
      'mirror Pod of another node',
      { what: 'pods', object: mirror({ nodeName: 'n2' }) },
      `${pods}node "n1" can only create pods with spec.nodeName set to itself`,
    ],
    [
      'mirror Pod of an earlier Node',
      { what: 'pods', object: mirror({}, { ownerReferences: [{ ...owner, uid: 'u0' }] }) },
      `${pods}node n1 UID mismatch: expected u0 got u1`,
    ],
    [
      'mirror Pod that reads',
      { what: 'pods', object: mirror({ volumes: [{ name: 'v', persistentVolumeClaim: {} }] }) },
      `${pods}node "n1" can not create pods that reference persistentvolumeclaims`,
    ],
    ['deletes its Pod', { what: 'pods', ...remove, ...at('mine') }, ''],
    [
      "deletes another's Pod",
      { what: 'pods', ...remove, ...at('theirs') },
      'pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
    ],
    [
      'binds',
      { what: 'pods', subresource: 'binding', ...at('mine') },
      `pods "mine" is forbidden: unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`,
    ],
    ['evicts its Pod', { what: 'pods', subresource: 'eviction', ...at('mine') }, ''],
    [
      "writes another's status",
      { what: 'pods', subresource: 'status', ...update, ...at('theirs'), old: pod('theirs', 'n2'), object: mirror() },
      'pods "theirs" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      'its Node',
      { what: 'nodes', object: node({ 'kubernetes.io/hostname': 'n1', mine: 'x', 'x.node.kubernetes.io/y': '1' }) },
      '',
    ],
    [
      'another Node',
      { what: 'nodes', object: node({}, {}, 'n2') },
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    ],
    [
      'labels of Kubernetes',
      { what: 'nodes', object: node({ 'node-restriction.kubernetes.io/a': '', 'a.k8s.io/b': '' }) },
      'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: a.k8s.io/b, node-restriction.kubernetes.io/a',
    ],
    [
      'taints',
      { what: 'nodes', ...update, old: node({}, { spec: { taints: [{ key: 'a' }] } }), object: node(), ...at('n1') },
      'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
    ],
    [
      'token for its Pod',
      { what: 'serviceaccounts', subresource: 'token', object: bound('mine', 'mine', ['vault']) },
      '',
    ],
    [
      'token for an audience that the Pod does not ask for',
      { what: 'serviceaccounts', subresource: 'token', object: bound('mine', 'mine', ['x']), ...at('sa') },
      'serviceaccounts "sa" is forbidden: audience "x" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    ],
    [
      "token for another's Pod",
      { what: 'serviceaccounts', subresource: 'token', object: bound('theirs', 'theirs'), ...at('sa') },
      'serviceaccounts "sa" is forbidden: node requested token bound to a pod scheduled on a different node',
    ],
    ['its lease', { ...lease, key: { namespace: 'kube-node-lease', name: '' } }, ''],
    ['a lease elsewhere', lease, `${leaseRefused}can only access leases in the "kube-node-lease" system namespace`],
    ['what is not of nodes', { what: 'configmaps', object: node() }, ''],
  ];
  for (const [name, request, expected] of cases)
    t.equal(verdict(plugin, NODE, stored, request).refused, expected, name);
  const unnamed = verdict(plugin, { ...NODE, name: 'system:node:' }, {}, { what: 'configmaps', object: node() });
  t.match(unnamed.refused, /could not determine node from user "system:node:"/);
  const person = verdict(plugin, { name: 'x', groups: [] }, {}, { what: 'nodes', object: node({}, {}, 'n2') });
  t.equal(person.refused, '', 'others are left alone');
  t.end();
});
