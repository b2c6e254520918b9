import t, { type Test } from 'tap';
import { createClient } from '../../../src/client/rest-client.js';
import { NAMESPACES, NETWORK_POLICIES, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import type { ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import type { NetworkPolicy } from '../../../src/dataplane/policies/types.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { Namespace, Node, Pod, Service } from '../../../src/machinery/types.js';
import type { TraceReport } from '../../../src/nodeagent/kubelet-api/trace-report.js';
import { until } from '../../support/until.js';

t.setTimeout(280_000);

/** Two nodes; "web" is on the first, its clients on both. */
async function startShop(t: Test, proxyModes: readonly ProxyMode[]) {
  const cluster = await startCluster({ nodes: 2, proxyModes, random: seededRandom(3) });
  const client = createClient(cluster.config, 'test');
  t.teardown(async () => {
    client.close();
    await cluster.close();
  });
  const pods = client.resource<Pod>(PODS);
  const [here = '', there = ''] = (await client.resource<Node>(NODES).list()).items
    .map(node => node.metadata.name ?? '')
    .sort();
  await client.resource<Namespace>(NAMESPACES).create('', { metadata: { name: 'ops', labels: { team: 'b' } } });
  const make = (namespace: string, name: string, nodeName: string, labels: Record<string, string>): Promise<Pod> =>
    pods.create(namespace, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'c',
            image: 'nginx',
            ports: [{ name: 'http', containerPort: 80 }],
            readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 1 },
          },
        ],
      },
    });
  await make('default', 'web', here, { app: 'web' });
  await make('default', 'near', here, { app: 'client' });
  await make('default', 'far', there, { app: 'client' });
  await make('ops', 'stranger', there, { app: 'client' });
  await client.resource<Service>(SERVICES).create('default', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  const isReady = ({ status }: Pod): boolean =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  await until('all Pods are ready', async () => (await pods.list()).items.every(isReady));

  const trace = async (pod: string, url: string): Promise<TraceReport> => {
    const [namespace = '', name = ''] = pod.split('/');
    const { spec } = await pods.get({ namespace, name });
    const query = `pod=${pod}&url=${encodeURIComponent(url)}`;
    return (await client.request('GET', `/api/v1/nodes/${spec?.nodeName ?? ''}/proxy/trace?${query}`)) as TraceReport;
  };
  /** Waits for an answer, or for a reason that matches. */
  const outcome = async (pod: string, url: string, expect: 'answered' | RegExp): Promise<TraceReport> => {
    let report = await trace(pod, url);
    await until(`${pod} to ${url}: ${String(expect)}`, async () => {
      report = await trace(pod, url);
      return expect === 'answered' ? report.reply?.status === 200 : expect.test(report.error ?? '');
    });
    return report;
  };
  const policies = client.resource<NetworkPolicy>(NETWORK_POLICIES);
  const apply = (name: string, spec: NetworkPolicy['spec']): Promise<NetworkPolicy> =>
    policies.create('default', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name },
      spec: { ...spec },
    });
  const remove = (name: string): Promise<void> => policies.delete({ namespace: 'default', name });
  return { client, pods, here, there, isReady, outcome, apply, remove };
}

