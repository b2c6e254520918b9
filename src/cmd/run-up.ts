import { createServer, type AddressInfo } from 'node:net';
import { dealt, type ProxyMode } from '../dataplane/proxiers/modes.js';
import { cidrsFlag } from './address-flags.js';
import { proxyArguments, proxyModeFlag, proxySettingsFrom } from './proxy-flags.js';
import { join, relative } from 'node:path';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { createClient, type RestClient } from '../client/rest-client.js';
import { realClock } from '../machinery/clock.js';
import {
  ADMIN,
  COMPONENTS,
  componentIdentity,
  ensureKubeconfig,
  ensureNodeCredentials,
  type Identity,
} from '../cluster/keys/kubeconfig.js';
import { ensurePki, type Pki } from '../cluster/keys/pki.js';
import { type ClusterNetwork, clusterNetwork, HOST, nodeAddresses, type NodeAddresses } from '../cluster/addresses.js';
import { STORAGE_DRIVERS } from '../cluster/store.js';
import { ensureDataFolder } from '../cluster/data-folder.js';
import { lockFolder } from '../cluster/folder-lock.js';
import { saveMemory } from './memory-flags.js';
import { fail, FlagError, integerFlag, invalidArgument, signalOnTermination, untilAborted } from './process.js';
import { controllersLead, dnsAnswers, nodesReady, untilReady } from '../cluster/readiness.js';
import { serviceRangeProblem } from '../server/service-range.js';
import { createSupervisor, type ProcessSpec, type Supervisor } from './supervisor.js';

type Flags = Readonly<Record<string, string | boolean>>;

const STOP_GRACE_MS = 4_000;

interface Plan {
  readonly dataDir: string;
  readonly port: number;
  readonly network: ClusterNetwork;
  readonly nodes: readonly NodeAddresses[];
  /** Dealt to the nodes in turn. */
  readonly proxyModes: readonly ProxyMode[];
  readonly flags: Flags;
}

const text = (flags: Flags, name: string): string => String(flags[name] ?? '');

/** @throws FlagError */
async function planFrom(flags: Flags): Promise<Plan> {
  const nodes = integerFlag('nodes', text(flags, 'nodes'), 0, 250);
  const port = integerFlag('secure-port', text(flags, 'securePort'), 0, 65_535);
  if (!STORAGE_DRIVERS.includes(text(flags, 'storage')))
    throw invalidArgument('storage', text(flags, 'storage'), `want ${STORAGE_DRIVERS.join(' or ')}`);
  const problem = serviceRangeProblem(text(flags, 'serviceClusterIpRange'));
  if (problem !== undefined) throw new FlagError(problem);
  const clusterCidr = rangesFlag(flags, 'clusterCidr', 'cluster-cidr');
  const loadBalancerCidr = rangesFlag(flags, 'loadBalancerCidr', 'load-balancer-cidr');
  const network = clusterNetwork({
    serviceClusterIpRange: text(flags, 'serviceClusterIpRange'),
    ...(clusterCidr === undefined || clusterCidr === '' ? {} : { clusterCidr }),
    ...(loadBalancerCidr === undefined ? {} : { loadBalancerCidr }),
  });
  const proxyModes = text(flags, 'proxyMode').split(',').map(proxyModeFlag);
  // What the agents would say of them, said before anything is started.
  for (const proxyMode of proxyModes) proxySettingsFrom({ ...flags, clusterCidr: network.clusterCidr, proxyMode });
  const dataDir = text(flags, 'dataDir');
  return {
    dataDir,
    port: port === 0 ? await freePort() : port,
    flags,
    network,
    nodes: nodeAddresses(nodes, network),
    proxyModes,
  };
}

