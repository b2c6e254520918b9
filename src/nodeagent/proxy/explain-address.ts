import type { DeepReadonly, Service } from '../../machinery/types.js';
import type { Flow } from '../../containers/network/types.js';

const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';

/**
 * Why a packet to an address that is no Pod's and no node's was not translated: the address is a Service's and something else
 * is wrong. Undefined: it is no Service's either.
 */
export function explainAddress(services: Iterable<DeepReadonly<Service>>, flow: Flow): string | undefined {
  for (const service of services) {
    if (!addressesOf(service).includes(flow.dst)) continue;
    const { namespace = '', name = '', labels } = service.metadata;
    const ports = (service.spec?.ports ?? []).map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`);
    const asked = `${flow.dstPort}/${flow.proto.toUpperCase()}`;
    const whose = `${flow.dst} is Service ${namespace}/${name}`;
    if (!ports.includes(asked))
      return `${whose}, which has no port ${asked}, only ${ports.join(', ') || 'none at all'}`;
    const proxy = labels?.[PROXY_NAME];
    if (proxy !== undefined) return `${whose}, which is left to the proxy named ${JSON.stringify(proxy)}`;
    return `${whose}, but no rule of this node takes port ${asked}`;
  }
  return undefined;
}

/** All under which a Service takes traffic of its ports. */
export const addressesOf = ({ spec, status }: DeepReadonly<Service>): string[] => [
  ...(spec?.clusterIPs ?? [spec?.clusterIP ?? '']),
  ...(spec?.externalIPs ?? []),
  ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
];
