import { CONFIG_MAPS, NODES, PODS } from '../client/resources.js';
import type { Transport } from '../client/transport.js';
import type { Client, InformerFactory } from '../client/types.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import type { ConfigMap, Node, Pod } from '../machinery/types.js';
import { issueCertificate, type KeyPair } from '../machinery/x509/certificate.js';
import type { Sources } from './answer.js';
import { createOpenApi, type OpenApi } from './openapi.js';
import { publish, SERVICE_NAME } from './publish.js';
import { scrape } from './scrape.js';
import { startMetricsServer, type Trust } from './server.js';
import { createUsageStore } from './usage-store.js';

export interface RunMetricsOptions {
  readonly client: Client;
  readonly transport: Transport;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bindAddress: string;
  /** Where Pods find this machine. */
  readonly hostAddress: string;
  /** What is said of the API in OpenAPI. */
  readonly openApi: () => Promise<OpenApi>;
}

/** As metrics-server's manifest has it. */
const RESOLUTION_MS = 15_000;
/** A node is a request through the API server: of so many a round takes the usual time, of more as much longer. */
const NODES_PER_ROUND = 100;
/** The default of metrics-server itself: no round takes longer for the number of nodes. */
const SLOWEST_MS = 60_000;

const resolutionOf = (nodes: number): number =>
  Math.min(SLOWEST_MS, RESOLUTION_MS * Math.max(1, nodes / NODES_PER_ROUND));
/** Two samples make a rate: nobody should wait for the first one. */
const FIRST_MS = 3_000;
const PUBLISH_MS = 30_000;
const RETRY_MS = 1_000;
const YEAR_MS = 365 * 86_400_000;

/** Known to nobody before it is published, and gone with this process. */
function newServingKeys(nowMs: number): { readonly ca: string; readonly serving: KeyPair } {
  const times = { notBefore: nowMs - 3_600_000, notAfter: nowMs + YEAR_MS };
  const ca = issueCertificate({ subject: { commonName: 'metrics-server-ca' }, usage: 'ca', ...times });
  const serving = issueCertificate({
    issuer: ca,
    subject: { commonName: SERVICE_NAME },
    usage: 'server',
    subjectAltNames: [`${SERVICE_NAME}.kube-system.svc`, `${SERVICE_NAME}.kube-system.svc.cluster.local`],
    ...times,
  });
  return { ca: ca.cert, serving };
}

/** Whom the cluster's extension servers trust. @throws StatusError, Error */
async function readTrust(client: Client): Promise<Trust> {
  const key = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
  const { data = {} } = await client.resource<ConfigMap>(CONFIG_MAPS).get(key);
  const ca = data['requestheader-client-ca-file'];
  if (ca === undefined) throw new Error('the API server tells of no front proxy');
  const names = JSON.parse(data['requestheader-allowed-names'] ?? '[]') as unknown;
  return { ca, allowedNames: Array.isArray(names) ? names.filter(name => typeof name === 'string') : [] };
}

function sourcesOf(
  { informers, clock }: RunMetricsOptions,
  usage: Sources['usage'],
  openApi: Sources['openApi'],
): Sources {
  const nodes = informers.informer<Node>(NODES).indexer;
  const pods = informers.informer<Pod>(PODS).indexer;
  return {
    clock,
    usage,
    openApi,
    nodes: () => nodes.list(),
    node: name => nodes.get(name),
    pods: namespace => (namespace === '' ? pods.list() : pods.byIndex('namespace', namespace)),
    pod: (namespace, name) => pods.get(`${namespace}/${name}`),
  };
}

/** What metrics-server is in a cluster: asks the nodes, and serves metrics.k8s.io behind the API server. */
export async function runMetrics(options: RunMetricsOptions, signal: AbortSignal): Promise<void> {
  const { client, transport, informers, clock, log, bindAddress, hostAddress } = options;
  const usage = createUsageStore(RESOLUTION_MS);
  const sources = sourcesOf(options, usage, createOpenApi(await options.openApi()));
  const { ca, serving } = newServingKeys(clock.now());
  const trust = await patiently(() => readTrust(client), options, signal);
  const server = await startMetricsServer({ bindAddress, serving, trust, sources, log });
  log.info({ bindAddress, port: server.port }, 'serving metrics.k8s.io');
  try {
    await informers.whenSynced(signal);
    const asking = async (): Promise<void> => {
      let nodes = 0;
      // Once more soon after the first rates: who has started just before has one then, too.
      for (let pause = FIRST_MS; ; pause = usage.hasNodes ? resolutionOf(nodes) : FIRST_MS) {
        const names = [...sources.nodes()].map(({ metadata }) => metadata.name ?? '');
        const onError = (node: string, error: Error): void =>
          log.info({ node, error: error.message }, 'a node does not tell what it uses');
        usage.take(await scrape(names, { transport, clock, onError }, signal));
        nodes = names.length;
        await clock.sleep(pause, signal);
      }
    };
    const publishing = async (): Promise<void> => {
      for (;;) {
        await patiently(() => publish(client, { hostAddress, port: server.port, ca }), options, signal);
        await clock.sleep(PUBLISH_MS, signal);
        server.trust(await patiently(() => readTrust(client), options, signal));
      }
    };
    await Promise.all([asking(), publishing()]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await server.close();
  }
}

/** Again and again until it can be done. */
async function patiently<T>(
  work: () => Promise<T>,
  { clock, log }: Pick<RunMetricsOptions, 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<T> {
  for (let pause = RETRY_MS; ; pause = Math.min(pause * 2, PUBLISH_MS)) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error: (error as Error).message }, 'the metrics API cannot be published yet, will retry');
      await clock.sleep(pause, signal, { work: true });
    }
  }
}
