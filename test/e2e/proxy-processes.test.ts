import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadKubeConfig } from '../../src/client/kubeconfig.js';
import { ENDPOINT_SLICES, NAMESPACES, NODES, SERVICES } from '../../src/client/resources.js';
import { createClient, type RestClient } from '../../src/client/rest-client.js';
import { ensureNodeCredentials } from '../../src/cluster/keys/kubeconfig.js';
import { ensurePki } from '../../src/cluster/keys/pki.js';
import { PROXY_MODES, type ProxyMode } from '../../src/dataplane/proxiers/modes.js';
import { printRules, type TextFormat } from '../../src/dataplane/tools/print-rules.js';
import { realClock } from '../../src/machinery/clock.js';
import type { EndpointSlice, KubeObject, Service } from '../../src/machinery/types.js';
import { nftTextDifferences } from '../replay/proxy/nft-text.js';
import { createNode } from '../replay/proxy/node.js';
import { saveTextDifferences } from '../replay/proxy/save-text.js';
import type { Case, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording, type Recording } from '../replay/recordings.js';
import { hasItsTurn } from '../support/share.js';
import { eventually, KUBETTE, startApiServer } from '../support/up.js';

/*
 * Recorded cases through the real processes: objects are written to an API server, a node agent has kube-proxy's flags, and
 * `GET nodes/NODE/proxy/rules` must say what kube-proxy has programmed. Modes that were not recorded must say what the modules do,
 * which other tests hold against the recorded packets. Each day every mode has half of the cases and every case half of the modes.
 */
t.setTimeout(600_000);

const CASES = [
  'clusterip-sctp',
  'nodeport-local',
  'lb-source-ranges',
  'affinity-default',
  'dual-stack',
  'cfg-masquerade-all',
];
const NODE_IPS = ['192.168.50.11', 'fd00:50::11'];
const GATEWAYS = ['192.168.50.1', 'fd00:50::1'];
const FAMILIES = [
  ['IPv4', 'v4'],
  ['IPv6', 'v6'],
] as const;

type Recorded = Recording<Case, Step>;
const recordings = ownRecordings('proxy');
const cases = CASES.map(name => {
  const text = recordings.get(name) ?? recordings.get(`${name}.ndjson`);
  if (text === undefined) throw new Error(`no recording ${name}`);
  return parseRecording<Case, Step>(text);
});

/** What differs between a node's rules and what they should be. */
interface Check {
  readonly format: TextFormat;
  readonly differences: (expected: string, actual: string) => string[];
}
/** In any order, and but for the random number that each set begins with. */
function linesThatDiffer(expected: string, actual: string): string[] {
  const lines = (text: string): string[] =>
    text
      .replaceAll(/ initval 0x[0-9a-f]+/g, '')
      .split('\n')
      .sort();
  const [want, have] = [lines(expected), lines(actual)];
  return [
    ...want.filter(line => !have.includes(line)).map(line => `${line}: is missing`),
    ...have.filter(line => !want.includes(line)).map(line => `${line}: should not be there`),
  ];
}
const CHECKS: Readonly<Record<ProxyMode, readonly Check[]>> = {
  iptables: [{ format: 'iptables-save', differences: saveTextDifferences }],
  nftables: [{ format: 'nft', differences: nftTextDifferences }],
  ipvs: [
    { format: 'ipvsadm-save', differences: linesThatDiffer },
    { format: 'ipset-save', differences: linesThatDiffer },
    { format: 'iptables-save', differences: saveTextDifferences },
  ],
  userspace: [{ format: 'iptables-save', differences: saveTextDifferences }],
};

async function startServer(t: Test) {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-proxy-processes-'));
  const server = await startApiServer([
    ...['--data-dir', dataDir, '--storage', 'memory'],
    ...['--service-cluster-ip-range', '10.96.0.0/16,fd00:10:96::/112'],
  ]);
  t.teardown(() => server.stop());
  const client = createClient(await loadKubeConfig(join(dataDir, 'kubeconfig')), 'test');
  t.teardown(() => client.close());
  // The recorded cluster had none; with this label it is another proxy's.
  const labels = { 'service.kubernetes.io/service-proxy-name': 'nobody' };
  const kubernetes = { namespace: 'default', name: 'kubernetes' };
  await client.resource<Service>(SERVICES).patch(kubernetes, { metadata: { labels } }, { type: 'merge' });
  return { client, dataDir, url: `https://127.0.0.1:${server.port}` };
}

