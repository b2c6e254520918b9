import type { RestClient } from '../../src/client/rest-client.js';
import { ENDPOINT_SLICES, PODS } from '../../src/client/resources.js';
import type { Family } from '../../src/machinery/ip.js';
import type { EndpointSlice, Node, Pod, Service } from '../../src/machinery/types.js';

export const familyOf = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4');

/** Where a Service can be asked. */
export interface Door {
  readonly kind: 'ClusterIP' | 'external IP' | 'load balancer' | 'node port';
  readonly address: string;
  readonly port: number;
  /** "tcp" */
  readonly protocol: string;
}

/** The addresses and ports at which a node takes requests for a Service, in each family that the Service has. */
export function doorsOf({ spec, status }: Service, node: Node): Door[] {
  const clusterIPs = (spec?.clusterIPs ?? []).filter(ip => ip !== 'None');
  const families = clusterIPs.map(familyOf);
  const balancers = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const nodeIPs = (node.status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' ? address : []));
  return (spec?.ports ?? []).flatMap(({ port, nodePort, protocol = 'TCP' }) => {
    const at = (kind: Door['kind'], addresses: readonly string[], port: number | undefined): Door[] =>
      addresses.flatMap(address =>
        port === undefined || !families.includes(familyOf(address))
          ? []
          : { kind, address, port, protocol: protocol.toLowerCase() },
      );
    return [
      ...at('ClusterIP', clusterIPs, port),
      ...at('external IP', spec?.externalIPs ?? [], port),
      ...at('load balancer', balancers, port),
      ...at('node port', nodeIPs, nodePort),
    ];
  });
}

/** Who answers for a Service: a Pod "default/web-1", or an address that nobody of the cluster has. */
export interface Answering {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly node: string | undefined;
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

/** Who should answer: the ready Pods of its selector; without one, what is in the slices that somebody has made for it. */
export async function answering(client: RestClient, { metadata, spec }: Service): Promise<Answering[]> {
  const { namespace = '', name = '' } = metadata;
  if (spec?.selector === undefined) {
    const labelSelector = `kubernetes.io/service-name=${name}`;
    const slices = (await client.resource<EndpointSlice>(ENDPOINT_SLICES).list({ namespace, labelSelector })).items;
    return slices.flatMap(({ endpoints }) =>
      (endpoints ?? []).map(({ addresses }) => ({ name: addresses[0] ?? '', addresses, node: undefined })),
    );
  }
  const labelSelector = Object.entries(spec.selector)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  const pods = (await client.resource<Pod>(PODS).list({ namespace, labelSelector })).items;
  return pods.filter(isReady).map(({ metadata, spec, status }) => ({
    name: `${namespace}/${metadata.name ?? ''}`,
    addresses: (status?.podIPs ?? []).map(({ ip }) => ip),
    node: spec?.nodeName,
  }));
}
