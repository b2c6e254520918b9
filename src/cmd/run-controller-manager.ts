import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createInformerFactory } from '../client/informer.js';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { runWhileLeading } from '../client/leader-election.js';
import { LEASES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import { ALL_CONTROLLERS } from '../controllers/all.js';
import type { ControllerOptions } from '../controllers/controller.js';
import { runControllers } from '../controllers/run.js';
import { selectControllers } from '../controllers/select.js';
import { realClock } from '../machinery/clock.js';
import { RUNS_ANNOTATION } from '../machinery/runs.js';
import type { Lease } from '../machinery/types.js';
import { createLogger } from './logger.js';
import { durationFlag, fail, FlagError, saveMemory, signalOnTermination } from './process.js';

/** Runs until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runControllerManager(flags: Record<string, string>): Promise<void> {
  const log = createLogger('controller-manager', { level: flags['v'], format: flags['loggingFormat'] });
  saveMemory();
  const signal = signalOnTermination();
  const milliseconds = (name: string): number => durationFlag(name, flags[camel(name)] ?? '');
  try {
    const definitions = selectControllers(ALL_CONTROLLERS, (flags['controllers'] ?? '*').split(','));
    const config = await loadKubeConfig(flags['kubeconfig'] ?? '');
    const rootCa = flags['rootCaFile'] === undefined ? config.ca : await readFile(flags['rootCaFile'], 'utf8');
    const signing = await signingFlags(flags);
    const keyFile = flags['serviceAccountPrivateKeyFile'];
    const serviceAccountKey = keyFile === undefined ? undefined : await readFile(keyFile, 'utf8');
    const client = createClient(config, 'kube-controller-manager');
    const informers = createInformerFactory({
      transport: client.transport,
      clock: realClock,
      onError: (ref, error) => log.warn({ resource: ref.resource, error: error.message }, 'watch failed, will retry'),
    });
    const work = (leading: AbortSignal): Promise<void> =>
      runControllers(
        definitions,
        {
          client,
          informers,
          clock: realClock,
          log,
          options: {
            ...(rootCa === undefined ? {} : { rootCa }),
            ...(signing === undefined ? {} : { signing }),
            ...(serviceAccountKey === undefined ? {} : { serviceAccountKey }),
            ...(flags['allocateNodeCidrs'] === 'true' ? { clusterCidr: flags['clusterCidr'] ?? '' } : {}),
            nodeCidrMaskSize: Number(flags['nodeCidrMaskSize']),
            nodeMonitorPeriodMs: milliseconds('node-monitor-period'),
            nodeMonitorGracePeriodMs: milliseconds('node-monitor-grace-period'),
          },
        },
        leading,
      ).catch((error: unknown) => {
        if (!leading.aborted) throw error;
      });
    if (flags['leaderElect'] === 'false') await work(signal);
    else {
      await runWhileLeading(
        {
          leases: client.resource<Lease>(LEASES),
          lease: { namespace: 'kube-system', name: 'kube-controller-manager' },
          identity: `${hostname()}_${randomUUID()}`,
          annotations: { [RUNS_ANNOTATION]: definitions.map(({ name }) => name).join(',') },
          clock: realClock,
          leaseDurationMs: milliseconds('leader-elect-lease-duration'),
          renewDeadlineMs: milliseconds('leader-elect-renew-deadline'),
          retryPeriodMs: milliseconds('leader-elect-retry-period'),
          onError: error => log.warn({ error: error.message }, 'leader election'),
        },
        work,
        signal,
      );
      if (!signal.aborted) throw new Error('leaderelection lost');
    }
    client.close();
  } catch (error) {
    fail('controller-manager', error);
  }
}

/** @throws FlagError */
async function signingFlags(flags: Record<string, string>): Promise<ControllerOptions['signing']> {
  const [certFile, keyFile] = [flags['clusterSigningCertFile'], flags['clusterSigningKeyFile']];
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw new FlagError('--cluster-signing-cert-file and --cluster-signing-key-file go together');
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { cert, key, durationMs: durationFlag('cluster-signing-duration', flags['clusterSigningDuration'] ?? '') };
}

const camel = (flag: string): string => flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
