import { readFile } from 'node:fs/promises';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { realClock } from '../machinery/clock.js';
import { startNodeAgent } from '../cluster/node-agent.js';
import {
  type HostedNode,
  type RunningNodeAgents,
  startNodeAgents,
  type StartNodeAgentsOptions,
} from '../cluster/node-agents.js';
import { nodeProblems } from '../cluster/node-description.js';
import { realRandom } from '../machinery/random.js';
import { behaviourFlag } from './behaviour-flag.js';
import { addressesFlag, addressFlag, cidrsFlag } from './address-flags.js';
import { hostedNodes } from './hosted-nodes.js';
import { hostRulesFrom } from './host-rules-flags.js';
import { flagsOfProxyConfig } from './proxy-config.js';
import { proxySettingsFrom } from './proxy-flags.js';
import { createLogger } from './logger.js';
import { pairsFlag } from './node-flags.js';
import { saveMemory, saveTime } from './memory-flags.js';
import { MAX_NODES } from './up/limits.js';
import { durationFlag, fail, FlagError, integerFlag, signalOnTermination, untilAborted } from './process.js';

/** Runs until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runNodeAgent(given: Record<string, string | string[] | boolean>): Promise<void> {
  let flags = given;
  const text = (name: string): string => {
    const value = flags[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof value === 'string' ? value : '';
  };
  const many = text('nodes') !== '';
  // With many nodes there is much to do.
  if (!many) saveMemory();
  const signal = signalOnTermination();
  const log = await createLogger('node-agent', { level: text('v'), format: text('loggingFormat') });
  const file = async (name: string): Promise<string | undefined> =>
    text(name) === '' ? undefined : readFile(text(name), 'utf8');
  try {
    if (text('proxy-config') !== '') flags = { ...given, ...(await flagsOfProxyConfig(text('proxy-config'))) };
    const clusterCidrs = cidrsFlag('cluster-cidr', text('cluster-cidr'));
    const config = await loadKubeConfig(text('kubeconfig'));
    const proxyConfig = text('proxy-kubeconfig') === '' ? undefined : await loadKubeConfig(text('proxy-kubeconfig'));
    const clientCa = (await file('client-ca-file')) ?? config.ca;
    if (clientCa === undefined) throw new FlagError('--client-ca-file is needed: the kubeconfig has no CA');
    const cert = await file('tls-cert-file');
    const key = await file('tls-private-key-file');
    if ((cert === undefined) !== (key === undefined))
      throw new FlagError('--tls-cert-file and --tls-private-key-file go together');
    const nodeIPs = addressesFlag('node-ip', text('node-ip'));
    const proxy = proxySettingsFrom(flags);
    const hostRules = await hostRulesFrom({ apply: text('apply'), netns: text('netns'), mode: proxy.mode, nodeIPs });
    const capacity = text('capacity') === '' ? {} : capacityFlag(text('capacity'));
    const shared = {
      config,
      clock: realClock,
      random: realRandom,
      log,
      labels: labelsOf(flags['nodeLabels']),
      listenAddress: addressFlag('address', text('address')),
      kubeletPort: integerFlag('port', text('port'), 0, 65_535),
      podNetworkPort: integerFlag('pod-network-port', text('pod-network-port'), 0, 65_535),
      hostGateways: addressesFlag('host-gateway', text('host-gateway')),
      clusterDns: addressFlag('cluster-dns', text('cluster-dns')),
      clusterDomain: text('cluster-domain'),
      clusterCidrs,
      proxy,
      ...(text('volumes-folder') === '' ? {} : { volumesFolder: text('volumes-folder') }),
      behaviour: await behaviourFlag(text('behaviour')),
      capacity,
      maxPods: integerFlag('max-pods', capacity['pods'] ?? text('max-pods'), 1, 1000),
      minSyncPeriodMs: durationFlag('min-sync-period', text('min-sync-period')),
      syncPeriodMs: durationFlag('sync-period', text('sync-period')),
      clientCa,
    };
    const node = { nodeName: text('node-name'), nodeIPs };
    const serving = cert === undefined || key === undefined ? undefined : { cert, key };
    const agent = many
      ? await startMany({ ...shared, nodeName: node.nodeName, nodeIPs, serving, text })
      : await startNodeAgent({
          ...shared,
          ...node,
          bindAddress: addressFlag('bind-address', text('bind-address')),
          onBusy: saveTime,
          ...(proxyConfig === undefined ? {} : { proxyConfig }),
          ...(hostRules === undefined ? {} : { hostRules }),
          ...(serving === undefined ? {} : { serving }),
        });
    await untilAborted(signal);
    await agent.close();
    process.exit(0);
  } catch (error) {
    fail('node-agent', error);
  }
}

type Many = Omit<StartNodeAgentsOptions, 'nodes' | 'serving' | 'eventsPerSecond'> &
  HostedNode & {
    readonly serving: StartNodeAgentsOptions['serving'] | undefined;
    readonly text: (name: string) => string;
  };

/** @throws FlagError, Error when a port cannot be opened */
async function startMany({ nodeName, nodeIPs, serving, text, ...shared }: Many): Promise<RunningNodeAgents> {
  if (serving === undefined)
    throw new FlagError(
      '--nodes needs --tls-cert-file and --tls-private-key-file: a certificate that answers for all nodes',
    );
  for (const flag of ['apply', 'proxy-kubeconfig'])
    if (text(flag) !== '') throw new FlagError(`--${flag} is for one node, not with --nodes`);
  const count = integerFlag('nodes', text('nodes'), 1, MAX_NODES);
  const eventsPerSecond = integerFlag('event-qps', text('event-qps'), 0, 10_000);
  return startNodeAgents({ ...shared, serving, eventsPerSecond, nodes: hostedNodes({ nodeName, nodeIPs }, count) });
}

/** @throws FlagError */
const labelsOf = (flag: string | string[] | boolean | undefined): Record<string, string> =>
  Object.assign({}, ...(Array.isArray(flag) ? flag : []).map(text => pairsFlag('node-labels', text))) as Record<
    string,
    string
  >;

/** @throws FlagError */
function capacityFlag(text: string): Record<string, string> {
  const capacity = pairsFlag('capacity', text);
  const [problem] = nodeProblems({ capacity }, 'the node');
  if (problem !== undefined) throw new FlagError(problem);
  return capacity;
}
