import { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { ClientConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import type { BehaviourFile } from '../containers/behaviour/file.js';
import { DEFAULT_PROXY_MODE, type ProxyMode } from '../dataplane/proxiers/modes.js';
import { realClock, type Clock } from '../machinery/clock.js';
import { SILENT, type Logger } from '../machinery/logger.js';
import { socketPair } from '../machinery/socket-pair.js';
import { newPrivateKey } from '../machinery/x509/certificate.js';
import { realRandom, type Random } from '../machinery/random.js';
import type { ApiServerOptions } from '../server/options.js';
import { firstServiceAddresses } from '../server/service-range.js';
import type { KvStore } from '../storage/kv-store.js';
import { CLUSTER_DOMAIN, clusterNetwork, HOST, addressesOfNode, type ClusterNetwork } from './addresses.js';
import { startApiServer, type RunningApiServer } from './api-server.js';
import { startControllerManager } from './controller-manager.js';
import { startDns } from './dns.js';
import { keysInMemory } from './keys/files.js';
import { ADMIN, clientConfig, componentIdentity, formatKubeconfig } from './keys/kubeconfig.js';
import { createPki, type Pki } from './keys/pki.js';
import { namesOfNodes, type NodeDescription } from './node-description.js';
import { dnsAnswers, ingressClassIsThere, nodesReady, untilReady } from './readiness.js';
import { startNodes, type NodeSettings, type RunningNode } from './start-nodes.js';
import { openMemoryStore } from './store.js';

export interface StartClusterOptions {
  /** How many, or what each is like. Default 1; 0: no Pods are run, and there is no DNS. */
  readonly nodes?: number | readonly NodeDescription[];
  /** Neither nodes nor controllers: objects are what was written, nothing becomes of them. */
  readonly apiServerOnly?: boolean;
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
  /** An ingress controller comes when there is use for one. Default false. */
  readonly ingress?: boolean;
  /** Dealt to the nodes in turn. Default: iptables. */
  readonly proxyModes?: readonly ProxyMode[];
  /** What containers are told to do, beside what their Pods say. */
  readonly behaviour?: BehaviourFile;
  /** The node's real address on this machine, by its number from 0. Default: 127.0.0.1 for the first, and so on. */
  readonly bindAddressOf?: (node: number) => string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Further ones of the API server. */
  readonly server?: Pick<ApiServerOptions, 'audit' | 'interpose' | 'disabledAdmission'>;
  /** What a node has of its own. */
  readonly settingsOf?: (node: string) => NodeSettings;
  /** Default: a store in memory. Closed with the cluster. */
  readonly openStore?: (clock: Clock) => Promise<KvStore>;
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
  readonly pki: Pki;
  readonly api: RunningApiServer;
  readonly store: KvStore;
  readonly nodes: readonly RunningNode[];
  /** Ends all of it; nothing is left. */
  close(): Promise<void>;
}

const DEFAULTS = {
  nodes: 1 as number | readonly NodeDescription[],
  apiServerOnly: false,
  securePort: 0,
  controllers: ['*'] as readonly string[],
  ingress: false,
  serviceClusterIpRange: '10.96.0.0/16',
  proxyModes: [DEFAULT_PROXY_MODE] as readonly ProxyMode[],
};

interface Composition extends Pick<StartClusterOptions, 'bindAddressOf' | 'settingsOf' | 'behaviour'> {
  readonly admin: ClientConfig;
  readonly settings: typeof DEFAULTS;
  readonly names: readonly string[];
  readonly descriptions: readonly NodeDescription[];
  readonly network: ClusterNetwork;
  readonly pki: Pki;
  readonly url: string;
  /** The same without a network between. */
  readonly connected: (config: ClientConfig) => ClientConfig;
  readonly shared: { readonly clock: Clock; readonly random: Random; readonly log: Logger };
}

/**
 * A whole cluster in this process, in memory: API server, controllers, DNS and the agents of its nodes. Resolves when
 * every node is Ready and names are answered. Several may run side by side.
 * @throws Error when a port cannot be had
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<RunningCluster> {
  const { clock = realClock, random = realRandom, log = SILENT, openStore = openMemoryStore } = options;
  const settings = { ...DEFAULTS, ...options };
  const descriptions =
    typeof settings.nodes === 'number' ? Array.from({ length: settings.nodes }, () => ({})) : settings.nodes;
  const names = namesOfNodes(descriptions);
  const network = clusterNetwork(settings);
  const shared = { clock, random, log };
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
      // Whoever checks a certificate asks the machine what time it is, whatever this cluster's clock says.
      clock: realClock,
      // ES256, which the API server and its clients know as well as RS256: an RSA key takes longer than much of a start.
      newServiceAccountKey: () => Promise.resolve(newPrivateKey()),
      serverNames: [...firstServiceAddresses(settings.serviceClusterIpRange), ...network.hostGateways, HOST],
    });
    const store = await openStore(clock);
    const api = started(
      await startApiServer({
        ...shared,
        ...options.server,
        store,
        pki,
        bindAddress: HOST,
        securePort: settings.securePort,
        serviceClusterIpRange: settings.serviceClusterIpRange,
        advertiseAddress: network.hostAddress,
      }),
    );
    const { url } = api;
    const connected = (config: ClientConfig): ClientConfig => withoutNetwork(config, api);
    const config = connected(await clientConfig(pki, ADMIN, url));
    const nodesToBe = { names, descriptions };
    const composition = { ...options, ...nodesToBe, admin: config, settings, network, pki, url, shared, connected };
    const nodes = settings.apiServerOnly ? [] : await startWorkers(composition, started);
    const client = createClient(config, 'kubette');
    try {
      await untilReady(clock, signal, () =>
        nodesReady(
          client,
          nodes.map(({ name }) => name),
        ),
      );
      if (nodes.length > 0) await untilReady(clock, signal, () => dnsAnswers(client, clock));
      if (nodes.length > 0 && settings.ingress) await ingressClassIsThere(client, realClock, signal);
    } finally {
      client.close();
    }
    const { cert = '', key = '' } = config;
    return {
      url,
      kubeconfig: formatKubeconfig(url, pki.ca.cert, { cert, key }),
      config,
      pki,
      api,
      store,
      nodes,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of a component in the API server's process: HTTP as ever, but neither TCP nor TLS, which are most of a start. */
function withoutNetwork(config: ClientConfig, api: Pick<RunningApiServer, 'accept'>): ClientConfig {
  const certificate = new X509Certificate(config.cert ?? '');
  const connect = (): Duplex => {
    const { client, server } = socketPair();
    api.accept(server, certificate);
    return client;
  };
  return { ...config, connect };
}

/** Controllers, DNS and nodes. */
async function startWorkers(
  composition: Composition,
  started: <P extends { close(): Promise<void> }>(part: P) => P,
): Promise<RunningNode[]> {
  const { settings, names, descriptions, network, pki, url, shared, bindAddressOf, connected } = composition;
  const configOf = async (name: string): Promise<ClientConfig> =>
    connected(await clientConfig(pki, componentIdentity(name), url));
  const hasNodes = descriptions.length > 0;
  started(
    startControllerManager({
      ...shared,
      config: await configOf('controller-manager'),
      controllers: settings.controllers,
      ...(hasNodes && settings.ingress ? { ingress: await configOf('addons') } : {}),
      ...(hasNodes ? { metrics: { bindAddress: HOST, hostAddress: network.hostAddress } } : {}),
      options: {
        rootCa: pki.ca.cert,
        serviceAccountKey: pki.serviceAccountKey,
        signing: { ...pki.ca, durationMs: 365 * 86_400_000 },
        ...(hasNodes ? { clusterCidr: network.clusterCidr } : {}),
        ...(network.loadBalancerCidr === '' ? {} : { loadBalancerCidr: network.loadBalancerCidr }),
        nodeMonitorPeriodMs: 5_000,
        nodeMonitorGracePeriodMs: 50_000,
      },
    }),
  );
  if (!hasNodes) return [];
  started(
    await startDns({
      ...shared,
      config: await configOf('dns'),
      bindAddress: HOST,
      port: 0,
      metricsPort: 0,
      clusterDomain: CLUSTER_DOMAIN,
      clusterIP: network.clusterDns,
      hostAddress: network.hostAddress,
      upstreams: [],
    }),
  );
  const addresses = names.map((name, i) => {
    const node = addressesOfNode(name, i, network);
    return { ...node, bindAddress: bindAddressOf?.(i) ?? node.bindAddress, description: descriptions[i] ?? {} };
  });
  const { proxyModes } = settings;
  const nodes = await startNodes({ ...shared, ...composition, nodes: addresses, proxyModes });
  return nodes.map(started);
}
