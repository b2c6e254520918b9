import { canonicalIP, familyOf, parseIP } from '../machinery/ip.js';
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
 * `labels` is the queried name in lower case without the zone; `zone` is written as the client wrote it.
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
  const strip = (label: string): string => (label.startsWith('_') ? label.slice(1) : label);
  const [first = '', second] = rest;
  if (second !== undefined) return { namespace, name, endpoint: '', port: strip(first), protocol: strip(second) };
  return { namespace, name, endpoint: first, port: '', protocol: '' };
}

/** Any address has a name in any namespace that exists; whether a Pod has the address is not looked at ("insecure"). */
function findPod(zone: string, namespace: string, name: string): Found {
  const dashes = name.split('-').length - 1;
  const quad = dashes === 3 && !name.includes('--');
  const host = goAddress(quad ? name.replaceAll('-', '.') : name.replaceAll('-', ':'));
  return host === undefined ? undefined : [{ host, port: 0, name: `${name}.${namespace}.pod.${zone}` }];
}

const MAPPED = 0xffffn << 32n;

/** As Go's net.ParseIP: no leading zeros in a quad, and an IPv4-mapped address is an IPv4 address. */
function goAddress(text: string): string | undefined {
  const ip = parseIP(text);
  if (ip === undefined) return undefined;
  if (ip.family === 'IPv4') return canonicalIP(text) === text ? text : undefined;
  if (ip.value >> 32n !== MAPPED >> 32n) return text;
  const quad = Number(ip.value & 0xffffffffn);
  return [quad >>> 24, (quad >>> 16) & 255, (quad >>> 8) & 255, quad & 255].join('.');
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
  if (host === '' || familyOf(host) !== undefined) return undefined;
  if (query.endpoint !== '' || query.port !== '' || query.protocol !== '') return undefined;
  return [{ host, port: 0, name }];
}

const portMatches = (query: ServiceQuery, port: { readonly name: string; readonly protocol: string }): boolean =>
  (query.port === '' || query.port === port.name.toLowerCase()) &&
  (query.protocol === '' || query.protocol === port.protocol.toLowerCase());

/** Without ports there are addresses, but no SRV record. */
const NO_PORTS: NonNullable<NonNullable<DeepReadonly<Service>['spec']>['ports']> = [{ port: -1, protocol: '' }];

function clusterIPTargets(service: DeepReadonly<Service>, name: string, query: ServiceQuery): Target[] {
  const addresses = clusterIPsOf(service);
  const ports = service.spec?.ports ?? [];
  return (ports.length === 0 ? NO_PORTS : ports)
    .filter(port => portMatches(query, { name: port.name ?? '', protocol: port.protocol ?? 'TCP' }))
    .flatMap(({ port }) => addresses.map(host => ({ host, port, name })));
}

/** More records than a message of 64 KiB can hold: such an answer says that it was cut, whatever else there is. */
const MAX_TARGETS = 5_000;

function endpointTargets(endpoints: readonly NamedEndpoint[], name: string, query: ServiceQuery): Target[] {
  const targets: Target[] = [];
  for (const endpoint of endpoints) {
    if (targets.length > MAX_TARGETS) break;
    const label = endpointLabel(endpoint);
    if (query.endpoint !== '' && query.endpoint !== label.toLowerCase()) continue;
    for (const port of endpoint.ports)
      if (portMatches(query, port)) targets.push({ host: endpoint.ip, port: port.port, name: `${label}.${name}` });
  }
  return targets;
}

/** The endpoint's hostname, or its address with dashes: "10-244-1-5". */
function endpointLabel({ hostname, ip }: NamedEndpoint): string {
  if (hostname !== undefined && hostname !== '') return hostname;
  if (ip.includes('.')) return ip.replaceAll('.', '-');
  // A label must not end with a dash.
  return ip.replaceAll(':', '-').replace(/-$/, '-0');
}

/** The names of an address: its Service's, or those of all ready endpoints that have it. */
export function findNames(state: ClusterState, zone: string, ip: string): readonly string[] {
  const service = state.serviceByIP(ip);
  if (service !== undefined) {
    return [`${service.metadata.name ?? ''}.${service.metadata.namespace ?? ''}.svc.${zone}`];
  }
  const names = state
    .endpointsByIP(ip)
    .map(endpoint => `${endpointLabel(endpoint)}.${endpoint.service}.${endpoint.namespace}.svc.${zone}`);
  return [...new Set(names)];
}
