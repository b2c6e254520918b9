import type { Informer } from '../../client/types.js';
import type { Tuple } from '../../dataplane/packet.js';
import type { StandIn } from '../../dataplane/policies/types.js';
import { DNS_MANAGER, type DeepReadonly, type EndpointSlice, type Service } from '../../machinery/types.js';

const NAMESPACE = 'kube-system';
const NAME = 'kube-dns';
const LABELS = { 'k8s-app': NAME };

/**
 * The DNS process is a process of the host on any port, in the place of CoreDNS's Pods. Policies that let names be asked for
 * are written for those: their labels, and the ports of the Service, on which CoreDNS listens.
 */
export function createDnsStandIn(
  slices: Informer<EndpointSlice>,
  services: Informer<Service>,
): (packet: Tuple) => StandIn | undefined {
  const published = new Map<string, DeepReadonly<EndpointSlice>>();
  const see = (slice: DeepReadonly<EndpointSlice>): void => {
    const { namespace, name = '', labels } = slice.metadata;
    if (namespace === NAMESPACE && labels?.['endpointslice.kubernetes.io/managed-by'] === DNS_MANAGER)
      published.set(name, slice);
    else if (namespace === NAMESPACE) published.delete(name);
  };
  slices.addHandler({
    add: see,
    update: (_old, slice) => see(slice),
    delete({ metadata }) {
      if (metadata.namespace === NAMESPACE) published.delete(metadata.name ?? '');
    },
  });
  return ({ protocol: given, dst, dstPort }) => {
    const protocol = given.toUpperCase();
    for (const { endpoints = [], ports = [] } of published.values()) {
      if (!endpoints.some(({ addresses }) => addresses.includes(dst))) continue;
      const found = ports.find(one => one.port === dstPort && one.protocol === protocol);
      const service = services.indexer.get(`${NAMESPACE}/${NAME}`)?.spec?.ports ?? [];
      const meant = found && service.find(one => one.name === found.name && one.protocol === protocol);
      if (meant !== undefined)
        return { namespace: NAMESPACE, name: NAME, labels: LABELS, port: meant.port, portName: meant.name ?? '' };
    }
    return undefined;
  };
}
