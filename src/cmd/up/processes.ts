import { join, resolve } from 'node:path';
import { HOST, type NodeAddresses } from '../../cluster/addresses.js';
import {
  ADMIN,
  componentIdentity,
  ensureKubeconfig,
  ensureHostCredentials,
  ensureNodeCredentials,
  type Identity,
} from '../../cluster/keys/kubeconfig.js';
import { podsOf } from '../../cluster/node-description.js';
import type { Pki } from '../../cluster/keys/pki.js';
import { dealt, type ProxyMode } from '../../dataplane/proxiers/modes.js';
import { ETCD_FLAGS } from '../add-etcd-flags.js';
import { contextOf } from '../clusters/which.js';
import { flagOf } from '../process.js';
import { proxyArguments } from '../proxy-flags.js';
import type { ProcessSpec } from '../supervisor.js';
import { groupName, type NodeGroup } from './node-groups.js';
import type { WantedNode } from './nodes.js';
import { text, type Plan } from './plan.js';

/** All of them; the first is started before the others. `etcd`: how they find one that is started here. */
export function apiServers(plan: Plan, etcd: readonly string[]): ProcessSpec[] {
  const { port, controlPlane } = plan;
  const ports = controlPlane.apiServerPorts;
  if (ports.length === 0) return [apiServer(plan, 'apiserver', [...at(port), ...etcd])];
  return ports.map((own, i) =>
    apiServer(plan, numbered('apiserver', i), [...at(own), '--advertise-port', String(port), ...etcd]),
  );
}

const at = (port: number): string[] => ['--secure-port', String(port)];

/** "apiserver", "apiserver-2", … */
const numbered = (name: string, i: number): string => (i === 0 ? name : `${name}-${i + 1}`);

const HANDED_ON = ['tokenAuthFile', 'authorizationMode', ...ETCD_FLAGS];

function apiServer({ dataDir, flags, network }: Plan, name: string, own: readonly string[]): ProcessSpec {
  const optional = HANDED_ON.flatMap(flag =>
    flags[flag] === undefined ? [] : [`--${flagOf(flag)}`, text(flags, flag)],
  );
  return {
    name,
    args: [
      'apiserver',
      ...['--data-dir', dataDir, '--bind-address', text(flags, 'bindAddress'), ...own],
      ...['--storage', text(flags, 'storage'), '--service-cluster-ip-range', network.serviceClusterIpRange],
      ...['--advertise-address', network.hostAddress],
      // This process has the folder for all of them.
      ...['--quiet', '--folder-locked', ...logFlags(flags), ...optional],
    ],
    ...(flags['acceptDataLoss'] === true ? { firstArgs: ['--accept-data-loss'] } : {}),
  };
}

/** How every process logs. */
const logFlags = (flags: Plan['flags']): string[] => [
  ...['--v', text(flags, 'v')],
  ...['--logging-format', text(flags, 'loggingFormat')],
];

export const serverUrl = ({ port }: Pick<Plan, 'port'>): string => `https://${HOST}:${port}`;

export const kubeconfigOf = (plan: Plan, pki: Pki, identity: Identity): Promise<string> =>
  ensureKubeconfig(plan.dataDir, pki, identity, serverUrl(plan), contextOf(plan.name));

