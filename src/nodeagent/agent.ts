import { setMaxListeners } from 'node:events';
import { createEventRecorder } from '../client/event-recorder.js';
import { EVENTS, LEASES, NODES } from '../client/resources.js';
import type { CoreEvent, DeepReadonly, Lease, Node } from '../machinery/types.js';
import type { NodeAgent, NodeAgentOptions } from './agent-options.js';
import { parseImage } from '../containers/images/reference.js';
import { listen } from './listen.js';
import { LinkError } from './network/link/frames.js';
import { createPeerServer } from './network/peer-link.js';
import { createNodeInformers } from './node-informers.js';
import { startNodeKubelet } from './node-kubelet.js';
import { createNodeNetwork, type NodeNetwork } from './node-network.js';
import { createNodePods } from './node-pods.js';
import { type NodeProxy, runNodeProxy } from './node-proxy.js';
import { createCounters } from './node/counters.js';
import { createSyncFeed } from './proxy/sync-feed.js';
import { capacityOf } from './node/node-object.js';
import { createRegistration } from './node/registration.js';
import { createNodeStages } from './stages/node-stages.js';
import { nodeStageFacts } from './stages/stage-facts.js';
import { createNodeUsage } from './node/summary.js';

/** Starts the agent of one node: kubelet, proxy and pod network. @throws Error when a port cannot be opened */
export async function createNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { client, clock, log, nodeName, host } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  // Every watch listens to it, however many there are.
  setMaxListeners(0, signal);
  const informers = createNodeInformers(options.informers, nodeName, host);
  const nodeNetwork = createNodeNetwork(options, informers);
  const { kernels, network, directory, links } = nodeNetwork;
  const peers: ListeningPodNetwork =
    host === undefined ? await openPodNetwork(options, nodeNetwork) : { port: host.podNetworkPort };

  const recorder = createEventRecorder({
    events: client.resource<CoreEvent>(EVENTS),
    clock,
    component: 'kubelet',
    host: nodeName,
    onError: error => log.info({ error: error.message }, 'event could not be written'),
    mayWrite: host && (() => host.mayTell()),
  });
  const dns = {
    address: options.clusterDns,
    domain: options.clusterDomain,
    hostNameservers: [options.hostGateways[0]],
  };
  const counters = createCounters();
  const syncs = createSyncFeed(clock);
  const figures = {
    nodeName,
    startedAt: clock.now(),
    capacity: capacityOf(options.maxPods, options.capacity),
    used: createNodeUsage(),
  };
  const stageFacts = nodeStageFacts({
    name: nodeName,
    ip: options.nodeIPs[0],
    kubeletPort: () => kubelet.port,
    version: options.version,
    startedAt: figures.startedAt,
    clock,
  });
  const pods = createNodePods({
    agent: options,
    informers,
    network: nodeNetwork,
    dns,
    recorder,
    counters,
    stageFacts: () => stageFacts,
  });
  const kubelet = await startNodeKubelet({
    agent: options,
    dns,
    context: {
      nodeName,
      pods,
      keptVolumes: pods.keptVolumes,
      network,
      kernels,
      proxy: options.proxy,
      syncs,
      clock,
      random: () => options.random.number(),
      log,
      figures,
      counters,
      version: options.version,
    },
  });

  const registration = createRegistration({
    facts: {
      name: nodeName,
      nodeIPs: options.nodeIPs,
      kubeletAddress: options.listenAddress,
      kubeletPort: kubelet.port,
      podNetwork: `${options.listenAddress}:${peers.port}`,
      labels: options.labels,
      maxPods: options.maxPods,
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
      version: options.version,
      machineID: options.random.uuid().replace(/-/g, ''),
      bootID: options.random.uuid(),
    },
    nodes: client.resource<Node>(NODES),
    leases: client.resource<Lease>(LEASES),
    clock,
    recorder,
    log,
    networkReady: () => informers.podCidrs().length > 0,
    isHeld: () => stages.held,
    // What all nodes do again and again they do one after the other.
    phase: host && options.random.number(),
    known: host && (() => informers.self()),
    images: () => [...pods.presentImages].flatMap(name => parseImage(name) ?? []),
  });
  const stages = createNodeStages({
    stages: (options.behaviour?.stages ?? []).filter(({ kind }) => kind === 'Node'),
    nodes: client.resource<Node>(NODES),
    recorder,
    clock,
    random: () => options.random.number(),
    facts: stageFacts,
    log,
    onReleased: () => registration.poke(),
  });
  let proxy: NodeProxy | undefined;
  let asked = false;
  nodeNetwork.onRulesAsked(() => {
    // Each family's kernel asks, and one proxy is for both.
    if (asked || signal.aborted) return;
    asked = true;
    proxy = runNodeProxy(
      { agent: options, informers, network: nodeNetwork, recorder, syncs, startedAt: figures.startedAt },
      signal,
    );
    const self = informers.self();
    if (self !== undefined) proxy.setNode(self);
    proxy.loadNow();
  });

  let hadCidr = false;
  const seen = (node: DeepReadonly<Node>): void => {
    directory.update(node);
    if (node.metadata.name !== nodeName) return;
    proxy?.setNode(node);
    stages.look(node);
    if (hadCidr || informers.podCidrs().length === 0) return;
    hadCidr = true;
    registration.poke();
    pods.kickAll();
  };
  if (host === undefined) {
    informers.nodes.addHandler({
      add: seen,
      update: (_old, node) => seen(node),
      delete: node => directory.remove(node.metadata.name ?? ''),
    });
    options.informers.start(signal);
  } else host.followNode(nodeName, seen);
  const registering = registration.run(signal);
  // Pods start when the Services are known: their environment lists them (kubelet waits for the same).
  const known = [informers.pods, informers.nodes, informers.services].map(informer => informer.whenSynced(signal));
  void Promise.all(known).then(
    () => pods.start(signal),
    (error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, 'Pods cannot be run');
    },
  );

  return {
    kubeletPort: kubelet.port,
    podNetworkPort: peers.port,
    pods,
    async close() {
      stopping.abort(new Error('the node agent stops'));
      proxy?.close();
      stages.stop();
      kubelet.close();
      peers.close?.();
      if (host === undefined) links.close();
      await registering;
      await pods.keptVolumes.close();
      await recorder.flush();
    },
  };
}

interface ListeningPodNetwork {
  readonly port: number;
  close?(): void;
}

/** Takes packets from other agents. @throws Error when its port cannot be opened */
async function openPodNetwork(
  { cable, clock, log, podNetworkPort, listenAddress }: NodeAgentOptions,
  { network, onTraffic }: NodeNetwork,
): Promise<ListeningPodNetwork> {
  const peers = createPeerServer({
    network,
    cable,
    clock,
    onTraffic,
    onLinkEnd(error, from) {
      if (error instanceof LinkError) log.warn({ from, error: error.message }, 'the link from another agent is ended');
    },
  });
  return { port: await listen(peers.server, podNetworkPort, listenAddress), close: () => peers.close() };
}
