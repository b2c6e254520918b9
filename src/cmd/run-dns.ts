import { isIP } from 'node:net';
import { readUpstreams, type Upstream } from '../cluster/upstreams.js';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { startDns } from '../cluster/dns.js';
import { realClock } from '../machinery/clock.js';
import { realRandom } from '../machinery/random.js';
import { createLogger } from './logger.js';
import { saveMemory, saveTime } from './memory-flags.js';
import { fail, integerFlag, invalidArgument, signalOnTermination, untilAborted } from './process.js';
import { processorTime, whenBusy } from './when-busy.js';

/** Runs until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runDns(flags: Record<string, string>): Promise<void> {
  saveMemory();
  whenBusy(realClock, processorTime, saveTime);
  const signal = signalOnTermination();
  const log = await createLogger('dns', { level: flags['v'], format: flags['loggingFormat'] });
  try {
    const dns = await startDns({
      port: integerFlag('port', flags['port'] ?? '', 0, 65_535),
      metricsPort: integerFlag('metrics-port', flags['metricsPort'] ?? '', 0, 65_535),
      bindAddress: ipFlag('bind-address', flags['bindAddress']),
      clusterIP: ipFlag('cluster-ip', flags['clusterIp']),
      hostAddress: ipFlag('host-address', flags['hostAddress']),
      upstreams: await upstreamsFlag(flags['forward'] ?? ''),
      clusterDomain: flags['clusterDomain'] ?? 'cluster.local',
      config: await loadKubeConfig(flags['kubeconfig'] ?? ''),
      clock: realClock,
      random: realRandom,
      log,
    });
    await Promise.race([untilAborted(signal), dns.ended]);
    await dns.close();
  } catch (error) {
    fail('dns', error);
  }
}

async function upstreamsFlag(text: string): Promise<readonly Upstream[]> {
  const upstreams = await readUpstreams(text);
  if (upstreams === undefined)
    throw invalidArgument(
      'forward',
      text,
      'want IP addresses, each with a port or without, or a file like /etc/resolv.conf',
    );
  return upstreams;
}

function ipFlag(name: string, value = ''): string {
  if (isIP(value) === 0) throw invalidArgument(name, value, 'want an IP address');
  return value;
}
