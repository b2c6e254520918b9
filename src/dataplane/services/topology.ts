import type { EndpointInfo } from './endpoints.js';
import { type ServicePort, usesClusterEndpoints, usesLocalEndpoints } from './service-ports.js';

/** Which endpoints a service port uses on one node, whatever the proxy mode. */
export interface EndpointCategories {
  /** Where "Cluster" traffic goes. */
  readonly cluster: readonly EndpointInfo[];
  /** Where "Local" traffic goes. */
  readonly local: readonly EndpointInfo[];
  /** All endpoints that need a chain of their own, sorted. */
  readonly reachable: readonly EndpointInfo[];
  /** Some node has a usable endpoint. */
  readonly hasEndpoints: boolean;
  /** This node can serve the cluster IP. */
  readonly hasInternal: boolean;
  /** This node can serve node port, external IPs and load balancer IPs. */
  readonly hasExternal: boolean;
}

export interface NodeTopology {
  readonly nodeName: string;
  readonly zone: string | undefined;
}

const isReady = (endpoint: EndpointInfo): boolean => endpoint.ready;
/** With no ready endpoint left, traffic goes to those that shut down but still answer (KEP-1669). */
const isFallback = (endpoint: EndpointInfo): boolean => endpoint.serving && endpoint.terminating;

function readyOrFallback(
  endpoints: readonly EndpointInfo[],
  also: (endpoint: EndpointInfo) => boolean,
): readonly EndpointInfo[] {
  const ready = endpoints.filter(endpoint => isReady(endpoint) && also(endpoint));
  return ready.length > 0 ? ready : endpoints.filter(isFallback);
}

/**
 * kube-proxy's CategorizeEndpoints (pkg/proxy/topology.go). `endpoints` is sorted by address, and so are the results.
 */
export function categorizeEndpoints(
  service: ServicePort,
  endpoints: readonly EndpointInfo[],
  node: NodeTopology,
): EndpointCategories {
  const usesCluster = usesClusterEndpoints(service);
  const usesLocal = usesLocalEndpoints(service);
  const cluster = usesCluster ? readyOrFallback(endpoints, topologyFilter(endpoints, node)) : [];
  const local = usesLocal
    ? readyOrFallback(
        endpoints.filter(endpoint => endpoint.isLocal),
        () => true,
      )
    : [];

  const hasEndpoints = usesLocal ? endpoints.some(e => isReady(e) || isFallback(e)) : cluster.length > 0;
  let reachable = usesCluster ? cluster : local;
  if (usesCluster && usesLocal) {
    const wanted = new Set([...cluster, ...local]);
    reachable = endpoints.filter(endpoint => wanted.has(endpoint));
  }
  return {
    cluster,
    local,
    reachable,
    hasEndpoints,
    hasInternal: hasEndpoints && !(service.internalPolicyLocal && local.length === 0),
    hasExternal: hasEndpoints && !(service.externalPolicyLocal && local.length === 0),
  };
}

/** Hints count only when every ready endpoint has them and at least one names this node, or else this zone. */
function topologyFilter(endpoints: readonly EndpointInfo[], node: NodeTopology): (endpoint: EndpointInfo) => boolean {
  const ready = endpoints.filter(isReady);
  const forNode = (endpoint: EndpointInfo): boolean => endpoint.nodeHints.includes(node.nodeName);
  if (ready.every(endpoint => endpoint.nodeHints.length > 0) && ready.some(forNode)) return forNode;

  const { zone } = node;
  if (zone !== undefined && zone !== '') {
    const forZone = (endpoint: EndpointInfo): boolean => endpoint.zoneHints.includes(zone);
    if (ready.every(endpoint => endpoint.zoneHints.length > 0) && ready.some(forZone)) return forZone;
  }
  return () => true;
}
