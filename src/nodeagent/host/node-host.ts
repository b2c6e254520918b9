import { setMaxListeners } from 'node:events';
import { NODES, PODS, SERVICES } from '../../client/resources.js';
import type { Client, InformerFactory } from '../../client/types.js';
import type { PacketReceiver } from '../../containers/network/types.js';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import type { DeepReadonly, Node, Pod, Service } from '../../machinery/types.js';
import type { ServingOptions } from '../kubelet-api/server.js';
import { listen } from '../listen.js';
import { createCommonDirectory } from '../network/common-directory.js';
import { createPeerLinks } from '../network/link/peer-links.js';
import { createPeerServer } from '../network/peer-link.js';
import { slicesForProxies } from '../node-informers.js';
import { createSources } from '../pods/sources.js';
import { createNodePolicies } from '../policies/node-policies.js';
import { createHostedKubelets } from './hosted-kubelets.js';
import { hostedNetwork } from './hosted-network.js';
import { podsByNode } from './pods-by-node.js';
import { createRate } from './rate.js';
import type { NodeHost } from './types.js';

export interface NodeHostOptions extends ServingOptions {
  readonly client: Client;
  /** Of what all its nodes watch; started by the host. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  /** Real loopback address of both listeners; 0 as a port: any free one. */
  readonly listenAddress: string;
  readonly kubeletPort: number;
  readonly podNetworkPort: number;
  /** Events that all nodes together write in a second, after a burst of EVENT_BURST. */
  readonly eventsPerSecond: number;
}

export interface RunningNodeHost extends NodeHost {
  /** After its nodes are closed. */
  close(): void;
}

/** As many as wait in the queue of a recorder upstream, before it drops what comes. */
const EVENT_BURST = 1_000;
/** Pods that are bound: those of the process's nodes, and those of others, whom policies and routes may be about. */
const BOUND = { fieldSelector: 'spec.nodeName!=' };

/** Opens what the nodes of one process share. @throws Error when a port cannot be opened */
export async function createNodeHost(options: NodeHostOptions): Promise<RunningNodeHost> {
  const { client, informers, clock, log, listenAddress } = options;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const directory = createCommonDirectory();
  const pods = informers.informer<Pod>(PODS, BOUND);
  const nodes = informers.informer<Node>(NODES);
  const services = informers.informer<Service>(SERVICES);
  const followers = new Map<string, (node: DeepReadonly<Node>) => void>();
  const receivers = new Map<string, PacketReceiver>();

  const seen = (node: DeepReadonly<Node>): void => {
    directory.update(node);
    followers.get(node.metadata.name ?? '')?.(node);
  };
  nodes.addHandler({
    add: seen,
    update: (_old, node) => seen(node),
    delete: ({ metadata }) => directory.remove(metadata.name ?? ''),
  });

  const peers = createPeerServer({
    network: hostedNetwork(directory, receivers),
    clock,
    onLinkEnd: (error, from) => log.info({ from, error: error.message }, 'a link from another agent has ended'),
  });
  const kubelets = createHostedKubelets(options);
  const links = createPeerLinks(clock);
  const [podNetworkPort, kubeletPort] = await Promise.all([
    listen(peers.server, options.podNetworkPort, listenAddress),
    listen(kubelets.server, options.kubeletPort, listenAddress),
  ]);
  const policies = createNodePolicies({
    informers: {
      ...informers,
      informer: (ref, selectors) =>
        ref === PODS ? informers.informer(PODS, BOUND) : informers.informer(ref, selectors),
    },
    services,
    slices: slicesForProxies(informers),
    clock,
    log,
  });
  informers.start(stopping.signal);

  return {
    pods: podsByNode(pods),
    followNode(nodeName, follow) {
      followers.set(nodeName, follow);
      const known = nodes.indexer.get(nodeName);
      if (known !== undefined) follow(known);
    },
    directory,
    policies,
    links,
    sources: createSources(client, clock),
    podNetworkPort,
    kubeletPort,
    join(nodeName, { network, kubelet }) {
      receivers.set(nodeName, network);
      const leave = kubelets.add(nodeName, kubelet);
      return () => {
        leave();
        receivers.delete(nodeName);
        followers.delete(nodeName);
      };
    },
    callsFrom: (port, nodeName) => kubelets.callsFrom(port, nodeName),
    mayTell: createRate(clock, options.eventsPerSecond, EVENT_BURST),
    close() {
      stopping.abort(new Error('the node agent stops'));
      kubelets.close();
      peers.close();
      links.close();
    },
  };
}
