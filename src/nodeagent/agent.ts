import type { Logger } from '../machinery/logger.js';
import { isIP, type AddressInfo, type Server } from 'node:net';
import { createEventRecorder } from '../client/event-recorder.js';
import { ENDPOINT_SLICES, EVENTS, LEASES, NODES, PODS, SERVICES } from '../client/resources.js';
import type { Client, InformerFactory } from '../client/types.js';
import { createKernel } from '../dataplane/kernel/kernel.js';
import { createRouteTable, defaultRoute } from '../dataplane/kernel/routes.js';
import { createProxier, DEFAULT_PROXY_MODE } from '../dataplane/proxiers/index.js';
import { NOT_FOR_THE_PROXY } from '../dataplane/services/service-ports.js';
import { type Cidr, parseCidr } from '../machinery/cidr.js';
import type { Clock } from '../machinery/clock.js';
import type { Random } from '../machinery/random.js';
import type { KeyPair } from '../machinery/x509/certificate.js';
import type { CoreEvent, DeepReadonly, EndpointSlice, Lease, Node, Pod, Service } from '../machinery/types.js';
import { createTree, type Tree } from './containers/file-system.js';
import { createMachine } from './containers/machine/machine.js';
import { createKubeletServer } from './kubelet-api/server.js';
import { parseImage } from './images/reference.js';
import { createIpAllocator, type IpAllocator } from './network/ip-allocator.js';
import { joinStreams } from './network/join-streams.js';
import { createNodeDirectory } from './network/node-directory.js';
import { createPeerServer } from './network/peer-link.js';
import { NODE_LINK } from './network/links.js';
import { createPodNetwork } from './network/pod-network.js';
import { dialReal } from './network/real-host.js';
import { capacityOf, nodeLabels } from './node/node-object.js';
import { kubeletConfiguration } from './node/configuration.js';
import { createCounters } from './node/counters.js';
import { openLocalPorts } from './node/local-ports.js';
import { buildInfo, processStart, proxyMetrics } from './node/metrics.js';
import { createRegistration } from './node/registration.js';
import { addressesInUse, runPodManager, type PodManager } from './pods/pod-manager.js';
import { createNodeProcesses } from './pods/process-namespaces.js';
import { createSources } from './pods/sources.js';
import { explainAddress } from './proxy/explain-address.js';
import { createHealthCheckPorts } from './proxy/health-check-ports.js';
import { createNodePorts } from './proxy/node-ports.js';
import { runProxyLoop } from './proxy/proxy-loop.js';

export interface NodeAgentOptions {
  readonly client: Client;
  /** Of Pods (this node's), Nodes, Services and EndpointSlices; started by the agent. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly nodeName: string;
  /** The node's simulated address. */
  readonly nodeIP: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Real address of node port listeners, and of the kubelet API and the pod network unless those say otherwise. */
  readonly bindAddress: string;
  /** Real loopback address of kubelet API and pod network; the Node announces it. */
  readonly listenAddress: string;
  /** 0: any free port. */
  readonly kubeletPort: number;
  readonly podNetworkPort: number;
  readonly hostGateway: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** Range of all Pods: tells the proxy which traffic is local. Empty: unknown. */
  readonly clusterCidr: string;
  readonly maxPods: number;
  readonly version: string;
  readonly minSyncPeriodMs: number;
  readonly syncPeriodMs: number;
  /** PEM; absent: a certificate that signs itself. */
  readonly serving?: { readonly cert: string; readonly key: string };
  /** PEM of the CA whose clients may use the kubelet API. */
  readonly clientCa: string;
}

export interface NodeAgent {
  readonly kubeletPort: number;
  readonly podNetworkPort: number;
  readonly pods: PodManager;
  /** Ends every container and listener. The Node object stays. */
  close(): Promise<void>;
}

/** Where others expect the kubelet of a node, e.g. Pods that do not read the Node. */
const KUBELET_PORT = 10250;

const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });

