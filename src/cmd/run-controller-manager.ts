import { readFile } from 'node:fs/promises';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { startControllerManager } from '../cluster/controller-manager.js';
import type { ControllerOptions } from '../controllers/controller.js';
import { clusterRanges, type NodeMaskSizes } from '../controllers/nodeipam/cluster-ranges.js';
import { realClock } from '../machinery/clock.js';
import { realRandom } from '../machinery/random.js';
import { cidrsFlag } from './address-flags.js';
import { createLogger } from './logger.js';
import { saveMemory, saveTime } from './memory-flags.js';
import { durationFlag, fail, FlagError, integerFlag, signalOnTermination, untilAborted } from './process.js';
import { processorTime, whenBusy } from './when-busy.js';

/** Runs until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runControllerManager(flags: Record<string, string>): Promise<void> {
  saveMemory();
  whenBusy(realClock, processorTime, saveTime);
  const signal = signalOnTermination();
  const log = await createLogger('controller-manager', { level: flags['v'], format: flags['loggingFormat'] });
  const milliseconds = (name: string): number => durationFlag(name, flags[camel(name)] ?? '');
  try {
    const config = await loadKubeConfig(flags['kubeconfig'] ?? '');
    const rootCa = flags['rootCaFile'] === undefined ? config.ca : await readFile(flags['rootCaFile'], 'utf8');
    const signing = await signingFlags(flags);
    const ingress = flags['ingressKubeconfig'];
    const keyFile = flags['serviceAccountPrivateKeyFile'];
    const loadBalancerCidr = cidrsFlag('load-balancer-cidr', flags['loadBalancerCidr'] ?? '').join(',');
    const serviceAccountKey = keyFile === undefined ? undefined : await readFile(keyFile, 'utf8');
    const manager = startControllerManager({
      config,
      clock: realClock,
      random: realRandom,
      log,
      controllers: (flags['controllers'] ?? '*').split(','),
      options: {
        ...(rootCa === undefined ? {} : { rootCa }),
        ...(signing === undefined ? {} : { signing }),
        ...(serviceAccountKey === undefined ? {} : { serviceAccountKey }),
        ...nodeRangeFlags(flags),
        ...(loadBalancerCidr === '' ? {} : { loadBalancerCidr }),
        nodeMonitorPeriodMs: milliseconds('node-monitor-period'),
        nodeMonitorGracePeriodMs: milliseconds('node-monitor-grace-period'),
      },
      ...(flags['metricsServer'] === 'true'
        ? { metrics: { bindAddress: '127.0.0.1', hostAddress: flags['hostAddress'] ?? '' } }
        : {}),
      ...(ingress === undefined ? {} : { ingress: await loadKubeConfig(ingress) }),
      ...(flags['leaderElect'] === 'false'
        ? {}
        : {
            leaderElection: {
              leaseDurationMs: milliseconds('leader-elect-lease-duration'),
              renewDeadlineMs: milliseconds('leader-elect-renew-deadline'),
              retryPeriodMs: milliseconds('leader-elect-retry-period'),
            },
          }),
    });
    await Promise.race([untilAborted(signal), manager.ended]);
    await manager.close();
  } catch (error) {
    fail('controller-manager', error);
  }
}

/** What Nodes' ranges are cut from, and how. @throws FlagError */
function nodeRangeFlags(flags: Record<string, string>): Pick<ControllerOptions, 'clusterCidr' | 'nodeCidrMaskSizes'> {
  if (flags['allocateNodeCidrs'] !== 'true') return {};
  const clusterCidr = flags['clusterCidr'] ?? '';
  const size = (name: string): number | undefined => {
    const bits = integerFlag(name, flags[camel(name)] ?? '0', 0, 128);
    // As upstream: 0 is not given.
    return bits === 0 ? undefined : bits;
  };
  const [any, IPv4, IPv6] = ['', '-ipv4', '-ipv6'].map(family => size(`node-cidr-mask-size${family}`));
  const nodeCidrMaskSizes: NodeMaskSizes = {
    ...(any === undefined ? {} : { any }),
    ...(IPv4 === undefined ? {} : { IPv4 }),
    ...(IPv6 === undefined ? {} : { IPv6 }),
  };
  try {
    clusterRanges(clusterCidr, nodeCidrMaskSizes);
  } catch (error) {
    throw new FlagError((error as Error).message, { cause: error });
  }
  return { clusterCidr, nodeCidrMaskSizes };
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
