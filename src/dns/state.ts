import type { Indexer, InformerFactory } from '../client/types.js';
import { keyOf } from '../client/types.js';
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../client/resources.js';
import type { Clock } from '../machinery/clock.js';
import type { DeepReadonly, EndpointSlice, KubeObject, Namespace, Service } from '../machinery/types.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';

/** One address of an EndpointSlice that takes traffic, with the slice's ports. */
export interface NamedEndpoint {
  readonly ip: string;
  /** The endpoint's hostname; undefined when it has none of its own. */
  readonly hostname: string | undefined;
  /** The Service it belongs to. */
  readonly service: string;
  readonly namespace: string;
  /** A slice without ports has one of number -1: addresses are known, but no SRV record. */
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/** What the DNS server knows of the cluster. */
export interface ClusterState {
  readonly synced: boolean;
  /** Unix seconds of the last change of a Service or EndpointSlice: the serial of the zone. */
  readonly serial: number;
  hasNamespace(name: string): boolean;
  service(namespace: string, name: string): DeepReadonly<Service> | undefined;
  endpoints(namespace: string, service: string): readonly NamedEndpoint[];
  serviceByIP(ip: string): DeepReadonly<Service> | undefined;
  endpointsByIP(ip: string): readonly NamedEndpoint[];
}

const SERVICE_INDEX = 'dnsService';
const ADDRESS_INDEX = 'dnsAddress';
const CLUSTER_IP_INDEX = 'dnsClusterIP';
/** When the change behind a slice's last one happened, by the controller's clock. */
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const NO_PORTS = [{ name: '', protocol: '', port: -1 }] as const;

const serviceOf = (slice: DeepReadonly<KubeObject>): string | undefined => slice.metadata.labels?.[SERVICE_NAME_LABEL];

export const clusterIPsOf = (service: DeepReadonly<Service>): readonly string[] => {
  const { clusterIPs, clusterIP } = service.spec ?? {};
  if (clusterIPs !== undefined && clusterIPs.length > 0) return clusterIPs;
  return clusterIP === undefined || clusterIP === '' ? [] : [clusterIP];
};

/** Told how long a change of a headless Service's Pods took to get here. */
export type OnProgrammed = (seconds: number) => void;

/** Mirrors Services, EndpointSlices and Namespaces. Call before the factory starts, or at any time after. */
export function watchCluster(informers: InformerFactory, clock: Clock, onProgrammed?: OnProgrammed): ClusterState {
  const services = informers.informer(SERVICES);
  const slices = informers.informer(ENDPOINT_SLICES);
  const namespaces = informers.informer(NAMESPACES);
  services.addIndex(CLUSTER_IP_INDEX, service => clusterIPsOf(service));
  slices.addIndex(SERVICE_INDEX, slice => {
    const service = serviceOf(slice);
    return service === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${service}`];
  });
  slices.addIndex(ADDRESS_INDEX, slice => endpointsOf(slice as DeepReadonly<EndpointSlice>).map(({ ip }) => ip));

  let modified = clock.now();
  const touch = (): void => void (modified = clock.now());
  for (const informer of [services, slices]) informer.addHandler({ add: touch, update: touch, delete: touch });

  const programmed = (slice: DeepReadonly<KubeObject>): void => {
    const triggered = Date.parse(slice.metadata.annotations?.[TRIGGER_TIME] ?? '');
    if (Number.isNaN(triggered)) return;
    const owner = services.indexer.get(`${slice.metadata.namespace ?? ''}/${serviceOf(slice) ?? ''}`);
    if (owner !== undefined && clusterIPsOf(owner)[0] === 'None') onProgrammed?.((clock.now() - triggered) / 1000);
  };
  slices.addHandler({ add: programmed, update: (_old, slice) => programmed(slice) });

  /** An object of the mirror never changes: what was made of it is kept as long as it is there. */
  const made = new WeakMap<DeepReadonly<EndpointSlice>, readonly NamedEndpoint[]>();
  const cached = (slice: DeepReadonly<EndpointSlice>): readonly NamedEndpoint[] => {
    const known = made.get(slice);
    if (known !== undefined) return known;
    const endpoints = endpointsOf(slice);
    made.set(slice, endpoints);
    return endpoints;
  };
  const all = <T extends KubeObject>(indexer: Indexer, index: string, value: string): readonly DeepReadonly<T>[] =>
    indexer.byIndex(index, value) as readonly DeepReadonly<T>[];
  const byName = (a: DeepReadonly<EndpointSlice>, b: DeepReadonly<EndpointSlice>): number =>
    keyOf(a) < keyOf(b) ? -1 : 1;

  return {
    get synced() {
      return services.synced && slices.synced && namespaces.synced;
    },
    get serial() {
      return Math.floor(modified / 1000);
    },
    hasNamespace: name => (namespaces.indexer.get(name) as DeepReadonly<Namespace> | undefined) !== undefined,
    service: (namespace, name) => services.indexer.get(`${namespace}/${name}`),
    endpoints(namespace, service) {
      const found = all<EndpointSlice>(slices.indexer, SERVICE_INDEX, `${namespace}/${service}`);
      const [only] = found;
      if (found.length === 1 && only !== undefined) return cached(only);
      return [...found].sort(byName).flatMap(cached);
    },
    serviceByIP: ip => all<Service>(services.indexer, CLUSTER_IP_INDEX, ip)[0],
    endpointsByIP: ip =>
      [...all<EndpointSlice>(slices.indexer, ADDRESS_INDEX, ip)]
        .sort(byName)
        .flatMap(cached)
        .filter(endpoint => endpoint.ip === ip && endpoint.service !== ''),
  };
}

/** Only ready endpoints have names; publishNotReadyAddresses already shows as ready in the slice. */
function endpointsOf(slice: DeepReadonly<EndpointSlice>): NamedEndpoint[] {
  const ports = (slice.ports ?? []).map(({ name, protocol, port }) => ({
    name: name ?? '',
    protocol: protocol ?? '',
    port: port ?? -1,
  }));
  return (slice.endpoints ?? []).flatMap(endpoint =>
    endpoint.conditions?.ready === false
      ? []
      : endpoint.addresses.map(ip => ({
          ip,
          hostname: endpoint.hostname,
          service: serviceOf(slice) ?? '',
          namespace: slice.metadata.namespace ?? '',
          ports: ports.length === 0 ? NO_PORTS : ports,
        })),
  );
}
