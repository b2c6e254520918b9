import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { DEPLOYMENTS, NODES, PODS, SERVICES, STATEFUL_SETS } from '../../../src/client/resources.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { dealt, PROXY_MODES, type ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import { joinHostPort } from '../../../src/machinery/ip.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { Deployment, Node, Pod, Service, StatefulSet } from '../../../src/machinery/types.js';
import { ORIGINALS } from '../../replay/originals.js';
import { applicationsIn, applyAll, isRolledOut } from '../../support/applications.js';
import { landings, trace } from '../../support/landings.js';
import { ROOT } from '../../support/root.js';
import { hasItsTurn } from '../../support/share.js';
import { type Answering, answering, type Door, doorsOf, familyOf } from '../../support/service-doors.js';
import { until } from '../../support/until.js';

/*
 * However a node's proxy works, an application does not notice: at every address of every Service the same Pods answer, in
 * all modes and both IP families. Who they are is told by the selectors and the Pods, not by EndpointSlices or rules.
 * Each day every Service is asked in half of the modes, and in every mode half of the Services.
 */
const FOLDERS = [join(ROOT, 'examples'), join(ROOT, 'test/e2e/manifests'), join(ORIGINALS, 'samples')];
/** For each Pod that should answer. They are seeded: whom chance leaves out is left out in every run. */
const REQUESTS = 4;
/** How long a node may take until it has heard of the last endpoints; only so that what never comes has a name. */
const LIMIT_MS = 60_000;
const RETRY_MS = 20;

interface TestNode {
  readonly node: Node;
  readonly name: string;
  readonly mode: ProxyMode;
}

/** Whom policy Local leaves to a node, as docs/kube-proxy.md says it (1.4, 4.3, 5.3). */
const leftByLocal: Readonly<
  Record<ProxyMode, (all: Answering[], here: Answering[], door: Door, service: Service) => Answering[]>
> = {
  iptables: (_, here) => here,
  nftables: (_, here) => here,
  // A Service that has a way in from outside goes to other nodes when there is nobody here: what comes from outside is then
  // not answered, what comes from Pods is.
  ipvs: (all, here, { kind }, { spec }) =>
    here.length === 0 && kind === 'ClusterIP' && spec?.type !== 'ClusterIP' ? all : here,
  // It is older than the policies.
  userspace: all => all,
};

function expected(all: Answering[], door: Door, { name, mode }: TestNode, service: Service): string[] {
  const { internalTrafficPolicy, externalTrafficPolicy } = service.spec ?? {};
  const policy = door.kind === 'ClusterIP' ? internalTrafficPolicy : externalTrafficPolicy;
  const ofFamily = all.filter(({ addresses }) => addresses.map(familyOf).includes(familyOf(door.address)));
  const here = ofFamily.filter(({ node }) => node === name);
  const left = policy === 'Local' ? leftByLocal[mode](ofFamily, here, door, service) : ofFamily;
  return left.map(({ name }) => name).sort();
}

/** Somebody outside, whom the source ranges of the samples let in. */
const visitor = (address: string, number: number): string =>
  `from=${familyOf(address) === 'IPv6' ? '2001:db8::' : '203.0.113.'}${number}`;

const distinct = (names: readonly (string | undefined)[]): string[] =>
  [...new Set(names.filter(name => name !== undefined))].sort();

/** Everybody who answers a node's requests: those of its Pod, or of somebody outside. With affinity, those of many clients. */
async function seen(client: RestClient, node: string, door: Door, service: Service, pods: number): Promise<string[]> {
  const url = `${door.protocol}://${joinHostPort(door.address, door.port)}`;
  const count = 1 + REQUESTS * pods;
  if (service.spec?.sessionAffinity !== 'ClientIP') {
    const from = door.kind === 'ClusterIP' ? `pod=default/client-${node}` : visitor(door.address, 1);
    return distinct(await landings(client, { node, from, url, count, seed: 1 }));
  }
  const all: string[] = [];
  for (let number = 1; number <= count; number++) {
    const from = visitor(door.address, number);
    const one = distinct(await landings(client, { node, from, url, count: 2, seed: number }));
    if (one.length > 1) throw new Error(`${from} was not kept by ${one[0] ?? ''} at ${url}`);
    all.push(...one);
  }
  return distinct(all);
}

