import type { EventRecorder } from '../client/event-recorder.js';
import { PODS } from '../client/resources.js';
import type { DeepReadonly, Node, Pod } from '../machinery/types.js';
import type { NodeAgentOptions } from './agent-options.js';
import { createBehaviours } from '../containers/behaviour/behaviours.js';
import { NO_BEHAVIOUR } from '../containers/behaviour/file.js';
import type { StageFacts } from '../containers/behaviour/stages/functions.js';
import { createTree, type Tree } from '../containers/file-system.js';
import { createMachine } from '../containers/machine/machine.js';
import { createIpAllocator, type IpAllocator } from './network/ip-allocator.js';
import type { NodeInformers } from './node-informers.js';
import type { NodeNetwork } from './node-network.js';
import type { Counters } from './node/counters.js';
import { capacityOf, nodeLabels } from './node/node-object.js';
import type { ClusterDns } from './pods/etc-files.js';
import { addressesInUse, runPodManager, type PodManager } from './pods/pod-manager.js';
import { createNodeProcesses } from './pods/process-namespaces.js';
import { createSources } from './pods/sources.js';
import { createKeptVolumes, type KeptVolumes } from './pods/volumes/kept-volumes.js';

export interface NodePodsOptions {
  readonly agent: NodeAgentOptions;
  readonly informers: NodeInformers;
  readonly network: NodeNetwork;
  readonly dns: ClusterDns;
  readonly recorder: EventRecorder;
  readonly counters: Counters;
  readonly stageFacts: () => Omit<StageFacts, 'podIP'>;
}

/** The Pods of the node: nobody until they are started. */
export interface NodePods extends PodManager {
  /** Images that have been pulled, by canonical name. */
  readonly presentImages: ReadonlySet<string>;
  readonly keptVolumes: KeptVolumes;
  start(signal: AbortSignal): void;
}

export function createNodePods({
  agent,
  informers,
  network,
  dns,
  recorder,
  counters,
  stageFacts,
}: NodePodsOptions): NodePods {
  const { client, clock, log, nodeName, nodeIPs, hostGateways } = agent;
  const presentImages = new Set<string>();
  const behaviour = agent.behaviour ?? NO_BEHAVIOUR;
  const hostTree = createTree({
    '/etc/hostname': `${nodeName}\n`,
    '/etc/hosts': `127.0.0.1\tlocalhost\n${nodeIPs.map(ip => `${ip}\t${nodeName}\n`).join('')}`,
    '/etc/resolv.conf': `nameserver ${hostGateways[0]}\n`,
  });
  const keptVolumes = createKeptVolumes({ tree: hostTree, folder: agent.volumesFolder, clock, log });
  /** What a Pod that is bound before the Node is known is judged by. */
  const unregistered: DeepReadonly<Node> = {
    metadata: { name: nodeName, labels: nodeLabels({ name: nodeName, labels: agent.labels }) },
    status: { allocatable: capacityOf(agent.maxPods, agent.capacity) },
  };

  let ips: IpAllocator | undefined;
  const allocator = (): IpAllocator | undefined => {
    const cidrs = ips === undefined ? informers.podCidrs() : [];
    if (cidrs.length > 0) {
      ips = createIpAllocator(cidrs);
      for (const address of addressesInUse(informers.pods.indexer.list())) ips.reserve(address);
    }
    return ips;
  };

  let manager: PodManager | undefined;
  return {
    presentImages,
    keptVolumes,
    start(signal) {
      manager = runPodManager({
        informer: informers.pods,
        signal,
        deps: {
          nodeName,
          nodeIPs,
          clock,
          random: () => agent.random.number(),
          network: network.network,
          dns,
          ips: allocator,
          pods: client.resource<Pod>(PODS),
          sources: agent.host?.sources ?? createSources(client, clock),
          services: () => informers.services.indexer.list(),
          allocatable: capacityOf(agent.maxPods, agent.capacity),
          node: () => informers.self() ?? unregistered,
          nodeProcesses: createNodeProcesses(),
          counters,
          machine: createMachine(clock),
          behaviours: createBehaviours(behaviour),
          stages: behaviour.stages.filter(({ kind }) => kind === 'Pod'),
          stageFacts,
          hostTree,
          keptVolumes,
          nodeTrees: new Map<string, Tree>(),
          presentImages,
          recorder,
          log,
        },
      });
    },
    find: (namespace, name) => manager?.find(namespace, name),
    container: (namespace, name, container) => manager?.container(namespace, name, container),
    list: () => manager?.list() ?? [],
    kickAll: () => manager?.kickAll(),
    discard: async isDiscarded => manager?.discard(isDiscarded),
  };
}
