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
import { contextOf } from '../clusters/which.js';
import { proxyArguments } from '../proxy-flags.js';
import type { ProcessSpec } from '../supervisor.js';
import { groupName, type NodeGroup } from './node-groups.js';
import { nodeName, type WantedNode } from './nodes.js';
import { text, type Plan } from './plan.js';

export function apiServer({ dataDir, port, flags, network }: Plan): ProcessSpec {
  const optional = (['tokenAuthFile', 'authorizationMode'] as const).flatMap(name =>
    flags[name] === undefined
      ? []
      : [`--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`, text(flags, name)],
  );
  return {
    name: 'apiserver',
    args: [
      'apiserver',
      ...['--data-dir', dataDir, '--secure-port', String(port), '--bind-address', text(flags, 'bindAddress')],
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
      // One manager, started again at once when it dies: it should not wait long for its own old lease.
      ...['--leader-elect-lease-duration', '3s', '--leader-elect-renew-deadline', '2s'],
      ...['--leader-elect-retry-period', '500ms'],
      ...log,
    ],
  };
  if (!nodes) return [manager];
  const dns: ProcessSpec = {
    name: 'dns',
    args: [
      ...['dns', '--kubeconfig', await kubeconfig(componentIdentity('dns'))],
      ...['--cluster-ip', network.clusterDns, '--host-address', network.hostAddress],
      ...['--forward', text(flags, 'dnsForward'), ...log],
    ],
  };
  if (flags['publish'] !== true) return [manager, dns];
  const publisher: ProcessSpec = {
    name: 'publish',
    speaks: flags['quiet'] !== true,
    args: [
      ...['publish', '--kubeconfig', await kubeconfig(componentIdentity('proxy'))],
      ...['--host-gateway', network.hostGateways.join(','), ...log],
    ],
  };
  return [manager, dns, publisher];
}

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
    ? await ensureHostCredentials(dataDir, pki, url, `kubelets-${name}`, nodes.map(nodeName), context)
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
