import t from 'tap';
import { findSender, findTarget, MissingError, NoAddressError } from '../../../src/explain/trace-ends.js';
import { DEPLOYMENTS, ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import type { RestClient } from '../../../src/client/rest-client.js';
import type { ListOptions, ResourceRef } from '../../../src/client/types.js';
import { parseLabelSelector } from '../../../src/machinery/labels.js';
import { notFoundError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';

const pod = (namespace: string, name: string, ready: boolean, more: object = {}): KubeObject => ({
  metadata: { namespace, name, labels: { app: 'web' } },
  spec: { nodeName: `node-of-${name}` },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  ...more,
});
const selector = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'app', operator: 'Exists' }] };
const OBJECTS: Readonly<Record<string, readonly KubeObject[]>> = {
  [PODS.resource]: [
    pod('shop', 'a', false),
    pod('shop', 'b', true),
    pod('shop', 'late', true, { spec: {}, status: { phase: 'Pending' } }),
    pod('default', 'c', true),
  ],
  [DEPLOYMENTS.resource]: [
    { metadata: { namespace: 'shop', name: 'web' }, spec: { selector } },
    { metadata: { namespace: 'shop', name: 'idle' }, spec: { selector: { matchLabels: { app: 'idle' } } } },
  ],
  [SERVICES.resource]: [
    {
      metadata: { namespace: 'shop', name: 'web' },
      spec: {
        selector: { app: 'web' },
        clusterIP: '10.96.0.5',
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 80, nodePort: 30080 },
        ],
      },
    },
    { metadata: { namespace: 'shop', name: 'inside' }, spec: { type: 'ClusterIP', ports: [{ port: 80 }] } },
    { metadata: { namespace: 'shop', name: 'bare' }, spec: {} },
  ],
  [NODES.resource]: [
    {
      metadata: { name: 'node-1' },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '172.18.0.2' }],
      },
    },
  ],
  [ENDPOINT_SLICES.resource]: [
    {
      metadata: { namespace: 'default', name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      endpoints: [{ addresses: ['172.18.0.1'] }],
    },
  ],
};

const resource = (ref: ResourceRef): unknown => {
  const all = OBJECTS[ref.resource] ?? [];
  return {
    get: async ({ namespace, name }: { namespace: string; name: string }) => {
      const found = all.find(({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === namespace);
      if (found === undefined) throw notFoundError(ref, name);
      return found;
    },
    list: async ({ namespace, labelSelector = '' }: ListOptions = {}) => ({
      items: all.filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) &&
          parseLabelSelector(labelSelector).matches(metadata.labels),
      ),
    }),
  };
};
const client = { resource } as unknown as RestClient;

t.test('who sends a request', async t => {
  const rows: { name: string; input: string; expect: object | RegExp }[] = [
    { name: 'a Pod', input: 'b', expect: { kind: 'pod', node: 'node-of-b', query: { pod: 'shop/b' } } },
    { name: 'a Pod elsewhere', input: 'default/c', expect: { query: { pod: 'default/c' } } },
    { name: 'a Pod by its kind', input: 'pod/b', expect: { query: { pod: 'shop/b' } } },
    { name: 'by kind and namespace', input: 'pod/default/c', expect: { query: { pod: 'default/c' } } },
    { name: "a Deployment's Pod, a Ready one", input: 'deploy/web', expect: { query: { pod: 'shop/b' } } },
    { name: 'a Deployment of a namespace', input: 'deployment/shop/web', expect: { query: { pod: 'shop/b' } } },
    { name: "a Service's Pod", input: 'svc/web', expect: { query: { pod: 'shop/b' } } },
    { name: 'a node', input: 'node/node-1', expect: { kind: 'node', node: 'node-1', query: { from: 'node' } } },
    { name: 'the host', input: 'host', expect: { kind: 'outside', node: 'node-1', query: { from: '172.18.0.1' } } },
    { name: 'an address outside', input: '192.0.2.7', expect: { kind: 'outside', query: { from: '192.0.2.7' } } },
    { name: 'no such Pod', input: 'lat', expect: /^there is no Pod lat in namespace shop \(there is late\)$/ },
    { name: 'no such node', input: 'node/node-9', expect: /^there is no Node node-9 \(there is node-1\)$/ },
    { name: 'no such Deployment', input: 'deploy/wbe', expect: /no Deployment wbe in namespace shop \(there is web\)/ },
    { name: 'a Pod without a node', input: 'late', expect: /^pod shop\/late is not on a node yet$/ },
    { name: 'no Pod at all', input: 'deploy/idle', expect: /^Deployment shop\/idle has no running Pod/ },
    {
      name: 'a Service without a selector has no Pods',
      input: 'svc/bare',
      expect: /^Service shop\/bare has no running/,
    },
  ];
  for (const { name, input, expect } of rows)
    if (expect instanceof RegExp) await t.rejects(findSender(client, input, 'shop'), { message: expect }, name);
    else t.match(await findSender(client, input, 'shop'), expect, name);
  await t.rejects(
    findSender(client, 'lat', 'shop'),
    new MissingError('there is no Pod lat in namespace shop (there is late)', 'late'),
  );
});

t.test('what is asked of a Service', async t => {
  const rows: { name: string; input: string; sender: 'pod' | 'node' | 'outside'; expect: string }[] = [
    { name: 'its first port is UDP', input: 'svc/web', sender: 'pod', expect: 'udp://web:53' },
    { name: 'the port that is named', input: 'svc/web:80', sender: 'pod', expect: 'http://web:80' },
    { name: 'a node asks the address', input: 'svc/web:80', sender: 'node', expect: 'http://10.96.0.5:80' },
    { name: 'outside asks a node port', input: 'svc/web:80', sender: 'outside', expect: 'http://172.18.0.2:30080' },
    { name: 'a URL stands as it is', input: 'udp://web:80', sender: 'pod', expect: 'udp://web:80' },
  ];
  for (const { name, input, sender, expect } of rows)
    t.equal(await findTarget(client, input, { namespace: 'shop', sender }), expect, name);
  const outside = { namespace: 'shop', sender: 'outside' } as const;
  await t.rejects(
    findTarget(client, 'svc/inside', outside),
    new NoAddressError('Service shop/inside: no address outside of the cluster, its type is ClusterIP'),
  );
  await t.rejects(findTarget(client, 'svc/insid', outside), { message: /there is no Service insid .*there is inside/ });
});
