import { isIP } from 'node:net';
import { createInformerFactory } from '../client/informer.js';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { createDnsMetrics } from '../dns/metrics.js';
import { keepPublished } from '../dns/publish.js';
import { createDnsServer } from '../dns/server.js';
import { startStatusServer } from '../dns/status-server.js';
import { realClock } from '../machinery/clock.js';
import { createLogger } from './logger.js';
import { fail, FlagError, integerFlag, saveMemory, signalOnTermination } from './process.js';

/** Runs until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runDns(flags: Record<string, string>): Promise<void> {
  const log = createLogger('dns', { level: flags['v'], format: flags['loggingFormat'] });
  saveMemory();
  const signal = signalOnTermination();
  try {
    const port = integerFlag('port', flags['port'] ?? '', 0, 65_535);
    const metricsPort = integerFlag('metrics-port', flags['metricsPort'] ?? '', 0, 65_535);
    const bindAddress = ipFlag('bind-address', flags['bindAddress']);
    const clusterIP = ipFlag('cluster-ip', flags['clusterIp']);
    const hostAddress = ipFlag('host-address', flags['hostAddress']);
    const client = createClient(await loadKubeConfig(flags['kubeconfig'] ?? ''), 'kubette-dns');
    const informers = createInformerFactory({
      transport: client.transport,
      clock: realClock,
      onError: (ref, error) => log.warn({ resource: ref.resource, error: error.message }, 'watch failed, will retry'),
    });
    const metrics = createDnsMetrics();
    const server = createDnsServer({
      informers,
      clock: realClock,
      clusterDomain: flags['clusterDomain'] ?? 'cluster.local',
      bindAddress,
      port,
      random: Math.random,
      metrics,
      onError: error => log.error({ error: error.message }, 'question failed'),
    });
    const dnsPort = await server.listen();
    const status = await startStatusServer({
      bindAddress,
      port: metricsPort,
      metrics,
      isReady: () => server.state.synced,
    });
    informers.start(signal);
    log.info({ bindAddress, dnsPort, metricsPort: status.port }, 'listening');
    await keepPublished(
      {
        client,
        clock: realClock,
        clusterIP,
        hostAddress,
        dnsPort,
        metricsPort: status.port,
        onError: error => log.warn({ error: error.message }, 'publishing the Service failed, will retry'),
      },
      signal,
    );
    await Promise.all([server.close(), status.close()]);
    client.close();
  } catch (error) {
    fail('dns', error);
  }
}

function ipFlag(name: string, value = ''): string {
  if (isIP(value) === 0)
    throw new FlagError(`invalid argument ${JSON.stringify(value)} for "--${name}" flag: want an IP address`);
  return value;
}
