import t, { type Test } from 'tap';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { PROXY_MODES } from '../../../src/dataplane/proxiers/modes.js';
import { joinHostPort } from '../../../src/machinery/ip.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { EndpointSlice, Node, Pod, Service } from '../../../src/machinery/types.js';
import { landing, landings, type Request, trace } from '../../support/landings.js';
import { until } from '../../support/until.js';

const IPV4 = '10.96.0.0/16';
const IPV6 = 'fd00:10:96::/112';

/** A cluster with a node for each proxy mode, a Pod "web" on each of the first two and a Pod "client" on every one. */
async function cluster(t: Test, serviceClusterIpRange: string): Promise<{ client: RestClient; nodes: string[] }> {
  const running = await startCluster({
    nodes: PROXY_MODES.length,
    proxyModes: PROXY_MODES,
    serviceClusterIpRange,
    random: seededRandom(7),
  });
  t.teardown(() => running.close());
  const client = createClient(running.config, 'test');
  t.teardown(() => client.close());
  const pods = client.resource<Pod>(PODS);
  const nodes = (await client.resource<Node>(NODES).list()).items.map(({ metadata }) => metadata.name ?? '').sort();
  const run = (name: string, app: string, image: string, nodeName: string) =>
    pods.create('default', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app } },
      spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image }] },
    });
  for (const node of nodes) await run(`client-${node}`, 'client', 'nginx', node);
  for (const node of nodes.slice(0, 2)) await run(`web-${node}`, 'web', 'echo', node);
  await client.resource<Service>(SERVICES).create('default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { ipFamilyPolicy: 'PreferDualStack', selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] },
  });
  return { client, nodes };
}

/** What a node's Pod, or somebody else, asks. */
const asks = (client: RestClient, node: string, url: string, more: Partial<Request> = {}) =>
  trace(client, { node, from: `pod=default/client-${node}`, url, ...more });

/** The Pods that answer a node's requests, asked until both have. */
async function answering(client: RestClient, node: string, url: string): Promise<string[]> {
  const seen = new Set<string>();
  await until(`${node} reaches both Pods at ${url}`, async () => {
    const pod = landing(await asks(client, node, url));
    if (pod !== undefined) seen.add(pod);
    return seen.size === 2;
  });
  return [...seen].sort();
}

for (const { name, range, families } of [
  { name: 'dual stack', range: `${IPV4},${IPV6}`, families: ['IPv4', 'IPv6'] },
  { name: 'IPv6 alone', range: IPV6, families: ['IPv6'] },
])
  t.test(`${name}: every mode leads to the same Pods in each family`, async t => {
    const { client, nodes } = await cluster(t, range);
    const key = { namespace: 'default', name: 'web' };
    const { spec } = await client.resource<Service>(SERVICES).get(key);
    t.same(spec?.ipFamilies, families);
    const addresses = spec?.clusterIPs ?? [];
    t.equal(addresses.length, families.length);
    const expect = nodes.slice(0, 2).map(node => `default/web-${node}`);
    for (const node of nodes)
      for (const address of addresses)
        t.same(await answering(client, node, `http://${joinHostPort(address, 80)}/`), expect, `${node} ${address}`);
    const { lookup, reply } = await asks(client, nodes[0] ?? '', 'http://web/');
    t.same([...lookup.addresses].sort(), [...addresses].sort(), 'its name has all its addresses');
    t.equal(reply?.status, 200);

    // The same from the node itself and from outside, and several at once.
    const [address = ''] = addresses;
    const url = `http://${joinHostPort(address, 80)}/`;
    for (const from of ['from=node', `from=${address.includes(':') ? '2001:db8::7' : '198.51.100.7'}`])
      t.equal((await asks(client, nodes[0] ?? '', url, { from })).reply?.status, 200, from);
    const chosen = () =>
      landings(client, { node: nodes[0] ?? '', from: `pod=default/client-${nodes[0] ?? ''}`, url, count: 8, seed: 4 });
    const [first, again] = [await chosen(), await chosen()];
    t.equal(first.filter(pod => expect.includes(pod ?? '')).length, 8);
    t.same(again, first, 'a seed repeats what chance decides');

    const pod = await client.resource<Pod>(PODS).get({ namespace: 'default', name: `web-${nodes[0] ?? ''}` });
    t.equal(pod.status?.podIPs?.length, families.length);
    t.equal(pod.status?.hostIPs?.length, families.length);
    const slices = (await client.resource<EndpointSlice>(ENDPOINT_SLICES).list({ namespace: 'default' })).items;
    t.same(
      slices.flatMap(({ metadata, addressType }) => (metadata.name?.startsWith('web') ? [addressType] : [])).sort(),
      families,
    );
    const direct = pod.status?.podIPs?.map(({ ip }) => joinHostPort(ip, 80)) ?? [];
    for (const address of direct)
      t.equal((await asks(client, nodes[3] ?? '', `http://${address}/`)).reply?.status, 200, `a Pod at ${address}`);
  });