/** What runs beside the API server, but for nodes; each with a kubeconfig of its own. `nodes`: whether there are any. */
export async function others(plan: Plan, pki: Pki, nodes: boolean): Promise<ProcessSpec[]> {
  const { dataDir, flags, network } = plan;
  const kubeconfig = (identity: Identity): Promise<string> => kubeconfigOf(plan, pki, identity);
  const log = logFlags(flags);
  await kubeconfig(ADMIN);
  const manager: ProcessSpec = {
    name: 'controller-manager',
    args: [
      'controller-manager',
      ...[
        '--kubeconfig',
        await kubeconfig(componentIdentity('controller-manager')),
        '--controllers',
        text(flags, 'controllers'),
        '--service-account-private-key-file',
        pki.serviceAccountKeyFile,
      ],
      ...['--allocate-node-cidrs', nodes ? 'true' : 'false', '--cluster-cidr', network.clusterCidr],
      ...['--load-balancer-cidr', network.loadBalancerCidr],
      ...['--metrics-server', nodes && flags['metrics'] !== false ? 'true' : 'false'],
      ...(nodes && flags['ingress'] !== false
        ? ['--ingress-kubeconfig', await kubeconfig(componentIdentity('addons'))]
        : []),
      ...['--host-address', network.hostAddress],
      ...['--cluster-signing-cert-file', join(dataDir, 'pki', 'ca.crt')],
      ...['--cluster-signing-key-file', join(dataDir, 'pki', 'ca.key')],
      ...electionFlags(plan),
      ...log,
    ],
  };
  const managers = Array.from({ length: plan.controlPlane.controllerManagers }, (_, i) => ({
    ...manager,
    name: numbered(manager.name, i),
  }));
  if (!nodes) return managers;
  const dns: ProcessSpec = {
    name: 'dns',
    args: [
      ...['dns', '--kubeconfig', await kubeconfig(componentIdentity('dns'))],
      ...['--cluster-ip', network.clusterDns, '--host-address', network.hostAddress],
      ...['--forward', text(flags, 'dnsForward'), ...log],
    ],
  };
  if (flags['publish'] !== true) return [...managers, dns];
  const publisher: ProcessSpec = {
    name: 'publish',
    speaks: flags['quiet'] !== true,
    args: [
      ...['publish', '--kubeconfig', await kubeconfig(componentIdentity('proxy'))],
      ...['--host-gateway', network.hostGateways.join(','), ...log],
    ],
  };
  return [...managers, dns, publisher];
}

/** One that dies is started again at once: nobody should wait long for its old lease. */
const QUICK_ELECTION = [
  ...['--leader-elect-lease-duration', '3s', '--leader-elect-renew-deadline', '2s'],
  ...['--leader-elect-retry-period', '500ms'],
];

/** While thousands of nodes register, an answer may take longer than that: upstream's times. */
const electionFlags = ({ nodesPerAgent }: Plan): readonly string[] => (nodesPerAgent === 1 ? QUICK_ELECTION : []);

/** Of one node by its name, or of several by that of their group. */
export const agentName = (node: string): string => `node-agent ${node}`;

/** How a node programs Services. */
export const proxyModeOf = (plan: Pick<Plan, 'proxyModes'>, { proxyMode, number }: WantedNode): ProxyMode =>
  proxyMode ?? dealt(plan.proxyModes, number - 1);

/** The agent of one node, or of several: then `node` is the first. */
export async function nodeAgent(plan: Plan, pki: Pki, node: NodeAddresses, group: NodeGroup): Promise<ProcessSpec> {
  const { dataDir, flags, network } = plan;
  const { name, ips, bindAddress } = node;
  const { proxyMode, nodes } = group;
  const [wanted] = nodes;
  const many = nodes.length > 1;
  const capacity = Object.entries(wanted.capacity ?? {}).map(pair => pair.join('='));
  const [url, context] = [serverUrl(plan), contextOf(plan.name)];
  const files = many
    ? await ensureHostCredentials(dataDir, pki, url, context)
    : await ensureNodeCredentials(dataDir, pki, url, name, [...ips, HOST, bindAddress], context);
  return {
    name: agentName(groupName(group)),
    args: [
      'node-agent',
      ...['--kubeconfig', files.kubeconfig, '--node-name', name, '--bind-address', bindAddress],
      ...['--node-ip', ips.join(','), '--host-gateway', network.hostGateways.join(',')],
      ...['--tls-cert-file', files.certificate, '--tls-private-key-file', files.key],
      ...['--client-ca-file', files.clientCa, '--proxy-mode', proxyMode],
      ...(many ? ['--nodes', String(nodes.length)] : []),
      ...['--volumes-folder', many ? join(dataDir, 'nodes') : join(dataDir, 'nodes', name, 'volumes')],
      ...(capacity.length === 0 ? [] : ['--capacity', capacity.join(',')]),
      ...['--max-pods', String(podsOf(wanted))],
      ...proxyArguments(flags),
      ...(flags['behaviour'] === undefined ? [] : ['--behaviour', resolve(text(flags, 'behaviour'))]),
      ...['--cluster-cidr', network.clusterCidr, '--cluster-dns', network.clusterDns, ...logFlags(flags)],
    ],
  };
}