for (const modes of [
  ['iptables', 'ipvs'],
  ['nftables', 'ipvs'],
] as const)
  t.test(
    `${modes.join(', ')}: policies decide who reaches whom, and a trace names the one that does not let`,
    async t => {
      const { pods, client, here, there, isReady, outcome, apply, remove } = await startShop(t, modes);
      const WEB = 'http://web';
      const clients = ['default/near', 'default/far', 'ops/stranger'];
      const url = (pod: string): string => (pod.startsWith('ops/') ? 'http://web.default' : WEB);
      for (const pod of clients) await outcome(pod, url(pod), 'answered');

      const web = { matchLabels: { app: 'web' } };
      await apply('deny', { podSelector: web, policyTypes: ['Ingress'] });
      for (const pod of clients) {
        const report = await outcome(pod, url(pod), /NetworkPolicy default\/deny selects default\/web for ingress/);
        const drop = report.connection?.steps.find(step => step.kind === 'netfilter' && step.verdict === 'drop');
        t.equal(drop?.node, here, `${pod}: dropped where the destination is`);
        t.match(
          drop?.kind === 'netfilter' ? drop.rules.at(-1) : undefined,
          { kind: 'networkPolicy', origin: { kind: 'NetworkPolicy', namespace: 'default', name: 'deny' } },
          `${pod}: the object to change`,
        );
      }

      await apply('own', {
        podSelector: web,
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 'http' }] }],
      });
      await outcome('default/near', WEB, 'answered');
      await outcome('default/far', WEB, 'answered');
      const two = /NetworkPolicies default\/deny, default\/own select default\/web/;
      await outcome('ops/stranger', url('ops/stranger'), two);
      await pods.patch(
        { namespace: 'default', name: 'far' },
        { metadata: { labels: { app: 'x' } } },
        { type: 'merge' },
      );
      await outcome('default/far', WEB, two);
      await pods.patch(
        { namespace: 'default', name: 'far' },
        { metadata: { labels: { app: 'client' } } },
        { type: 'merge' },
      );

      await apply('ops', {
        podSelector: web,
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'c' } } }] }],
      });
      await outcome('ops/stranger', url('ops/stranger'), /NetworkPolicies default\/deny, default\/ops, default\/own/);
      await client
        .resource<Namespace>(NAMESPACES)
        .patch({ namespace: '', name: 'ops' }, { metadata: { labels: { team: 'c' } } }, { type: 'merge' });
      await outcome('ops/stranger', url('ops/stranger'), 'answered');

      await apply('silence', { podSelector: { matchLabels: { app: 'client' } }, policyTypes: ['Egress'] });
      const silent = /default\/silence selects default\/far for egress/;
      const lookup = await outcome('default/far', WEB, silent);
      t.match(lookup.error, /^web could not be resolved: .*dropped on/, 'also what asks for a name is dropped');
      await apply('names', {
        podSelector: { matchLabels: { app: 'client' } },
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
                podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
              },
            ],
            ports: [{ protocol: 'UDP', port: 53 }],
          },
        ],
        policyTypes: ['Egress'],
      });
      await outcome(
        'default/far',
        WEB,
        /^Connection timed out \(dropped on .*: NetworkPolicies default\/names, default\/silence/,
      );
      await remove('names');
      const address = `http://${(await pods.get({ namespace: 'default', name: 'web' })).status?.podIP ?? ''}`;
      const report = await outcome('default/far', address, silent);
      t.equal(report.connection?.steps.at(-1)?.node, there, 'dropped where the source is');
      await remove('silence');
      await outcome('default/far', WEB, 'answered');

      const probed = await pods.get({ namespace: 'default', name: 'web' });
      t.ok(isReady(probed), 'the kubelet’s probes go on');
      t.equal(probed.status?.containerStatuses?.[0]?.restartCount, 0);
      for (const name of ['deny', 'own', 'ops']) await remove(name);
      for (const pod of clients) await outcome(pod, url(pod), 'answered');

      for (const { metadata } of (await pods.list()).items)
        await pods.delete({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
      await until('no Pod is left', async () => (await pods.list()).items.length === 0);
    },
  );

t.test('userspace: of what comes through a Service policies see the node, which may reach its own Pods', async t => {
  const { pods, outcome, apply, remove } = await startShop(t, ['userspace']);
  const SERVICE = 'http://web';
  const direct = `http://${(await pods.get({ namespace: 'default', name: 'web' })).status?.podIP ?? ''}`;
  for (const pod of ['default/near', 'default/far']) await outcome(pod, SERVICE, 'answered');
  const rows: readonly {
    name: string;
    from: NonNullable<NonNullable<NonNullable<NetworkPolicy['spec']>['ingress']>[number]['from']>;
    expect: readonly (readonly [pod: string, url: string, outcome: 'answered' | RegExp])[];
  }[] = [
    {
      name: 'clients',
      from: [{ podSelector: { matchLabels: { app: 'client' } } }],
      expect: [
        ['default/far', direct, 'answered'],
        ['default/far', SERVICE, /^Connection reset by peer/],
        ['default/near', SERVICE, 'answered'],
      ],
    },
    {
      name: 'nobody',
      from: [{ podSelector: { matchLabels: { app: 'nobody' } } }],
      expect: [
        ['default/far', direct, /NetworkPolicy default\/nobody/],
        ['default/near', direct, /NetworkPolicy default\/nobody/],
        ['default/near', SERVICE, 'answered'],
      ],
    },
  ];
  for (const { name, from, expect } of rows) {
    await apply(name, { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from }] });
    for (const [pod, url, end] of expect)
      t.ok(await outcome(pod, url, end), `${name}: ${pod} to ${url}: ${String(end)}`);
    await remove(name);
  }
});
