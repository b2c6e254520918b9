import { isIP, isIPv4 } from 'node:net';
import type { DeepReadonly, Service } from '../machinery/types.js';
import { type ClusterState, clusterIPsOf, type NamedEndpoint } from './state.js';

/** An address (or, for ExternalName, a name) that belongs to a queried name, before it becomes records. */
export interface Target {
  /** IP address or host name. */
  readonly host: string;
  /** -1: no port is known. */
  readonly port: number;
  /** The name of this address alone, for SRV. */
  readonly name: string;
}

/** `undefined`: no such name (NXDOMAIN). Empty: the name exists, but has nothing of its own (NODATA). */
export type Found = readonly Target[] | undefined;

/**
 * The names of the Kubernetes DNS specification 1.1, answered as CoreDNS's kubernetes plugin with "pods insecure" does.
 * `labels` is the queried name in lower case without the zone.
 */
export function findTargets(state: ClusterState, zone: string, labels: readonly string[]): Found {
  // The zone itself, "svc" and "pod" exist and hold nothing.
  const kind = labels.at(-1);
  if (kind === undefined) return [];
  if (kind !== 'svc' && kind !== 'pod') return undefined;
  const namespace = labels.at(-2);
  if (namespace === undefined) return [];
  if (labels.length > 5) return undefined;
  if (!state.hasNamespace(namespace)) return undefined;
  const name = labels.at(-3);
  if (name === undefined) return [];
  if (kind === 'pod') return findPod(zone, namespace, name);
  return findService(state, zone, parseServiceQuery(namespace, name, labels.slice(0, -3)));
}

interface ServiceQuery {
  readonly namespace: string;
  readonly name: string;
  /** "" where the query does not say. */
  readonly endpoint: string;
  readonly port: string;
  readonly protocol: string;
}

/** Before the Service's name stands nothing, an endpoint's name, or "_port._protocol". */
function parseServiceQuery(namespace: string, name: string, rest: readonly string[]): ServiceQuery {
  const strip = (label: string | undefined): string => (label ?? '').replace(/^_/, '');
  const [first, second] = rest;
  if (second !== undefined) return { namespace, name, endpoint: '', port: strip(first), protocol: strip(second) };
  return { namespace, name, endpoint: first ?? '', port: '', protocol: '' };
}

/** Any address has a name in any namespace that exists; whether a Pod has the address is not looked at ("insecure"). */
function findPod(zone: string, namespace: string, name: string): Found {
  const dashes = name.split('-').length - 1;
  const ip = dashes === 3 && !name.includes('--') ? name.replaceAll('-', '.') : name.replaceAll('-', ':');
  return isIP(ip) === 0 ? undefined : [{ host: ip, port: 0, name: `${name}.${namespace}.pod.${zone}` }];
}

function findService(state: ClusterState, zone: string, query: ServiceQuery): Found {
  const service = state.service(query.namespace, query.name);
  if (service === undefined) return undefined;
  const name = `${query.name}.${query.namespace}.svc.${zone}`;
  if (service.spec?.type === 'ExternalName') return findExternalName(service, name, query);
  const headless = clusterIPsOf(service)[0] === 'None';
  const targets =
    headless || query.endpoint !== ''
      ? endpointTargets(state.endpoints(query.namespace, query.name), name, query)
      : clusterIPTargets(service, name, query);
  // A headless Service without ready endpoints has no name at all, as upstream.
  return targets.length > 0 ? targets : undefined;
}

function findExternalName(service: DeepReadonly<Service>, name: string, query: ServiceQuery): Found {
  const host = (service.spec?.externalName ?? '').replace(/\.$/, '');
  if (host === '' || isIP(host) !== 0 || query.endpoint !== '' || query.port !== '') return undefined;
  return [{ host, port: 0, name }];
}

const portMatches = (query: ServiceQuery, port: { readonly name: string; readonly protocol: string }): boolean =>
  (query.port === '' || query.port === port.name.toLowerCase()) &&
  (query.protocol === '' || query.protocol === port.protocol.toLowerCase());

function clusterIPTargets(service: DeepReadonly<Service>, name: string, query: ServiceQuery): Target[] {
  const addresses = clusterIPsOf(service);
  return (service.spec?.ports ?? [])
    .filter(port => portMatches(query, { name: port.name ?? '', protocol: port.protocol ?? 'TCP' }))
    .flatMap(({ port }) => addresses.map(host => ({ host, port, name })));
}

function endpointTargets(endpoints: readonly NamedEndpoint[], name: string, query: ServiceQuery): Target[] {
  return endpoints
    .filter(endpoint => query.endpoint === '' || query.endpoint === endpointLabel(endpoint).toLowerCase())
    .flatMap(endpoint =>
      endpoint.ports
        .filter(port => portMatches(query, port))
        .map(({ port }) => ({ host: endpoint.ip, port, name: `${endpointLabel(endpoint)}.${name}` })),
    );
}

/** The endpoint's hostname, or its address with dashes: "10-244-1-5". */
function endpointLabel({ hostname, ip }: NamedEndpoint): string {
  if (hostname !== undefined && hostname !== '') return hostname;
  if (isIPv4(ip)) return ip.replaceAll('.', '-');
  // A label must not end with a dash.
  return ip.replaceAll(':', '-').replace(/-$/, '-0');
}

/** The names of an address: its Service's, or those of endpoints that have a hostname of their own. */
export function findNames(state: ClusterState, zone: string, ip: string): readonly string[] {
  const service = state.serviceByIP(ip);
  if (service !== undefined) {
    return [`${service.metadata.name ?? ''}.${service.metadata.namespace ?? ''}.svc.${zone}`];
  }
  return state
    .endpointsByIP(ip)
    .flatMap(({ hostname, service: owner, namespace }) =>
      hostname === undefined || hostname === '' ? [] : [`${hostname}.${owner}.${namespace}.svc.${zone}`],
    );
}