/** Addresses that a Service's name has to have. */
async function addressesOf(client: RestClient, service: Service): Promise<string[]> {
  const { clusterIPs = [], externalName, type } = service.spec ?? {};
  if (type === 'ExternalName') {
    const [name = '', namespace = ''] = (externalName ?? '').split('.');
    return addressesOf(client, await client.resource<Service>(SERVICES).get({ namespace, name }));
  }
  if (clusterIPs[0] !== 'None') return [...clusterIPs].sort();
  return (await answering(client, service)).flatMap(({ addresses }) => addresses).sort();
}

async function start(t: Test): Promise<{ client: RestClient; nodes: TestNode[] }> {
  const cluster = await startCluster({
    nodes: PROXY_MODES.length,
    proxyModes: PROXY_MODES,
    serviceClusterIpRange: '10.96.0.0/16,fd00:10:96::/112',
    random: seededRandom(7),
  });
  t.teardown(() => cluster.close());
  const client = createClient(cluster.config, 'test');
  t.teardown(() => client.close());
  const nodes = (await client.resource<Node>(NODES).list()).items
    .map(node => ({ node, name: node.metadata.name ?? '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((node, i) => ({ ...node, mode: dealt(PROXY_MODES, i) }));
  for (const { name } of nodes)
    await client.resource<Pod>(PODS).create('default', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `client-${name}` },
      spec: { nodeName: name, containers: [{ name: 'c', image: 'nginx' }] },
    });
  return { client, nodes };
}

t.setTimeout(280_000);
t.test('applications: the same Pods answer in every proxy mode and both families', async t => {
  const { client, nodes } = await start(t);
  const applications = FOLDERS.filter(folder => existsSync(folder)).flatMap(applicationsIn);
  for (const { objects } of applications)
    await applyAll(
      client,
      objects.map(object =>
        object.kind === 'Service' && (object as Service).spec?.type !== 'ExternalName'
          ? { ...object, spec: { ...(object as Service).spec, ipFamilyPolicy: 'RequireDualStack' } }
          : object,
      ),
    );
  await until('every Pod of every application is ready', async () => {
    const deployments = await client.resource<Deployment>(DEPLOYMENTS).list();
    const sets = await client.resource<StatefulSet>(STATEFUL_SETS).list();
    return [...deployments.items, ...sets.items].every(isRolledOut);
  });

  const limit = AbortSignal.timeout(LIMIT_MS);
  const settled = async <T>(ask: () => Promise<T>, expect: T): Promise<T> => {
    for (;;) {
      const found = await ask();
      if (limit.aborted || isDeepStrictEqual(found, expect)) return found;
      await sleep(RETRY_MS);
    }
  };
  let count = 0;
  for (const { name: application, objects } of applications)
    for (const { metadata } of objects.filter(({ kind }) => kind === 'Service')) {
      const nth = count++;
      const { namespace = 'default', name = '' } = metadata;
      const service = await client.resource<Service>(SERVICES).get({ namespace, name });
      const all = await answering(client, service);
      const addresses = await addressesOf(client, service);
      const [port] = service.spec?.ports ?? [];
      const host = `${name}.${namespace}.svc.cluster.local`;
      const asking = nodes.filter((_, i) => hasItsTurn(nth + i, 2));
      await Promise.all(
        asking.map(async testNode => {
          const { node, name, mode } = testNode;
          const what = `${application}, ${host}, ${mode}`;
          const from = `pod=default/client-${name}`;
          const url = `tcp://${joinHostPort(host, port?.port ?? 1)}`;
          const resolved = async (): Promise<string[]> =>
            [...(await trace(client, { node: name, from, url })).lookup.addresses].sort();
          t.same(await settled(resolved, addresses), addresses, `${what}: its name`);
          for (const door of doorsOf(service, node)) {
            const expect = expected(all, door, testNode, service);
            const found = await settled(() => seen(client, name, door, service, expect.length), expect);
            t.same(found, expect, `${what}: ${door.kind} ${joinHostPort(door.address, door.port)}/${door.protocol}`);
          }
        }),
      );
    }
});
