import type { ClientConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { dealt, DEFAULT_PROXY_MODE, type ProxyMode } from '../dataplane/proxiers/modes.js';
import { realClock, type Clock } from '../machinery/clock.js';
import { SILENT, type Logger } from '../machinery/logger.js';
import { realRandom, type Random } from '../machinery/random.js';
import { proxySettings } from '../nodeagent/proxy/proxy-settings.js';
import { firstServiceAddresses } from '../server/service-range.js';
import { CLUSTER_DOMAIN, type ClusterNetwork, clusterNetwork, HOST, nodeAddresses } from './addresses.js';
import { startApiServer } from './api-server.js';
import { startControllerManager } from './controller-manager.js';
import { startDns } from './dns.js';
import { keysInMemory } from './keys/files.js';
import { ADMIN, clientConfig, componentIdentity, formatKubeconfig, nodeIdentity } from './keys/kubeconfig.js';
import { createPki, type Pki } from './keys/pki.js';
import { startNodeAgent } from './node-agent.js';
import { dnsAnswers, nodesReady, untilReady } from './readiness.js';
import { openMemoryStore } from './store.js';

export interface StartClusterOptions {
  /** Default 1; 0: no Pods are run, and there is no DNS. */
  readonly nodes?: number;
  /** Default 0: any free port. */
  readonly securePort?: number;
  /** As --controllers. */
  readonly controllers?: readonly string[];
  /** A range of each family that Services have, the primary one first: "10.96.0.0/16,fd00:10:96::/112". */
  readonly serviceClusterIpRange?: string;
  /** Ranges of Pods. Default: one of each family of the Services. */
  readonly clusterCidr?: string;
  /** For Services of type LoadBalancer; empty: they get no address. Default: a range of each family. */
  readonly loadBalancerCidr?: string;
  /** Dealt to the nodes in turn. Default: iptables. */
  readonly proxyModes?: readonly ProxyMode[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

export interface RunningCluster {
  /** "https://127.0.0.1:41234" */
  readonly url: string;
  /** The administrator's, as text for a file. */
  readonly kubeconfig: string;
  /** The same as a value. */
  readonly config: ClientConfig;
  /** Ends all of it; nothing is left. */
  close(): Promise<void>;
}

const DEFAULTS = {
  nodes: 1,
  securePort: 0,
  serviceClusterIpRange: '10.96.0.0/16',
  proxyModes: [DEFAULT_PROXY_MODE] as readonly ProxyMode[],
};

/**
 * A whole cluster in this process, in memory: API server, controllers, DNS and the agents of its nodes. Resolves when
 * every node is Ready and names are answered. Several may run side by side.
 * @throws Error when a port cannot be had
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<RunningCluster> {
  const { clock = realClock, random = realRandom, log = SILENT } = options;
  const settings = { ...DEFAULTS, ...options };
  const network = clusterNetwork(settings);
  const signal = options.signal ?? new AbortController().signal;
  const parts: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    // What was started last goes first: nobody is left without whom it needs.
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) await part.close();
  };
  const started = <P extends { close(): Promise<void> }>(part: P): P => {
    parts.push(part);
    return part;
  };
  try {
    const pki = await createPki(keysInMemory(), {
      clock,
      serverNames: [...firstServiceAddresses(settings.serviceClusterIpRange), ...network.hostGateways, HOST],
    });
    const { url } = started(
      await startApiServer({
        store: await openMemoryStore(clock),
        pki,
        clock,
        random,
        log,
        bindAddress: HOST,
        securePort: settings.securePort,
        serviceClusterIpRange: settings.serviceClusterIpRange,
        advertiseAddress: network.hostAddress,
      }),
    );
    const config = await clientConfig(pki, ADMIN, url);
    const shared = { clock, random, log };
    started(
      startControllerManager({
        ...shared,
        config: await clientConfig(pki, componentIdentity('controller-manager'), url),
        controllers: settings.controllers ?? ['*'],
        ...(settings.nodes > 0 ? { metrics: { bindAddress: HOST, hostAddress: network.hostAddress } } : {}),
        options: {
          rootCa: pki.ca.cert,
          serviceAccountKey: pki.serviceAccountKey,
          signing: { ...pki.ca, durationMs: 365 * 86_400_000 },
          ...(settings.nodes > 0 ? { clusterCidr: network.clusterCidr } : {}),
          ...(network.loadBalancerCidr === '' ? {} : { loadBalancerCidr: network.loadBalancerCidr }),
          nodeMonitorPeriodMs: 5_000,
          nodeMonitorGracePeriodMs: 50_000,
        },
      }),
    );
    const nodes = await startNodes(pki, url, { ...settings, network }, shared, started);
    const client = createClient(config, 'kubette');
    await untilReady(clock, signal, () => nodesReady(client, nodes));
    if (nodes.length > 0) await untilReady(clock, signal, () => dnsAnswers(client, clock));
    client.close();
    const { cert = '', key = '' } = config;
    return { url, kubeconfig: formatKubeconfig(url, pki.ca.cert, { cert, key }), config, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startNodes(
  pki: Pki,
  url: string,
  { nodes: count, proxyModes, network }: typeof DEFAULTS & { readonly network: ClusterNetwork },
  shared: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
  started: <P extends { close(): Promise<void> }>(part: P) => P,
): Promise<string[]> {
  const { clusterDns } = network;
  const clusterCidrs = network.clusterCidr.split(',');
  const nodes = nodeAddresses(count, network);
  if (nodes.length === 0) return [];
  started(
    await startDns({
      ...shared,
      config: await clientConfig(pki, componentIdentity('dns'), url),
      bindAddress: HOST,
      port: 0,
      metricsPort: 0,
      clusterDomain: CLUSTER_DOMAIN,
      clusterIP: clusterDns,
      hostAddress: network.hostAddress,
      upstreams: [],
    }),
  );
  for (const [i, { name, ips, bindAddress }] of nodes.entries()) {
    const identity = nodeIdentity(name);
    const serving = await pki.servingCertificate(`kubelet-${name}`, identity.subject, [
      name,
      ...ips,
      HOST,
      bindAddress,
    ]);
    started(
      await startNodeAgent({
        ...shared,
        config: await clientConfig(pki, identity, url),
        nodeName: name,
        nodeIPs: ips,
        labels: {},
        bindAddress,
        listenAddress: HOST,
        kubeletPort: 0,
        podNetworkPort: 0,
        hostGateways: network.hostGateways,
        clusterDns,
        clusterDomain: CLUSTER_DOMAIN,
        clusterCidrs,
        proxy: proxySettings(dealt(proxyModes, i), clusterCidrs),
        maxPods: 110,
        minSyncPeriodMs: 50,
        syncPeriodMs: 30_000,
        serving,
        clientCa: pki.ca.cert,
      }),
    );
  }
  return nodes.map(({ name }) => name);
}
