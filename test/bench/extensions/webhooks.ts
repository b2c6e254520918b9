import { CONFIG_MAPS } from '../../../src/client/resources.js';
import type { ConfigMap } from '../../../src/machinery/types.js';
import { eventually } from '../../support/up.js';
import { benchFolder, startBenchServer, type BenchServer } from '../api-server.js';
import { cpuOf } from '../memory.js';
import { ms, quantile, type Row } from '../table.js';
import { inParallel, timed } from '../timed.js';
import { startHooks, type Hooks } from './hooks.js';

const ONE_BY_ONE = 300;
const WRITES = 2_000;
const CLIENTS = 64;

interface Measured {
  readonly median: number;
  readonly cpu: number;
  readonly rate: number;
}

async function measure({ client, pid }: BenchServer, prefix: string): Promise<Measured> {
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  const create = (name: string): Promise<unknown> =>
    maps.create('default', { metadata: { name: `${prefix}-${name}` }, data: { a: 'x'.repeat(400) } });
  await inParallel(WRITES, CLIENTS, i => create(`warm-${i}`));
  const times: number[] = [];
  for (let i = 0; i < ONE_BY_ONE; i++) times.push((await timed(() => create(`one-${i}`))).took);
  const before = cpuOf(pid);
  const took = await inParallel(WRITES, CLIENTS, i => create(`many-${i}`));
  return { median: quantile(times, 0.5), cpu: (cpuOf(pid) - before) / WRITES, rate: (WRITES / took) * 1000 };
}

async function configure({ client }: BenchServer, hooks: Hooks): Promise<void> {
  for (const [kind, path] of [
    ['Mutating', '/mutate'],
    ['Validating', '/validate'],
  ] as const) {
    const ref = {
      group: 'admissionregistration.k8s.io',
      version: 'v1',
      resource: `${kind.toLowerCase()}webhookconfigurations`,
      namespaced: false,
    };
    await client.resource(ref).create('', {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: 'bench' },
      webhooks: [
        {
          name: 'bench.example.com',
          clientConfig: hooks.at(path),
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
  }
  let tried = 0;
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  await eventually(
    'the webhooks to be asked',
    () => maps.create('default', { metadata: { name: `tried-${tried++}` }, data: { a: 'b' } }),
    created => created.data?.['hooked'] === 'yes',
  );
}

/** Creates of a ConfigMap that two webhooks of this machine are asked about, beside creates that nobody is. */
export async function webhookCalls(): Promise<Row[]> {
  const server = await startBenchServer(benchFolder(), ['--storage', 'memory']);
  const hooks = await startHooks();
  try {
    const without = await measure(server, 'without');
    await configure(server, hooks);
    const with2 = await measure(server, 'with');
    const row = (what: string, { median, cpu, rate }: Measured): Row => ({
      what: `create ${what}: median, one by one; CPU time and rate, ${CLIENTS} clients`,
      value: `${ms(median)}; ${(cpu * 1000).toFixed(0)} µs, ${Math.round(rate)}/s`,
    });
    return [
      row('without webhooks', without),
      row('with a mutating and a validating webhook', with2),
      {
        what: '  a call takes: median, one by one; CPU time of the server',
        value: `${ms((with2.median - without.median) / 2)}; ${(((with2.cpu - without.cpu) / 2) * 1000).toFixed(0)} µs`,
      },
    ];
  } finally {
    hooks.stop();
    await server.stop();
  }
}
