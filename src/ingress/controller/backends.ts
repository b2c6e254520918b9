import { ENDPOINT_SLICES, SERVICES } from '../../client/resources.js';
import { keyOf, type InformerFactory } from '../../client/types.js';
import { compareText } from '../../machinery/compare-text.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';
import type { DeepReadonly, EndpointSlice, Service } from '../../machinery/types.js';
import type { Endpoint } from '../proxy/choose-backend.js';
import type { Problem } from '../routing/ingress-rules.js';
import type { BackendPort } from '../routing/route.js';

/** What is known of Services and of who answers for them. */
export interface Backends {
  /** Who is ready, by address; none for what is not there. */
  endpointsOf(port: BackendPort): readonly Endpoint[];
  /** Why nobody can be asked, whoever is ready; undefined: nothing is wrong with it. */
  problemOf(port: BackendPort): (Problem & { readonly kind: 'missing' | 'unsupported' }) | undefined;
}

type ReadonlyService = DeepReadonly<Service>;
type ServicePort = NonNullable<NonNullable<ReadonlyService['spec']>['ports']>[number];

const BY_SERVICE = 'ingressService';
const serviceKey = ({ namespace, service }: BackendPort): string => `${namespace}/${service}`;
const serviceOf = ({ metadata: { namespace = '', labels } }: DeepReadonly<EndpointSlice>): string =>
  `${namespace}/${labels?.[SERVICE_NAME_LABEL] ?? ''}`;

const portOf = (service: ReadonlyService, wanted: BackendPort['port']): ServicePort | undefined =>
  service.spec?.ports?.find(
    ({ name, port, protocol = 'TCP' }) => protocol === 'TCP' && (typeof wanted === 'number' ? port : name) === wanted,
  );

/**
 * Mirrors Services and EndpointSlices. As ingress-nginx does, requests go to the addresses of Pods: a Service's own address is asked for
 * nothing, and its proxy rules have no say.
 */
export function watchBackends(informers: InformerFactory, onServiceChange: () => void): Backends {
  const services = informers.informer<Service>(SERVICES);
  const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
  slices.addIndex(BY_SERVICE, slice => [serviceOf(slice)]);
  /** By Service and port, until one of it changes. */
  const known = new Map<string, Map<BackendPort['port'], readonly Endpoint[]>>();
  const serviceChanged = (service: ReadonlyService): void => {
    known.delete(keyOf(service));
    onServiceChange();
  };
  services.addHandler({ add: serviceChanged, update: (_old, now) => serviceChanged(now), delete: serviceChanged });
  const forget = (slice: DeepReadonly<EndpointSlice>): void => void known.delete(serviceOf(slice));
  slices.addHandler({ add: forget, update: (old, now) => (forget(old), forget(now)), delete: forget });

  const look = (wanted: BackendPort): readonly Endpoint[] => {
    const service = services.indexer.get(serviceKey(wanted));
    const port = service && portOf(service, wanted.port);
    if (service === undefined || port === undefined || service.spec?.type === 'ExternalName') return [];
    const [family] = service.spec?.ipFamilies ?? [];
    const found = new Map<string, Endpoint>();
    for (const slice of slices.indexer.byIndex(BY_SERVICE, serviceKey(wanted))) {
      if (family !== undefined && slice.addressType !== family) continue;
      const at = slice.ports?.find(({ name }) => (name ?? '') === (port.name ?? ''))?.port;
      if (at === undefined) continue;
      for (const { addresses, conditions } of slice.endpoints ?? [])
        if (conditions?.ready !== false)
          for (const address of addresses) found.set(`${address} ${at}`, { address, port: at });
    }
    return [...found].sort(([a], [b]) => compareText(a, b)).map(([, endpoint]) => endpoint);
  };
  return {
    endpointsOf(wanted) {
      const key = serviceKey(wanted);
      const ports = known.get(key) ?? new Map<BackendPort['port'], readonly Endpoint[]>();
      const endpoints = ports.get(wanted.port) ?? look(wanted);
      // What is not there is looked up again: nothing tells of what is only asked for.
      if (services.indexer.get(key) !== undefined) known.set(key, ports.set(wanted.port, endpoints));
      return endpoints;
    },
    problemOf(wanted) {
      const service = services.indexer.get(serviceKey(wanted));
      const name = `Service "${serviceKey(wanted)}"`;
      if (service === undefined)
        return { kind: 'missing', reason: 'ServiceNotFound', message: `${name} does not exist` };
      if (service.spec?.type === 'ExternalName')
        return {
          kind: 'unsupported',
          reason: 'UnsupportedBackend',
          message: `${name} is of type ExternalName, which is not served`,
        };
      if (portOf(service, wanted.port) === undefined)
        return { kind: 'missing', reason: 'ServicePortNotFound', message: `${name} has no TCP port ${wanted.port}` };
      return undefined;
    },
  };
}
