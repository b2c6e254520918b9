import { formatIP, type IpAddress } from '../../machinery/ip.js';
import type { DeepReadonly, KubeObject, Service } from '../../machinery/types.js';
import type { Reservation, Reservations } from '../../api/strategy.js';
import { list } from '../validation/formats.js';
import { parseLegacyIp } from '../../machinery/legacy-ip.js';
import { specOf, type ReadonlyService } from './validation/service-spec.js';
import { nodePortsOf } from './service-allocation.js';

/** There to be seen, as since 1.33. */
export const ADDRESSES = 'ipaddresses.networking.k8s.io';
/** Upstream keeps them as one bitmap, which every Service that is made would have to write. */
export const NODE_PORTS = 'ranges/servicenodeports';

const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
const ALLOCATOR = 'ipallocator.k8s.io';
const RESOURCE = 'services';
const NODE_PORT_KIND = 'NodePort';

/** The part of a reservation that says who holds it. */
interface Held extends KubeObject {
  spec?: { parentRef?: { group?: string; resource?: string; namespace?: string; name?: string } };
}

const parentRef = ({ metadata: { namespace = '', name = '' } }: ReadonlyService) => ({
  parentRef: { resource: RESOURCE, namespace, name },
});

function address(service: ReadonlyService, ip: IpAddress): Reservation {
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: formatIP(ip),
      labels: { 'ipaddress.kubernetes.io/ip-family': ip.family, [MANAGED_BY]: ALLOCATOR },
    },
    spec: parentRef(service),
  };
  return { resource: ADDRESSES, object };
}

function nodePort(service: ReadonlyService, port: number): Reservation {
  const metadata = { name: String(port) };
  return {
    resource: NODE_PORTS,
    object: { apiVersion: 'v1', kind: NODE_PORT_KIND, metadata, spec: parentRef(service) },
  };
}

function portsOf(service: ReadonlyService): Set<number> {
  const spec = specOf(service);
  const ports = spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? nodePortsOf(spec) : [];
  return new Set(spec.healthCheckNodePort ? [...ports, spec.healthCheckNodePort] : ports);
}

const addressesOf = (service: ReadonlyService): IpAddress[] =>
  list(specOf(service).clusterIPs).flatMap(text => parseLegacyIp(text) ?? []);

export const serviceReservations: Reservations<Service> = {
  resources: [ADDRESSES, NODE_PORTS],
  heldBy: service => [
    ...addressesOf(service).map(ip => address(service, ip)),
    ...[...portsOf(service)].map(port => nodePort(service, port)),
  ],
  holderOf(reservation: DeepReadonly<Held>) {
    const { kind, metadata, spec } = reservation;
    // An IPAddress that somebody else has made is none of ours.
    if (kind !== NODE_PORT_KIND && metadata.labels?.[MANAGED_BY] !== ALLOCATOR) return undefined;
    const { group = '', resource, namespace = '', name = '' } = spec?.parentRef ?? {};
    return group === '' && resource === RESOURCE ? { namespace, name } : undefined;
  },
};
