import { joinHostPort } from '../../machinery/ip.js';
import { notFoundError } from '../../machinery/status.js';
import type { DeepReadonly, Endpoints, EndpointSlice, ObjectKey, Service } from '../../machinery/types.js';
import type { Objects } from '../../api/strategy.js';
import { DialError } from './dial-problem.js';

/** Somebody who serves a Service. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** As its slice says. */
  readonly node: string | undefined;
}

/** Where a Service leads. */
export type Destination =
  | { readonly kind: 'external'; readonly host: string; readonly port: number }
  /** `shown`: the address that upstream dials, where kube-proxy takes over. */
  | { readonly kind: 'endpoints'; readonly shown: string; readonly endpoints: readonly Endpoint[] };

/**
 * What upstream's resolver makes of a Service without aggregator routing (apiserver pkg/util/proxy ResolveCluster), and what
 * kube-proxy makes of it then. @throws DialError, StatusError 404
 */
export function resolveService(objects: Pick<Objects, 'get' | 'list'>, key: ObjectKey, port: number): Destination {
  const service = objects.get('services', key) as DeepReadonly<Service> | undefined;
  if (service === undefined) throw notFoundError({ group: '', resource: 'service' }, key.name);
  const { type, clusterIP = '', ports = [], externalName = '', selector } = service.spec ?? {};
  if (type === 'ExternalName') return { kind: 'external', host: externalName, port };
  if (clusterIP === 'None') throw new DialError('cannot route to service with ClusterIP "None"');
  const found = ports.find(p => p.port === port);
  if (found === undefined) throw new DialError(`no service port ${port} found for service ${JSON.stringify(key.name)}`);
  const inSlices = readyEndpoints(objects, key, found.name ?? '');
  const isOwn = selector === undefined || Object.keys(selector).length === 0;
  const endpoints = inSlices ?? (isOwn ? writtenEndpoints(objects, key, found.name ?? '') : []);
  return { kind: 'endpoints', shown: joinHostPort(clusterIP, port), endpoints };
}

/** undefined: the Service has no slices at all. */
function readyEndpoints(objects: Pick<Objects, 'list'>, service: ObjectKey, portName: string): Endpoint[] | undefined {
  const found: Endpoint[] = [];
  let slices = 0;
  for (const object of objects.list('endpointslices.discovery.k8s.io', service.namespace)) {
    const slice = object as DeepReadonly<EndpointSlice>;
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service.name) continue;
    slices++;
    const port = slice.ports?.find(p => (p.name ?? '') === portName)?.port;
    if (port === undefined || slice.addressType === 'FQDN') continue;
    for (const { conditions, addresses, nodeName } of slice.endpoints ?? []) {
      // Only the first address of an endpoint is used, as everywhere upstream.
      const [address] = addresses;
      if (conditions?.ready !== false && address !== undefined) found.push({ address, port, node: nodeName });
    }
  }
  return slices === 0 ? undefined : found;
}

/** What somebody wrote by hand for a Service without a selector, and no controller has mirrored yet, or there is none. */
function writtenEndpoints(objects: Pick<Objects, 'get'>, service: ObjectKey, portName: string): Endpoint[] {
  const written = objects.get('endpoints', service) as DeepReadonly<Endpoints> | undefined;
  return (written?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find(p => (p.name ?? '') === portName)?.port;
    return port === undefined ? [] : addresses.map(({ ip, nodeName }) => ({ address: ip, port, node: nodeName }));
  });
}
