import { type ClusterNetwork, clusterNetwork } from '../../cluster/addresses.js';
import type { NodeDescription } from '../../cluster/node-description.js';
import type { ProxyMode } from '../../dataplane/proxiers/modes.js';
import { KUBERNETES_RELEASE, KUBERNETES_VERSION } from '../../machinery/kubernetes-version.js';
import { serviceRangeProblem } from '../../server/service-range.js';
import { behaviourFlag } from '../behaviour-flag.js';
import { cidrsFlag } from '../address-flags.js';
import { type Flags, whichCluster } from '../clusters/which.js';
import { FlagError, integerFlag, invalidArgument } from '../process.js';
import { proxyModeFlag, proxySettingsFrom } from '../proxy-flags.js';
import { controlPlaneFrom, freePorts, type ControlPlane } from './control-plane.js';
import { MAX_NODES, MAX_OWN_PROCESSES, NODES_PER_AGENT } from './limits.js';
import { readNodes } from './nodes.js';
import type { UpSettings } from './settings.js';

/** What `up` is to start, from its flags. */
export interface Plan {
  readonly name: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  readonly port: number;
  readonly network: ClusterNetwork;
  /** The same for one of several clusters on this machine, by its number from 0. */
  readonly numbered: (cluster: number) => Plan;
  /** How many node agents; undefined: as many as there were. */
  readonly nodes: number | undefined;
  /** What they are like, those with the first numbers; undefined: as they were. */
  readonly described: readonly NodeDescription[] | undefined;
  /** How many one agent runs at most. */
  readonly nodesPerAgent: number;
  /** Dealt to the nodes in turn. */
  readonly proxyModes: readonly ProxyMode[];
  readonly controlPlane: ControlPlane;
  readonly flags: Flags;
}

export const text = (flags: Flags, name: string): string => String(flags[name] ?? '');

/** @throws FlagError */
export async function planFrom({ flags, nodes: described }: Pick<UpSettings, 'flags' | 'nodes'>): Promise<Plan> {
  checkVersion(text(flags, 'kubernetesVersion'));
  const nodes = flags['nodes'] === undefined ? undefined : integerFlag('nodes', text(flags, 'nodes'), 0, MAX_NODES);
  const port = integerFlag('secure-port', text(flags, 'securePort'), 0, 65_535);
  const controlPlane = await controlPlaneFrom(flags, process.env['PATH'] ?? '');
  const problem = serviceRangeProblem(text(flags, 'serviceClusterIpRange'));
  if (problem !== undefined) throw new FlagError(problem);
  const clusterCidr = rangesFlag(flags, 'clusterCidr', 'cluster-cidr');
  const loadBalancerCidr = rangesFlag(flags, 'loadBalancerCidr', 'load-balancer-cidr');
  const { dataDir } = whichCluster(flags);
  const many = (nodes ?? described?.length ?? (await readNodes(dataDir))?.length ?? 0) > MAX_OWN_PROCESSES;
  const nodesPerAgent =
    flags['nodesPerAgent'] === undefined
      ? many
        ? NODES_PER_AGENT
        : 1
      : integerFlag('nodes-per-agent', text(flags, 'nodesPerAgent'), 1, MAX_NODES);
  if (many && nodesPerAgent === 1)
    throw invalidArgument('nodes-per-agent', '1', `of ${MAX_OWN_PROCESSES} nodes and more several share an agent`);
  const networkOf = (cluster: number): ClusterNetwork =>
    clusterNetwork({
      serviceClusterIpRange: text(flags, 'serviceClusterIpRange'),
      ...(clusterCidr === undefined || clusterCidr === '' ? {} : { clusterCidr }),
      ...(loadBalancerCidr === undefined ? {} : { loadBalancerCidr }),
      cluster,
      wide: many,
    });
  const network = networkOf(0);
  const proxyModes = text(flags, 'proxyMode').split(',').map(proxyModeFlag);
  // What the agents would say of them, said before anything is started.
  for (const proxyMode of proxyModes) proxySettingsFrom({ ...flags, clusterCidr: network.clusterCidr, proxyMode });
  await behaviourFlag(text(flags, 'behaviour'));
  const plan: Plan = {
    ...whichCluster(flags),
    port: port === 0 ? ((await freePorts(1))[0] ?? 0) : port,
    flags,
    network,
    numbered: cluster => ({ ...plan, network: networkOf(cluster) }),
    nodes,
    described,
    nodesPerAgent,
    proxyModes,
    controlPlane,
  };
  return plan;
}

/** One version is played: who asks for it is served, who asks for another is told. @throws FlagError */
function checkVersion(version: string): void {
  if (['', KUBERNETES_RELEASE, KUBERNETES_VERSION].includes(version.replace(/^v/, ''))) return;
  throw invalidArgument('kubernetes-version', version, `only ${KUBERNETES_VERSION} is played`);
}

/** None when the flag is not given. @throws FlagError */
function rangesFlag(flags: Flags, name: 'clusterCidr' | 'loadBalancerCidr', flag: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? cidrsFlag(flag, value).join(',') : undefined;
}
