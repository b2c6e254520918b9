import t from 'tap';
import { LEASES, NODES } from '../../../src/client/resources.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { DeepReadonly, KubeObject, Lease, Node } from '../../../src/machinery/types.js';
import { httpCall } from '../../../src/containers/network/http-client.js';
import { openLocalPorts } from '../../../src/nodeagent/node/local-ports.js';
import type { ProxyProgress } from '../../../src/nodeagent/proxy/proxy-loop.js';
import { createRegistration } from '../../../src/nodeagent/node/registration.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { eventually, pod, startNode } from '../../support/simulated-node.js';

const facts = {
  name: 'node-1',
  nodeIPs: ['172.18.0.2'] as const,
  kubeletAddress: '127.0.0.1',
  kubeletPort: 10250,
  podNetwork: '127.0.0.1:1',
  labels: {},
  maxPods: 110,
  version: 'v1.35.4',
  machineID: 'm',
  bootID: 'b',
};
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

t.test('a Node that is deleted stays away until its agent starts again', async t => {
  const cluster = createFakeCluster();
  const { client } = cluster.context();
  const start = () => {
    const stopping = new AbortController();
    const registration = createRegistration({
      facts,
      nodes: client.resource<Node>(NODES),
      leases: client.resource<Lease>(LEASES),
      clock: cluster.clock,
      recorder: { event: () => undefined, flush: async () => undefined },
      log,
      networkReady: () => true,
    });
    void registration.run(stopping.signal);
    return () => stopping.abort(new Error('the test is over'));
  };
  const writes = (resource: string) =>
    cluster.actions.filter(a => a.resource === resource && a.verb !== 'delete').length;
  const stop = start();
  await eventually('registered', () => cluster.get(NODES, 'node-1') !== undefined);
  await eventually('leased', () => cluster.get(LEASES, 'kube-node-lease/node-1') !== undefined);
  await client.resource(NODES).delete({ namespace: '', name: 'node-1' });
  await client.resource(LEASES).delete({ namespace: 'kube-node-lease', name: 'node-1' });
  const before = writes('nodes');
  for (let i = 0; i < 60; i++) {
    cluster.clock.step(10_000);
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
  }
  t.equal(cluster.get(NODES, 'node-1'), undefined);
  t.equal(writes('nodes'), before, 'nothing is written about it');

  const byHand = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', uid: 'by-hand' } } as KubeObject;
  cluster.load(NODES, byHand);
  cluster.clock.step(10_000);
  const ready = () =>
    (cluster.get(NODES, 'node-1') as Node | undefined)?.status?.conditions?.some(c => c.type === 'Ready');
  await eventually('somebody else made it: it is kept up', () => ready());
  await client.resource(NODES).delete({ namespace: '', name: 'node-1' });
  stop();
  const stopAgain = start();
  await eventually('registered again', () => cluster.get(NODES, 'node-1') !== undefined);
  stopAgain();
});

t.test('the ports of kubelet and kube-proxy on their node', async t => {
  const { network } = startNode();
  const clock = new FakeClock(Date.parse('2026-01-01T00:01:00Z'));
  let progress: ProxyProgress = { lastSync: clock.now() - 5_000, pendingSince: undefined };
  let node: DeepReadonly<Node> | undefined = { metadata: { name: 'node-1' } };
  const answers: string[] = [];
  const close = openLocalPorts({
    network: network.node,
    clock,
    node: () => node,
    proxy: () => progress,
    proxyMode: 'iptables',
    proxyMetrics: () => [{ name: 'm', help: 'h', type: 'gauge', samples: [{ value: 1 }] }],
    proxyConfiguration: () => ({ a: 1 }),
    answered: (check, code) => void answers.push(`${check} ${code}`),
    healthTimeoutMs: 60_000,
    log,
  });
  const get = async (address: string, port: number, path: string) => {
    const call = { to: { address, port }, method: 'GET', path, headers: [['Host', address]] as const };
    const { response, stream } = await httpCall(network.node, call);
    let text = '';
    for await (const chunk of response) text += String(chunk);
    stream.destroy();
    return { code: response.statusCode, text };
  };
  const time = '2026-01-01T00:01:00Z';
  const synced = '{"IPv4":{"lastUpdated":"2026-01-01T00:00:55Z","healthy":true}}';
  const rows = [
    { port: 10248, path: '/healthz', code: 200, text: 'ok' },
    { port: 10248, path: '/nothing', code: 404, text: '404 page not found\n' },
    { port: 10249, path: '/proxyMode', code: 200, text: 'iptables' },
    { port: 10249, path: '/healthz?verbose', code: 200, text: 'ok' },
    { port: 10249, path: '/configz', code: 200, text: '{"a":1}' },
    { port: 10249, path: '/metrics', code: 200, text: '# HELP m h\n# TYPE m gauge\nm 1\n' },
    {
      port: 10256,
      path: '/healthz',
      code: 200,
      text: `{"lastUpdated":"${time}","currentTime":"${time}","nodeEligible":true,"healthy":true,"status":${synced}}`,
    },
    {
      port: 10256,
      path: '/livez',
      code: 200,
      text: `{"lastUpdated":"${time}","currentTime":"${time}","healthy":true,"status":${synced}}`,
    },
  ];
  for (const { port, path, code, text } of rows)
    t.same(await get('127.0.0.1', port, path), { code, text }, `${port}${path}`);
  t.same(answers, ['healthz 200', 'livez 200'], 'health checks are counted');
  for (const port of [10248, 10249])
    await t.rejects(get('172.18.0.2', port, '/healthz'), { code: 'ECONNREFUSED' }, `${port} is on loopback only`);

  const states = [
    { name: 'all is loaded', progress: {}, node, healthz: 200, livez: 200 },
    {
      name: 'a change has just come',
      progress: { pendingSince: clock.now() - 59_999 },
      node,
      healthz: 200,
      livez: 200,
    },
    {
      name: 'a change waits too long',
      progress: { pendingSince: clock.now() - 60_000 },
      node,
      healthz: 503,
      livez: 503,
    },
    { name: 'the node is gone', progress: {}, node: undefined, healthz: 503, livez: 200 },
    {
      name: 'the node is about to be removed',
      progress: {},
      node: { metadata: {}, spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } },
      healthz: 503,
      livez: 200,
    },
  ];
  for (const state of states) {
    progress = { lastSync: clock.now(), pendingSince: undefined, ...state.progress };
    node = state.node;
    t.equal((await get('172.18.0.2', 10256, '/healthz')).code, state.healthz, `${state.name}: healthz`);
    t.equal((await get('172.18.0.2', 10256, '/livez')).code, state.livez, `${state.name}: livez`);
  }
  close();
  await t.rejects(get('127.0.0.1', 10256, '/healthz'), { code: 'ECONNREFUSED' });
});

t.test('what a container listened on is closed when it ends, however it ends', async t => {
  const node = startNode();
  const serve = {
    name: 'c',
    image: 'registry.k8s.io/e2e-test-images/agnhost:2.59',
    args: ['netexec', '--http-port=8080', '--udp-port=8081'],
  };
  node.load(pod('p', { hostNetwork: true, restartPolicy: 'Never', containers: [serve] }));
  node.start();
  const ports = () => node.network.node.sockets.ports();
  await node.until('listens', () => ports().tcp.includes(8080) && ports().udp.includes(8081));
  node.manager?.container('default', 'p', 'c')?.running?.kill('KILL');
  await node.until('closed', () => !ports().tcp.includes(8080) && !ports().udp.includes(8081));
  t.same(ports(), { tcp: [], udp: [], sctp: [], loopback: [] });
  node.stop();
});
