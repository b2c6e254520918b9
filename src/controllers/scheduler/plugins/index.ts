import type { Indexer } from '../../../client/types.js';
import type { KubeObject, Namespace } from '../../../machinery/types.js';
import type { Snapshot } from '../cache.js';
import type { ClaimBinder } from '../claim-binder.js';
import type { Plugin } from '../plugin.js';
import type { VolumeLists } from './claims.js';
import type { SelectorSources } from './default-selector.js';
import { dynamicResources } from './dynamic-resources.js';
import { imageLocality } from './image-locality.js';
import { interPodAffinity } from './inter-pod-affinity.js';
import { nodeAffinity } from './node-affinity.js';
import { nodeName } from './node-name.js';
import { nodePorts } from './node-ports.js';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.js';
import { nodeResourcesFit } from './node-resources-fit.js';
import { nodeUnschedulable } from './node-unschedulable.js';
import { nodeVolumeLimits } from './node-volume-limits.js';
import { podTopologySpread } from './pod-topology-spread.js';
import { schedulingGates } from './scheduling-gates.js';
import { taintToleration } from './taint-toleration.js';
import { volumeBinding } from './volume-binding.js';
import { volumeRestrictions } from './volume-restrictions.js';
import { volumeZone } from './volume-zone.js';

/** What plugins are made of: the nodes, what else is in the cluster, and who binds claims. */
export interface PluginContext {
  readonly snapshot: Snapshot;
  readonly volumes: VolumeLists;
  readonly selectors: SelectorSources;
  readonly namespaces: Indexer<Namespace>;
  readonly csiNodes: Indexer<KubeObject>;
  readonly resourceClaims: Indexer<KubeObject>;
  readonly deviceClasses: Indexer<KubeObject>;
  readonly binder: ClaimBinder;
}

/**
 * The default plugins of 1.35 in their order, which decides whose reason a node is refused with. Sorting the queue,
 * making room for a Pod and binding it are `queue.ts`, `default-preemption.ts` and `default-binder.ts`.
 */
export const defaultPlugins = (context: PluginContext): readonly Plugin[] => [
  schedulingGates(),
  nodeUnschedulable(),
  nodeName(),
  taintToleration(),
  nodeAffinity(),
  nodePorts(),
  nodeResourcesFit(),
  volumeRestrictions(context.snapshot, context.volumes),
  nodeVolumeLimits(context.volumes, context.csiNodes),
  volumeBinding(context.volumes, context.binder),
  volumeZone(context.volumes),
  podTopologySpread(context.snapshot, context.selectors),
  interPodAffinity(context.snapshot, context.namespaces),
  dynamicResources(context.resourceClaims, context.deviceClasses),
  nodeResourcesBalancedAllocation(),
  imageLocality(context.snapshot),
];