/** Starts the agent of one node: kubelet, proxy and pod network. @throws Error when a port cannot be opened */
export async function createNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { client, informers, clock, log, nodeName, nodeIP, hostGateway } = options;
  const random = (): number => options.random.number();
  const stopping = new AbortController();
  const { signal } = stopping;

  const nodes = informers.informer<Node>(NODES);
  const pods = informers.informer<Pod>(PODS, { fieldSelector: `spec.nodeName=${nodeName}` });
  // Of all Services: Pods' environments name also those that the proxy leaves to others, which it does itself.
  const services = informers.informer<Service>(SERVICES);
  const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES, {
    labelSelector: NOT_FOR_THE_PROXY.map(label => `!${label}`).join(','),
  });

  const nodeAddresses = [nodeIP] as const;
  const routes = createRouteTable('IPv4');
  for (const address of nodeAddresses) routes.addAddress(NODE_LINK, address);
  routes.add({ destination: defaultRoute(routes.family), link: NODE_LINK });
  const directory = createNodeDirectory({ nodeName, routes });
  const self = (): DeepReadonly<Node> | undefined => nodes.indexer.get(nodeName);
  const ownCidrs = (): readonly Cidr[] => {
    const { podCIDR, podCIDRs = podCIDR === undefined ? [] : [podCIDR] } = self()?.spec ?? {};
    return podCIDRs.flatMap(text => parseCidr(text) ?? []).filter(({ family }) => family === routes.family);
  };
  const clusterRange = parseCidr(options.clusterCidr);
  const kernel = createKernel({
    clock,
    random,
    routes,
    // As kindnet: outside of the Pods' range nobody knows the way back to a Pod.
    masquerades: ({ src, dst }) =>
      clusterRange !== undefined && !routes.isLocal(src) && !routes.isLocal(dst) && !clusterRange.contains(dst),
  });
  const network = createPodNetwork({
    nodeName,
    nodeAddresses,
    kernel,
    directory,
    clock,
    hostGateway,
    hostAddress: '127.0.0.1',
    explain: flow => explainAddress(services.indexer.list(), flow),
  });
  const peers = createPeerServer(network, clock);
  const podNetworkPort = await listen(peers, options.podNetworkPort, options.listenAddress);

  const recorder = createEventRecorder({
    events: client.resource<CoreEvent>(EVENTS),
    clock,
    component: 'kubelet',
    host: nodeName,
    onError: error => log.info({ error: error.message }, 'event could not be written'),
  });
  const clusterDns = { address: options.clusterDns, domain: options.clusterDomain, hostNameservers: [hostGateway] };

  const hostTree = createTree({
    '/etc/hostname': `${nodeName}\n`,
    '/etc/hosts': `127.0.0.1\tlocalhost\n${nodeIP}\t${nodeName}\n`,
    '/etc/resolv.conf': `nameserver ${hostGateway}\n`,
  });

  const counters = createCounters();
  const presentImages = new Set<string>();
  const figures = { nodeName, startedAt: clock.now(), capacity: capacityOf(options.maxPods) };

  let ips: IpAllocator | undefined;
  const allocator = (): IpAllocator | undefined => {
    const cidrs = ips === undefined ? ownCidrs() : [];
    if (cidrs.length > 0) {
      ips = createIpAllocator(cidrs);
      for (const address of addressesInUse(pods.indexer.list())) ips.reserve(address);
    }
    return ips;
  };
  /** What a Pod that is bound before the Node is known is judged by. */
  const unregistered: DeepReadonly<Node> = {
    metadata: { name: nodeName, labels: nodeLabels({ name: nodeName, labels: options.labels }) },
    status: { allocatable: capacityOf(options.maxPods) },
  };
  const startPods = (): PodManager =>
    runPodManager({
      informer: pods,
      signal,
      deps: {
        nodeName,
        nodeIP,
        clock,
        random,
        network,
        dns: clusterDns,
        ips: allocator,
        pods: client.resource<Pod>(PODS),
        sources: createSources(client, clock),
        services: () => services.indexer.list(),
        allocatable: capacityOf(options.maxPods),
        node: () => self() ?? unregistered,
        nodeProcesses: createNodeProcesses(),
        counters,
        machine: createMachine(clock),
        hostTree,
        nodeTrees: new Map<string, Tree>(),
        presentImages,
        recorder,
        log,
      },
    });
  let manager: PodManager | undefined;
  const podsOfNode: PodManager = {
    find: (namespace, name) => manager?.find(namespace, name),
    container: (namespace, name, container) => manager?.container(namespace, name, container),
    list: () => manager?.list() ?? [],
    kickAll: () => manager?.kickAll(),
  };

  const ownCertificate = async (): Promise<KeyPair> => {
    const { selfSignedCertificate } = await import('./kubelet-api/certificate.js');
    log.warn(
      {},
      'no serving certificate is given: the API server cannot know this node by one that signs itself, and will not ask it for logs, exec or proxies',
    );
    return selfSignedCertificate(nodeName, [nodeName, nodeIP, options.listenAddress], clock);
  };
  const { cert, key } = options.serving ?? (await ownCertificate());
  const kubelet = createKubeletServer({
    context: {
      nodeName,
      pods: podsOfNode,
      network,
      kernel,
      clock,
      log,
      figures,
      counters,
      version: options.version,
      configuration: () =>
        kubeletConfiguration({
          port: kubeletPort,
          clusterDns: options.clusterDns,
          clusterDomain: options.clusterDomain,
          maxPods: options.maxPods,
        }),
    },
    dns: clusterDns,
    cert,
    key,
    clientCa: options.clientCa,
    hostGateway,
    allowedNames: ['kube-apiserver-kubelet-client'],
    allowedOrganizations: ['system:masters'],
  });
  const kubeletPort = await listen(kubelet, options.kubeletPort, options.listenAddress);
  // Pods reach the node's kubelet at its simulated address, as on a real node.
  for (const port of new Set([kubeletPort, KUBELET_PORT]))
    network.node.listen(port, stream => {
      dialReal({ address: options.listenAddress, port: kubeletPort }).then(
        socket => joinStreams(stream, socket),
        () => stream.destroy(),
      );
    });

  const registration = createRegistration({
    facts: {
      name: nodeName,
      nodeIP,
      kubeletAddress: options.listenAddress,
      kubeletPort,
      podNetwork: `${options.listenAddress}:${podNetworkPort}`,
      labels: options.labels,
      maxPods: options.maxPods,
      version: options.version,
      machineID: options.random.uuid().replace(/-/g, ''),
      bootID: options.random.uuid(),
    },
    nodes: client.resource<Node>(NODES),
    leases: client.resource<Lease>(LEASES),
    clock,
    recorder,
    log,
    networkReady: () => ownCidrs().length > 0,
    images: () => [...presentImages].flatMap(name => parseImage(name) ?? []),
  });

  const mode = DEFAULT_PROXY_MODE;
  const proxy = createProxier({
    clock,
    mode,
    family: kernel.family,
    nodeName,
    nodeAddresses,
    ...(options.clusterCidr === '' ? {} : { detectLocal: { kind: 'cidr', cidr: options.clusterCidr } }),
  });
  const nodePorts = createNodePorts({
    proxy,
    network,
    nodeAddresses,
    bindAddress: options.bindAddress,
    hostGateway,
    log,
    onBusy: ({ namespace, name }, message) =>
      recorder.event(
        {
          kind: 'Service',
          apiVersion: 'v1',
          metadata: services.indexer.get(`${namespace}/${name}`)?.metadata ?? { namespace, name },
        },
        'Warning',
        'NodePortUnavailable',
        message,
      ),
  });
  const healthChecks = createHealthCheckPorts({ proxy, network, healthy: () => loop.lastSync !== undefined, log });
  const loop = runProxyLoop(
    {
      services,
      slices,
      proxy,
      kernel,
      clock,
      minSyncPeriodMs: options.minSyncPeriodMs,
      syncPeriodMs: options.syncPeriodMs,
      log,
      onSynced() {
        nodePorts.update();
        healthChecks.update();
      },
    },
    signal,
  );

  const closeLocalPorts = openLocalPorts({
    network: network.node,
    clock,
    node: self,
    proxy: () => loop,
    proxyMode: mode,
    proxyMetrics: () => [
      buildInfo(options.version),
      processStart(figures.startedAt),
      ...proxyMetrics(kernel, loop.lastSync),
    ],
    healthTimeoutMs: 2 * options.syncPeriodMs,
    log,
  });

  let hadCidr = false;
  const seen = (node: DeepReadonly<Node>): void => {
    directory.update(node);
    if (node.metadata.name !== nodeName) return;
    proxy.setNode(node.metadata.labels ?? {});
    loop.poke();
    if (hadCidr || ownCidrs().length === 0) return;
    hadCidr = true;
    registration.poke();
    podsOfNode.kickAll();
  };
  nodes.addHandler({
    add: seen,
    update: (_old, node) => seen(node),
    delete: node => directory.remove(node.metadata.name ?? ''),
  });

  informers.start(signal);
  const registering = registration.run(signal);
  // Pods start when the Services are known: their environment lists them (kubelet waits for the same).
  void Promise.all([pods.whenSynced(signal), nodes.whenSynced(signal), services.whenSynced(signal)]).then(
    () => (manager = startPods()),
    (error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, 'Pods cannot be run');
    },
  );

  return {
    kubeletPort,
    podNetworkPort,
    pods: podsOfNode,
    async close() {
      stopping.abort(new Error('the node agent stops'));
      nodePorts.close();
      healthChecks.close();
      closeLocalPorts();
      kubelet.close();
      kubelet.closeAllConnections();
      peers.close();
      await registering;
      await recorder.flush();
    },
  };
}

/** Whether text can be a node's address. */
export const isNodeAddress = (text: string): boolean => isIP(text) === 4;