/** None when the flag is not given. @throws FlagError */
function rangesFlag(flags: Flags, name: 'clusterCidr' | 'loadBalancerCidr', flag: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? cidrsFlag(flag, value).join(',') : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

function apiServer({ dataDir, port, flags, network }: Plan): ProcessSpec {
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

/** What runs beside the API server; each with a kubeconfig of its own. */
async function others(plan: Plan, pki: Pki): Promise<ProcessSpec[]> {
  const { dataDir, port, flags, nodes, network } = plan;
  const server = `https://${HOST}:${port}`;
  const kubeconfig = (identity: Identity): Promise<string> => ensureKubeconfig(dataDir, pki, identity, server);
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
      ...['--allocate-node-cidrs', nodes.length > 0 ? 'true' : 'false', '--cluster-cidr', network.clusterCidr],
      ...['--load-balancer-cidr', network.loadBalancerCidr],
      ...['--metrics-server', nodes.length > 0 && flags['metrics'] !== false ? 'true' : 'false'],
      ...['--host-address', network.hostAddress],
      ...['--cluster-signing-cert-file', join(dataDir, 'pki', 'ca.crt')],
      ...['--cluster-signing-key-file', join(dataDir, 'pki', 'ca.key')],
      // One manager, started again at once when it dies: it should not wait long for its own old lease.
      ...[
        '--leader-elect-lease-duration',
        '3s',
        '--leader-elect-renew-deadline',
        '2s',
        '--leader-elect-retry-period',
        '500ms',
      ],
      ...log,
    ],
  };
  const dns: ProcessSpec = {
    name: 'dns',
    args: [
      ...['dns', '--kubeconfig', await kubeconfig(componentIdentity('dns'))],
      ...['--cluster-ip', network.clusterDns, '--host-address', network.hostAddress],
      ...['--forward', text(flags, 'dnsForward'), ...log],
    ],
  };
  const agents = await Promise.all(
    nodes.map(async ({ name, ips, bindAddress }, i): Promise<ProcessSpec> => {
      const files = await ensureNodeCredentials(dataDir, pki, server, name, [...ips, HOST, bindAddress]);
      return {
        name: `node-agent ${name}`,
        args: [
          'node-agent',
          ...['--kubeconfig', files.kubeconfig, '--node-name', name, '--bind-address', bindAddress],
          ...['--node-ip', ips.join(','), '--host-gateway', network.hostGateways.join(',')],
          ...['--tls-cert-file', files.certificate, '--tls-private-key-file', files.key],
          ...['--client-ca-file', files.clientCa, '--proxy-mode', dealt(plan.proxyModes, i)],
          ...proxyArguments(flags),
          ...['--cluster-cidr', network.clusterCidr, '--cluster-dns', network.clusterDns, ...log],
        ],
      };
    }),
  );
  if (nodes.length === 0) return [manager];
  const publisher: ProcessSpec = {
    name: 'publish',
    speaks: flags['quiet'] !== true,
    args: [
      ...['publish', '--kubeconfig', await kubeconfig(componentIdentity('proxy'))],
      ...['--host-gateway', network.hostGateways.join(','), ...log],
    ],
  };
  return [manager, dns, ...agents, ...(flags['publish'] === true ? [publisher] : [])];
}

const withoutPrefix = (line: string, prefix: string): string =>
  line.startsWith(prefix) ? line.slice(prefix.length) : line;

/** Starts everything, says how to connect, waits for a signal, stops everything. */
export async function runUp(flags: Flags, newServiceAccountKey: () => Promise<string>): Promise<void> {
  const started = realClock.monotonic();
  saveMemory();
  const signal = signalOnTermination();
  const say = (line: string): void => {
    if (flags['quiet'] !== true) process.stdout.write(`${line}\n`);
  };
  let supervisor: Supervisor | undefined;
  try {
    const plan = await planFrom(flags);
    await ensureDataFolder(plan.dataDir);
    const lock = await lockFolder(plan.dataDir);
    await lock.serving(`https://${text(flags, 'bindAddress')}:${plan.port}`);
    const pki = await ensurePki(plan.dataDir, { clock: realClock, newServiceAccountKey });
    const failed = new Promise<never>((_resolve, reject) => {
      supervisor = createSupervisor({
        clock: realClock,
        say: line => process.stdout.write(`${line}\n`),
        onFailedStart: (name, line) => reject(new Error(withoutPrefix(line, `kubette ${name.split(' ')[0] ?? ''}: `))),
      });
    });
    failed.catch(() => undefined);
    await Promise.race([failed, start(plan, pki, supervisor as unknown as Supervisor, signal)]);
    say(`ready in ${Math.round(realClock.monotonic() - started)} ms`);
    await untilAborted(signal);
  } catch (error) {
    await supervisor?.stop(STOP_GRACE_MS);
    if (!signal.aborted) fail('up', error);
  }
  say('stopping');
  await supervisor?.stop(STOP_GRACE_MS);
  process.exit(0);

  async function start(plan: Plan, pki: Pki, processes: Supervisor, stop: AbortSignal): Promise<void> {
    const begun = realClock.now();
    const server = apiServer(plan);
    processes.start(server);
    const rest = await others(plan, pki);
    const file = join(plan.dataDir, ADMIN.file);
    const client: RestClient = createClient(await loadKubeConfig(file), 'kubette-up');
    await untilReady(realClock, stop, () => client.request('GET', '/version'));
    processes.markReady(server.name);
    say(`API server   https://${text(plan.flags, 'bindAddress')}:${plan.port}`);
    for (const spec of rest) processes.start(spec);
    say(
      `nodes        ${plan.nodes.length === 0 ? 'none' : plan.nodes.map(node => `${node.name} (node ports on ${node.bindAddress})`).join(', ')}`,
    );
    const near = relative(process.cwd(), file);
    // A way up and down again is harder to read than the whole of it, and ends where the shell does.
    say(`connect with export KUBECONFIG=${near === '' || near.startsWith('..') ? file : near}`);
    await untilReady(realClock, stop, () =>
      nodesReady(
        client,
        plan.nodes.map(node => node.name),
      ),
    );
    if (plan.nodes.length > 0) await untilReady(realClock, stop, () => dnsAnswers(client, realClock));
    await untilReady(realClock, stop, () => controllersLead(client, begun));
    for (const spec of rest) processes.markReady(spec.name);
    // Of those who are not started here, too: schedulers and proxies of somebody's own.
    for (const identity of COMPONENTS)
      await ensureKubeconfig(plan.dataDir, pki, identity, `https://${HOST}:${plan.port}`);
    client.close();
  }
}