type Running = Awaited<ReturnType<typeof startServer>>;

/** Starts a node agent as a process, with the flags of kube-proxy. @returns what stops it */
async function startAgent(
  { dataDir, url }: Running,
  { node, config }: Case,
  mode: ProxyMode,
): Promise<() => Promise<void>> {
  const pki = await ensurePki(dataDir, { clock: realClock });
  const files = await ensureNodeCredentials(dataDir, pki, url, node, [...NODE_IPS, '127.0.0.1']);
  const child = spawn(
    process.execPath,
    [
      ...[KUBETTE, 'node-agent', '--kubeconfig', files.kubeconfig, '--node-name', node],
      ...['--node-ip', NODE_IPS.join(','), '--host-gateway', GATEWAYS.join(',')],
      ...[
        '--tls-cert-file',
        files.certificate,
        '--tls-private-key-file',
        files.key,
        '--client-ca-file',
        files.clientCa,
      ],
      ...['--proxy-mode', mode, '--v', 'error', ...config.flags],
    ],
    { stdio: 'inherit' },
  );
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  return () => {
    child.kill('SIGTERM');
    return ended;
  };
}

/** Writes the objects of a case. @returns what removes them */
async function write(client: RestClient, { services, endpointSlices }: Case): Promise<() => Promise<void>> {
  const written: (() => Promise<void>)[] = [];
  const namespaces = new Set([...services, ...endpointSlices].map(({ metadata }) => metadata.namespace ?? ''));
  for (const name of namespaces)
    await client
      .resource(NAMESPACES)
      .create('', { metadata: { name } })
      .catch(() => undefined);
  for (const service of services) {
    const { namespace = '', name = '' } = service.metadata;
    const resource = client.resource<Service>(SERVICES);
    const made = await resource.create(namespace, service);
    if (service.status !== undefined)
      await resource.update({ ...made, status: service.status }, { subresource: 'status' });
    written.push(() => resource.delete({ namespace, name }));
  }
  for (const slice of endpointSlices) {
    const { namespace = '', name = '' } = slice.metadata;
    const resource = client.resource<EndpointSlice>(ENDPOINT_SLICES);
    await resource.create(namespace, slice);
    written.push(() => resource.delete({ namespace, name }));
  }
  return async () => {
    for (const remove of written) await remove();
  };
}

const rulesOf = (client: RestClient, node: string, format: TextFormat, family: string): Promise<string> =>
  client.transport.fetch({
    method: 'GET',
    path: `/api/v1/nodes/${node}/proxy/rules?format=${format}&family=${family.toLowerCase()}`,
  });

/** What the case should lead to: as recorded, or else what the modules make of it. */
function expected(
  { head, steps: [step] }: Recorded,
  mode: ProxyMode,
  format: TextFormat,
  at: (typeof FAMILIES)[number],
) {
  const [family, key] = at;
  if (step === undefined) throw new Error(`${head.name} has no step`);
  if (mode === 'iptables' || mode === 'nftables') return step.rules[mode][key];
  const node = createNode(head, mode, family);
  node.change(step);
  return printRules(node.kernel, format);
}

t.test('recorded cases through the processes', async t => {
  const running = await startServer(t);
  const { client } = running;
  for (const node of cases[0]?.head.nodes ?? []) {
    const { metadata, spec } = node;
    await client.resource<KubeObject>(NODES).create('', { metadata, ...(spec && { spec }) });
  }
  for (const [i, mode] of PROXY_MODES.entries())
    for (const recorded of cases.filter((_, j) => hasItsTurn(i + j, 2))) {
      const { head } = recorded;
      // Each case has a new agent: in nftables mode chains of the one before would be deleted by a later sync only.
      const stop = await startAgent(running, head, mode);
      const remove = await write(client, head);
      try {
        for (const at of FAMILIES)
          for (const { format, differences } of CHECKS[mode]) {
            const want = expected(recorded, mode, format, at);
            const what = `${head.name}, ${mode}, ${at[0]}, ${format}`;
            const found = await eventually(
              what,
              () =>
                rulesOf(client, head.node, format, at[0]).then(
                  text => differences(want, text),
                  (error: unknown) => [(error as Error).message],
                ),
              list => list.length === 0,
            ).catch((error: unknown) => [(error as Error).message]);
            t.same(found, [], what);
          }
      } finally {
        await remove();
        await stop();
      }
    }
});
