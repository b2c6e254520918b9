import type { Logger } from '../../machinery/logger.js';
import type { EventRecorder } from '../../client/event-recorder.js';
import type { ResourceClient } from '../../client/types.js';
import type { Clock } from '../../machinery/clock.js';
import type { DeepReadonly, Node, Pod, Service } from '../../machinery/types.js';
import type { ProcessTable } from '../../containers/process.js';
import type { Tree } from '../../containers/file-system.js';
import type { Counters } from '../node/counters.js';
import type { StageFacts } from '../../containers/behaviour/stages/functions.js';
import type { Stage } from '../../containers/behaviour/stages/types.js';
import type { Behaviours } from '../../containers/behaviour/behaviours.js';
import type { Addresses } from '../../containers/network/types.js';
import type { Machine } from '../../containers/machine/machine.js';
import type { IpAllocator } from '../network/ip-allocator.js';
import type { PodNetwork } from '../network/pod-network.js';
import type { ClusterDns } from './etc-files.js';
import type { Sources } from './sources.js';
import type { KeptVolumes } from './volumes/kept-volumes.js';

/** What running a Pod takes of the node. */
export interface PodDependencies {
  readonly nodeName: string;
  readonly nodeIPs: Addresses;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly network: PodNetwork;
  readonly dns: ClusterDns;
  /** Undefined until the node has its podCIDR. */
  readonly ips: () => IpAllocator | undefined;
  readonly pods: ResourceClient<Pod>;
  readonly sources: Sources;
  readonly services: () => Iterable<DeepReadonly<Service>>;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The Node as the API knows it, or as it will be registered. */
  readonly node: () => DeepReadonly<Node>;
  /** The node's own process namespace. */
  readonly nodeProcesses: ProcessTable;
  /** What its containers run on. */
  readonly machine: Machine;
  /** The node's own root file system: hostPath. */
  readonly hostTree: Tree;
  /** Volumes of the provisioner; absent: they are in that tree, and nowhere else. */
  readonly keptVolumes?: KeptVolumes;
  readonly nodeTrees: Map<string, Tree>;
  /** What containers are told to do. */
  readonly behaviours: Behaviours;
  /** Stages of Pods. */
  readonly stages: readonly Stage[];
  /** What they may ask about the node. */
  readonly stageFacts: () => Omit<StageFacts, 'podIP'>;
  /** Images pulled on this node, by canonical name. */
  readonly presentImages: Set<string>;
  readonly recorder: EventRecorder;
  readonly counters: Counters;
  readonly log: Logger;
}
