import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { isStatusError } from '../../../src/machinery/status.js';
import { answerTo, type Sources } from '../../../src/metrics/answer.js';
import { createOpenApi } from '../../../src/metrics/openapi.js';
import type { Usage } from '../../../src/metrics/usage-store.js';

const usage = (nanoCores: number, memoryBytes: number): Usage => ({
  atMs: Date.parse('2026-01-01T00:00:30Z'),
  windowMs: 15_025,
  nanoCores,
  memoryBytes,
});
const pod = (namespace: string, name: string, labels = {}) => ({ metadata: { namespace, name, labels } });
const node = (name: string) => ({ metadata: { name, labels: { zone: name } } });
const PODS = [pod('b', 'web', { app: 'web' }), pod('a', 'db', { app: 'db' }), pod('a', 'silent')];
const NODES = [node('node-2'), node('node-1'), node('silent')];

const openApi = createOpenApi({ v2: Buffer.from('{}'), v3: new Map() });
const sources: Sources = {
  openApi,
  clock: new FakeClock(Date.parse('2026-01-01T00:01:00Z')),
  usage: {
    take: () => undefined,
    hasNodes: true,
    node: name => (name === 'silent' ? undefined : usage(1_500_000_000, 1 << 30)),
    pod: key =>
      key === 'a/silent'
        ? undefined
        : new Map([
            ['z', usage(100_000_000, 4096)],
            ['a', usage(57, 12_582_912)],
          ]),
  },
  nodes: () => NODES,
  node: name => NODES.find(({ metadata }) => metadata.name === name),
  pods: namespace => PODS.filter(({ metadata }) => namespace === '' || metadata.namespace === namespace),
  pod: (namespace, name) => PODS.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
};

const BASE = '/apis/metrics.k8s.io/v1beta1';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const ask = (path: string, accept = 'application/json', method = 'GET'): unknown => {
  const [before = '', query = ''] = path.split('?');
  try {
    return answerTo({ method, path: before, query: new URLSearchParams(query), accept }, sources).body;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return [error.status.code, error.status.message];
  }
};
interface List {
  readonly items: readonly { readonly metadata: { readonly namespace?: string; readonly name: string } }[];
}
const names = (path: string): unknown => {
  const { items } = ask(path) as List;
  return items.map(({ metadata }) => [metadata.namespace, metadata.name].filter(part => part !== undefined).join('/'));
};

t.test('objects', async t => {
  t.strictSame(ask(`${BASE}/nodes/node-1`), {
    kind: 'NodeMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: { name: 'node-1', creationTimestamp: '2026-01-01T00:01:00Z', labels: { zone: 'node-1' } },
    timestamp: '2026-01-01T00:00:30Z',
    window: '15.025s',
    usage: { cpu: '1500m', memory: '1Gi' },
  });
  t.match(ask(`${BASE}/namespaces/b/pods/web`), {
    kind: 'PodMetrics',
    metadata: { namespace: 'b', name: 'web' },
    containers: [
      { name: 'a', usage: { cpu: '57n', memory: '12Mi' } },
      { name: 'z', usage: { cpu: '100m', memory: '4Ki' } },
    ],
  });
});

t.test('lists and their selectors', async t => {
  const rows: [string, unknown][] = [
    [`${BASE}/nodes`, ['node-1', 'node-2']],
    [`${BASE}/nodes?labelSelector=zone%3Dnode-2`, ['node-2']],
    [`${BASE}/pods`, ['a/db', 'b/web']],
    [`${BASE}/namespaces/a/pods`, ['a/db']],
    [`${BASE}/pods?labelSelector=app%20in%20(web)`, ['b/web']],
    [`${BASE}/pods?fieldSelector=metadata.name%3Ddb`, ['a/db']],
    [`${BASE}/pods?fieldSelector=metadata.namespace!%3Da`, ['b/web']],
  ];
  for (const [path, expect] of rows) t.strictSame(names(path), expect, path);
});

t.test('tables', async t => {
  t.match(ask(`${BASE}/pods`, TABLE), {
    kind: 'Table',
    columnDefinitions: [{ name: 'Name' }, { name: 'cpu' }, { name: 'memory' }, { name: 'Window' }],
    rows: [{ cells: ['db', '100000057n', '12292Ki', '15.025s'] }, { cells: ['web'] }],
  });
});

t.test('what is not there', async t => {
  const rows: [string, unknown, string?][] = [
    [`${BASE}/nodes/silent`, [404, 'nodemetrics.metrics.k8s.io "silent" not found']],
    [`${BASE}/namespaces/a/pods/silent`, [404, 'podmetrics.metrics.k8s.io "a/silent" not found']],
    [`${BASE}/namespaces/a/pods/none`, [404, 'pods "a/none" not found']],
    [`${BASE}/namespaces/a/services`, [404, 'the server could not find the requested resource']],
    [`${BASE}/nodes/a/b`, [404, 'the server could not find the requested resource']],
    [`${BASE}/pods?watch=true`, [405, 'the server does not allow this method on the requested resource']],
    [`${BASE}/pods?fieldSelector=spec.x%3Dy`, [400, 'field label not supported: spec.x']],
    [`${BASE}/pods`, [405, 'the server does not allow this method on the requested resource'], 'POST'],
    ['/apis/other', [404, 'the server could not find the requested resource']],
  ];
  for (const [path, expect, method] of rows) t.strictSame(ask(path, '', method ?? 'GET'), expect, path);
});

t.test('discovery', async t => {
  t.match(ask(BASE), { kind: 'APIResourceList', resources: [{ name: 'nodes' }, { name: 'pods', namespaced: true }] });
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  t.match(ask('/apis', accept), { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'metrics.k8s.io' } }] });
  t.match(ask('/apis'), { kind: 'APIGroupList' });
  t.strictSame(ask('/openapi/v2'), Buffer.from('{}'));
  t.strictSame(ask('/openapi/v2', '', 'POST'), [
    405,
    'the server does not allow this method on the requested resource',
  ]);
});
