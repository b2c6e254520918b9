import type { ClientConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { createCache } from '../dns/cache.js';
import { createForward, type Upstream } from '../dns/forward.js';
import { createDnsMetrics } from '../dns/metrics.js';
import { keepPublished } from '../dns/publish.js';
import { createDnsServer } from '../dns/server.js';
import { startStatusServer } from '../dns/status-server.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import type { Random } from '../machinery/random.js';
import { createLoggedInformers } from './informers.js';
import { startPart, type RunningPart } from './part.js';

export interface StartDnsOptions {
  readonly config: ClientConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly port: number;
  readonly metricsPort: number;
  readonly clusterDomain: string;
  /** Of the kube-dns Service. */
  readonly clusterIP: string;
  /** Where Pods find this machine. */
  readonly hostAddress: string;
  /** Who knows the names that are not the cluster's; empty: nobody. */
  readonly upstreams: readonly Upstream[];
}

export interface RunningDns extends RunningPart {
  readonly port: number;
  readonly metricsPort: number;
}

/** Answers for the cluster's names, and publishes itself as kube-dns. @throws Error when a port cannot be had */
export async function startDns(options: StartDnsOptions): Promise<RunningDns> {
  const { clock, random, log, bindAddress, clusterIP, hostAddress, upstreams } = options;
  const client = createClient(options.config, 'kubette-dns', clock);
  const informers = createLoggedInformers(client.transport, clock, log);
  const metrics = createDnsMetrics();
  const server = createDnsServer({
    informers,
    clock,
    clusterDomain: options.clusterDomain,
    bindAddress,
    port: options.port,
    random: () => random.number(),
    metrics,
    ...(upstreams.length === 0
      ? {}
      : { forward: createCache(createForward({ upstreams, clock, random, metrics }), clock, metrics) }),
    onError: error => log.error({ error: error.message }, 'question failed'),
  });
  const port = await server.listen();
  const status = await startStatusServer({
    bindAddress,
    port: options.metricsPort,
    metrics,
    isReady: () => server.state.synced,
  });
  log.info({ bindAddress, dnsPort: port, metricsPort: status.port }, 'listening');
  const part = startPart(async signal => {
    informers.start(signal);
    const onError = (error: Error): void =>
      log.warn({ error: error.message }, 'publishing the Service failed, will retry');
    const published = { client, clock, clusterIP, hostAddress, dnsPort: port, metricsPort: status.port, onError };
    await keepPublished(published, signal);
    await Promise.all([server.close(), status.close()]);
    client.close();
  });
  return { ...part, port, metricsPort: status.port };
}
