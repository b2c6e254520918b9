import { ENDPOINT_SLICES, NODES, PODS, SERVICE_CIDRS, SERVICES } from '../client/resources.js';
import type { Informer, InformerFactory } from '../client/types.js';
import { NOT_FOR_THE_PROXY } from '../dataplane/services/service-ports.js';
import type { NodeHost } from './host/types.js';
import { type Cidr, parseCidr } from '../machinery/cidr.js';
import type { DeepReadonly, EndpointSlice, Node, Pod, Service, ServiceCIDR } from '../machinery/types.js';

/** What an agent watches. */
export interface NodeInformers {
  readonly nodes: Informer<Node>;
  /** Of this node. */
  readonly pods: Informer<Pod>;
  /** All: Pods' environments name also those that the proxy leaves to others, which it does itself. */
  readonly services: Informer<Service>;
  /** Those that the proxy takes. */
  readonly slices: Informer<EndpointSlice>;
  readonly serviceCidrs: Informer<ServiceCIDR>;
  /** The agent's own Node; undefined until it is registered. */
  self(): DeepReadonly<Node> | undefined;
  /** The ranges of its Pods, one of each family, once it has been given them. */
  podCidrs(): readonly Cidr[];
}

/** The EndpointSlices that proxies take. */
export const slicesForProxies = (informers: InformerFactory): Informer<EndpointSlice> =>
  informers.informer<EndpointSlice>(ENDPOINT_SLICES, {
    labelSelector: NOT_FOR_THE_PROXY.map(label => `!${label}`).join(','),
  });

/** `host`: of a node that is one of several in this process. */
export function createNodeInformers(
  informers: InformerFactory,
  nodeName: string,
  host?: Pick<NodeHost, 'pods'>,
): NodeInformers {
  const nodes = informers.informer<Node>(NODES);
  const self = (): DeepReadonly<Node> | undefined => nodes.indexer.get(nodeName);
  return {
    nodes,
    pods: host?.pods(nodeName) ?? informers.informer<Pod>(PODS, { fieldSelector: `spec.nodeName=${nodeName}` }),
    services: informers.informer<Service>(SERVICES),
    slices: slicesForProxies(informers),
    serviceCidrs: informers.informer<ServiceCIDR>(SERVICE_CIDRS),
    self,
    podCidrs() {
      const { podCIDR, podCIDRs = podCIDR === undefined ? [] : [podCIDR] } = self()?.spec ?? {};
      return podCIDRs.flatMap(text => parseCidr(text) ?? []);
    },
  };
}
