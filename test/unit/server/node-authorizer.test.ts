import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Attributes } from '../../../src/server/auth/authorizer.js';
import { createNodeAuthorizer } from '../../../src/server/auth/node-authorizer.js';
import { NODE_RULES } from '../../../src/server/auth/policy/node-rules.js';
import { objectsOf, user, ask } from '../../support/auth.js';

t.jobs = 1;

t.test('Node authorizer', t => {
  const pod = (name: string, nodeName: string, spec: object, mirror = false): KubeObject => ({
    metadata: { name, namespace: 'ns', ...(mirror ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}) },
    spec: { nodeName, serviceAccountName: 'default', ...spec },
    status: { resourceClaimStatuses: [{ name: 't', resourceClaimName: 'made' }] },
  });
  const objects = objectsOf([
    {
      resource: 'pods',
      object: pod('a', 'n1', {
        imagePullSecrets: [{ name: 'pull' }],
        resourceClaims: [
          { name: 'g', resourceClaimName: 'gpu' },
          { name: 't', resourceClaimTemplateName: 'x' },
        ],
        volumes: [
          { name: 'v', secret: { secretName: 'vol' } },
          { name: 'p', projected: { sources: [{ configMap: { name: 'root-ca' } }, { secret: { name: 'proj' } }] } },
          { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'eph', ephemeral: {} },
        ],
        containers: [
          { envFrom: [{ configMapRef: { name: 'env' } }], env: [{ valueFrom: { secretKeyRef: { name: 'key' } } }] },
        ],
      }),
    },
    { resource: 'pods', object: pod('b', 'n2', { volumes: [{ name: 'v', secret: { secretName: 'other' } }] }) },
    { resource: 'pods', object: pod('m', 'n1', { volumes: [{ name: 'v', secret: { secretName: 'mirror' } }] }, true) },
    {
      resource: 'persistentvolumes',
      object: {
        metadata: { name: 'pv' },
        spec: {
          claimRef: { namespace: 'ns', name: 'claim' },
          csi: { nodeStageSecretRef: { name: 'mount' }, controllerPublishSecretRef: { name: 'attach' } },
        },
      },
    },
    { resource: 'resourceslices.resource.k8s.io', object: { metadata: { name: 'mine' }, spec: { nodeName: 'n1' } } },
    { resource: 'resourceslices.resource.k8s.io', object: { metadata: { name: 'theirs' }, spec: { nodeName: 'n2' } } },
    { resource: 'volumeattachments.storage.k8s.io', object: { metadata: { name: 'va' }, spec: { nodeName: 'n1' } } },
  ]);
  const authorizer = createNodeAuthorizer(objects, NODE_RULES);
  const n1 = user('system:node:n1', 'system:nodes');
  const unrelated = "no relationship found between node 'n1' and this object";
  const all = (verb: string, what: string, names: string[]): [Attributes, true][] =>
    names.map(name => [ask(n1, verb, what, 'ns', name), true]);
  const cases: [Attributes, true | string][] = [
    ...all('get', 'secrets', ['pull', 'vol', 'proj', 'key']),
    ...all('watch', 'configmaps', ['root-ca', 'env']),
    ...all('get', 'persistentvolumeclaims', ['claim', 'a-eph']),
    [ask(n1, 'get', 'persistentvolumes', '', 'pv'), true],
    [ask(n1, 'get', 'storage.k8s.io:volumeattachments', '', 'va'), true],
    [ask(n1, 'update', 'persistentvolumeclaims/status', 'ns', 'claim'), true],
    [ask(n1, 'create', 'serviceaccounts/token', 'ns', 'default'), true],
    [ask(n1, 'create', 'serviceaccounts/token', 'ns', 'other'), unrelated],
    [ask(n1, 'get', 'serviceaccounts', 'ns', 'default'), true],
    [ask(n1, 'list', 'serviceaccounts', 'ns'), 'can only create tokens for individual service accounts'],
    [ask(n1, 'get', 'secrets', 'ns', 'mount'), true],
    [ask(n1, 'get', 'secrets', 'ns', 'attach'), unrelated],
    [ask(n1, 'get', 'resource.k8s.io:resourceclaims', 'ns', 'gpu'), true],
    [ask(n1, 'get', 'resource.k8s.io:resourceclaims', 'ns', 'made'), true],
    [ask(n1, 'list', 'resource.k8s.io:resourceclaims', 'ns'), 'can only get individual resources of this type'],
    [ask(n1, 'create', 'resource.k8s.io:resourceslices'), true],
    [ask(n1, 'delete', 'resource.k8s.io:resourceslices', '', 'mine'), true],
    [ask(n1, 'delete', 'resource.k8s.io:resourceslices', '', 'theirs'), unrelated],
    [
      ask(n1, 'list', 'resource.k8s.io:resourceslices'),
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    [ask(n1, 'get', 'secrets', 'ns', 'other'), unrelated],
    [ask(n1, 'get', 'secrets', 'ns', 'mirror'), unrelated],
    [ask(n1, 'get', 'secrets', 'else', 'vol'), unrelated],
    [ask(n1, 'list', 'secrets', 'ns'), 'No Object name found'],
    [ask(n1, 'list', 'secrets'), 'can only read namespaced object of this type'],
    [ask(n1, 'delete', 'secrets', 'ns', 'vol'), 'can only read resources of this type'],
    [ask(n1, 'get', 'nodes', '', 'n1'), true],
    [ask(n1, 'get', 'nodes', '', 'n2'), "node 'n1' cannot read 'n2', only its own Node object"],
    [ask(n1, 'list', 'nodes'), "node 'n1' cannot read all nodes, only its own Node object"],
    [ask(n1, 'patch', 'nodes/status', '', 'n1'), true],
    [ask(n1, 'delete', 'nodes', '', 'n1'), ''],
    [ask(n1, 'get', 'pods', 'ns', 'a'), true],
    [ask(n1, 'get', 'pods', 'ns', 'b'), unrelated],
    [ask(n1, 'list', 'pods'), 'can only list/watch pods with spec.nodeName field selector'],
    [{ ...ask(n1, 'watch', 'pods'), fields: [{ field: 'spec.nodeName', operator: '=', value: 'n1' }] }, true],
    [
      { ...ask(n1, 'watch', 'pods'), fields: [{ field: 'spec.nodeName', operator: '=', value: 'n2' }] },
      'can only list/watch pods with spec.nodeName field selector',
    ],
    [ask(n1, 'patch', 'pods/status', 'ns', 'a'), true],
    [ask(n1, 'create', 'pods/eviction', 'ns', 'a'), true],
    [ask(n1, 'create', 'pods/exec', 'ns', 'a'), ''],
    [ask(n1, 'update', 'coordination.k8s.io:leases', 'kube-node-lease', 'n1'), true],
    [
      ask(n1, 'update', 'coordination.k8s.io:leases', 'kube-node-lease', 'n2'),
      'can only access node lease with the same name as the requesting node',
    ],
    [
      ask(n1, 'get', 'coordination.k8s.io:leases', 'ns', 'n1'),
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    [ask(n1, 'watch', 'services'), true],
    [ask(n1, 'create', 'events', 'ns'), true],
    [ask(n1, 'create', 'services', 'ns'), ''],
    [ask(user('system:node:n1'), 'get', 'nodes', '', 'n1'), ''],
    [ask(user('system:node:', 'system:nodes'), 'get', 'nodes', '', 'n1'), 'unknown node for user "system:node:"'],
  ];
  for (const [a, expected] of cases) {
    t.same(
      authorizer.authorize(a),
      expected === true ? { decision: 'allow', reason: '' } : { decision: 'noOpinion', reason: expected },
      `${a.user.name} ${a.verb} ${a.resource}/${a.subresource} ${a.namespace}/${a.name}`,
    );
  }
  t.match(authorizer.rulesFor(n1, 'ns'), {
    incomplete: true,
    errors: ['node authorizer does not support user rule resolution'],
  });
  t.end();
});
