import t, { type Test } from 'tap';
import { createClient } from '../../../src/client/rest-client.js';
import { NETWORK_POLICIES, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { clusterNetwork, HOST } from '../../../src/cluster/addresses.js';
import { clientConfig, NODE_HOST } from '../../../src/cluster/keys/kubeconfig.js';
import { startNodeAgents } from '../../../src/cluster/node-agents.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { realClock } from '../../../src/machinery/clock.js';
import { SILENT } from '../../../src/machinery/logger.js';
import { isNodeReady } from '../../../src/machinery/node-ready.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { KubeObject, Node, Pod, Service } from '../../../src/machinery/types.js';
import { proxySettings } from '../../../src/nodeagent/proxy/proxy-settings.js';
import { landings } from '../../support/landings.js';
import { until } from '../../support/until.js';

t.setTimeout(280_000);

const HOSTED = ['many-1', 'many-2', 'many-3'] as const;

/** A node of its own, and three that share a process; a Pod on each, all behind one Service. */
async function start(t: Test) {
  const random = seededRandom(3);
  const cluster = await startCluster({ nodes: 1, random });
  const { pki, url } = cluster;
  const network = clusterNetwork({ serviceClusterIpRange: '10.96.0.0/16' });
  const clusterCidrs = [network.clusterCidr];
  const agents = await startNodeAgents({
    config: await clientConfig(pki, NODE_HOST, url),
    clock: realClock,
    random,
    log: SILENT,
    nodes: HOSTED.map((nodeName, i) => ({ nodeName, nodeIPs: [`172.18.1.${i + 1}`] })),
    labels: {},
    listenAddress: HOST,
    kubeletPort: 0,
    podNetworkPort: 0,
    hostGateways: network.hostGateways,
    clusterDns: network.clusterDns,
    clusterDomain: 'cluster.local',
    clusterCidrs,
    proxy: proxySettings('iptables', clusterCidrs),
    maxPods: 110,
    minSyncPeriodMs: 50,
    syncPeriodMs: 30_000,
    eventsPerSecond: 50,
    serving: await pki.servingCertificate('kubelets', NODE_HOST.subject, [HOST]),
    clientCa: pki.ca.cert,
  });
  const client = createClient(cluster.config, 'test');
  t.teardown(async () => {
    client.close();
    await agents.close();
    await cluster.close();
  });
  const pods = client.resource<Pod>(PODS);
  const nodes = client.resource<Node>(NODES);
  await until('all nodes are Ready', async () => (await nodes.list()).items.filter(isNodeReady).length === 4);
  const names = [...HOSTED, cluster.nodes[0]?.name ?? ''];
  for (const nodeName of names)
    await pods.create('default', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: nodeName, labels: { app: 'web' } },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'c', image: 'nginx', readinessProbe: { httpGet: { path: '/', port: 80 } } }],
      },
    });
  await client.resource<Service>(SERVICES).create('default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] },
  });
  const running = async (): Promise<number> =>
    (await pods.list({ namespace: 'default' })).items.filter(
      ({ status }) => status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') === true,
    ).length;
  await until('all Pods are Ready', async () => (await running()) === names.length);
  return { client, names };
}

t.test('nodes that share a process are nodes like any other', async t => {
  const { client, names } = await start(t);
  const text = (path: string): Promise<string> => client.transport.fetch({ method: 'GET', path });

  for (const node of names) {
    const pod = `/api/v1/namespaces/default/pods/${node}`;
    t.match(await text(`${pod}/proxy/`), /nginx/, `${node}: the Pod answers`);
    const log = (): Promise<string> => text(`${pod}/log`);
    await until(`${node}: its log is its own`, async () => (await log()).includes('GET / '));
    t.match(await text(`/api/v1/nodes/${node}/proxy/pods`), new RegExp(`"name":"${node}"`), `${node}: its kubelet`);
    const reached = new Set<string | undefined>();
    await until(`${node}: reaches every Pod by the Service`, async () => {
      for (const to of await landings(client, { node, from: `pod=default/${node}`, url: 'http://web', count: 8 }))
        reached.add(to);
      return names.every(name => reached.has(`default/${name}`));
    });
  }

  await client.resource<KubeObject>(NETWORK_POLICIES).create('default', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'closed' },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  });
  for (const node of names)
    await until(`${node}: no Pod is reached any more`, async () =>
      (await landings(client, { node, from: `pod=default/${node}`, url: 'http://web', count: 4 })).every(
        to => to === undefined || to === `default/${node}`,
      ),
    );
});
