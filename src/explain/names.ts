import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../client/resources.js';
import type { Client, ResourceRef } from '../client/types.js';
import { nearest } from '../machinery/nearest.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import { isStatusError } from '../machinery/status.js';
import type { EndpointSlice, KubeObject, ObjectKey, Service } from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { selectorText } from './selector-problem.js';

/** What a name of the cluster stands for, and whose answers it has. */
export interface NameSource {
  readonly name: string;
  /** "Service shop/web, ClusterIP 10.96.1.1", or why there is no such name and what to change. */
  readonly text: string;
  /** The Service, if there is one. */
  readonly service?: ObjectKey;
  /** Another name that is an ExternalName Service's, which asks for that. */
  readonly alias?: string;
  /** What is not there: the Service, or even its namespace. */
  readonly missing?: 'service' | 'namespace';
  /** What is there and nearly has the name that was asked for. */
  readonly near?: string;
}

type Objects = Pick<Client, 'resource'>;

/** Of each name that was asked for, in the order in which they were. What the reader may not see is left out. */
export async function sourcesOf(
  client: Objects,
  { queries, clusterDomain }: Pick<TraceReport['lookup'], 'queries' | 'clusterDomain'>,
): Promise<NameSource[]> {
  const sources: NameSource[] = [];
  for (const name of new Set(queries.map(({ question }) => question.name)))
    try {
      const source = await sourceOf(client, clusterDomain, name);
      if (source !== undefined) sources.push(source);
    } catch (error) {
      if (!isStatusError(error, 'Forbidden')) throw error;
    }
  return sources;
}

/** `name` as asked; undefined for a name that is no Service's. @throws StatusError as the API server answered */
export async function sourceOf(client: Objects, domain: string, name: string): Promise<NameSource | undefined> {
  const labels = name.toLowerCase().split('.');
  const zone = domain.toLowerCase().split('.');
  const relative = labels.slice(0, -zone.length);
  if (labels.slice(-zone.length).join('.') !== zone.join('.') || relative.at(-1) !== 'svc') return undefined;
  const [namespace, service, ...rest] = relative.slice(0, -1).reverse();
  if (namespace === undefined || service === undefined) return undefined;
  const key = { namespace, name: service };
  const found = await find<Service>(client, SERVICES, key);
  if (found === undefined) return { name, ...(await whyMissing(client, namespace, service)) };
  const alias = found.spec?.type === 'ExternalName' ? { alias: found.spec.externalName ?? '' } : {};
  return { name, text: await describe(client, found, key, rest.reverse()), service: key, ...alias };
}

async function describe(
  client: Objects,
  service: Service,
  { namespace, name }: ObjectKey,
  rest: readonly string[],
): Promise<string> {
  const { spec } = service;
  const whose = `Service ${namespace}/${name}`;
  if (spec?.type === 'ExternalName') return `${whose}, ExternalName ${spec.externalName ?? ''}`;
  const [port, protocol] = rest;
  if (port !== undefined && protocol !== undefined && !hasPort(service, port, protocol))
    return `${whose} has no port named ${port.replace(/^_/, '')} of protocol ${protocol.replace(/^_/, '').toUpperCase()}, only ${portNames(service)}`;
  const ips = spec?.clusterIPs ?? [spec?.clusterIP ?? ''];
  if (ips[0] !== 'None' && (port === undefined || protocol !== undefined))
    return `${whose}, ClusterIP ${ips.join(', ')}`;
  return describeEndpoints(client, service, protocol === undefined ? port : undefined);
}

export async function whyMissing(
  client: Objects,
  namespace: string,
  name: string,
): Promise<Pick<NameSource, 'text' | 'missing' | 'near'>> {
  const known = await find<KubeObject>(client, NAMESPACES, { namespace: '', name: namespace });
  if (known === undefined) {
    const all = (await client.resource(NAMESPACES).list()).items.map(({ metadata }) => metadata.name ?? '');
    const near = nearest(namespace, all);
    return { text: `there is no namespace ${namespace}${hint(near)}`, missing: 'namespace', ...(near && { near }) };
  }
  const { items } = await client.resource<Service>(SERVICES).list({ fieldSelector: `metadata.name=${name}` });
  const others = items.map(({ metadata }) => `${name}.${metadata.namespace ?? ''}`).slice(0, MAX_OTHERS);
  const text = `there is no Service ${name} in namespace ${namespace}`;
  if (others[0] !== undefined)
    return { text: `${text}; ask for ${others.join(' or ')}`, missing: 'service', near: others[0] };
  const here = (await client.resource<Service>(SERVICES).list({ namespace })).items;
  const near = nearest(
    name,
    here.map(({ metadata }) => metadata.name ?? ''),
  );
  return { text: `${text}${hint(near)}`, missing: 'service', ...(near && { near }) };
}

const hint = (near: string | undefined): string => (near === undefined ? '' : ` (there is ${near})`);

const MAX_OTHERS = 5;

/** Of a headless Service, or of the one endpoint that was asked for. */
async function describeEndpoints(client: Objects, service: Service, endpoint: string | undefined): Promise<string> {
  const { namespace = '', name = '' } = service.metadata;
  const { items } = await client
    .resource<EndpointSlice>(ENDPOINT_SLICES)
    .list({ namespace, labelSelector: `${SERVICE_NAME_LABEL}=${name}` });
  const all = items.flatMap(slice => (slice.endpoints ?? []).map(of => ({ of, slice: slice.metadata.name ?? '' })));
  const asked = endpoint === undefined ? all : all.filter(({ of }) => labelsOf(of).includes(endpoint));
  const ready = asked.filter(({ of }) => of.conditions?.ready !== false);
  const whose = `Service ${namespace}/${name}`;
  if (ready.length > 0) {
    const slices = [...new Set(ready.map(({ slice }) => slice))];
    return `${whose}, ${ready.length} ready of ${all.length} endpoints in EndpointSlice ${slices.slice(0, MAX_OTHERS).join(', ')}`;
  }
  if (endpoint !== undefined && asked.length === 0)
    return `${whose} has no endpoint named ${endpoint}: a Pod has a name here when its hostname is that and its subdomain is ${name}`;
  if (asked.length > 0)
    return `${whose}: of ${asked.length} endpoints none is ready; publishNotReadyAddresses would give them names before they are`;
  const selector = selectorText(service.spec?.selector ?? {});
  return selector === ''
    ? `${whose} has no selector, and no EndpointSlice has endpoints for it`
    : `${whose} has no endpoints: no Pod has the labels ${selector}`;
}

/** The names of an endpoint below its Service's (CoreDNS): its hostname, else its addresses with dashes. */
function labelsOf({ hostname, addresses }: NonNullable<EndpointSlice['endpoints']>[number]): string[] {
  if (hostname !== undefined && hostname !== '') return [hostname.toLowerCase()];
  return addresses.map(address => address.replaceAll(/[.:]/g, '-').replace(/-$/, '-0'));
}

const hasPort = ({ spec }: Service, port: string, protocol: string): boolean =>
  (spec?.ports ?? []).some(
    known => `_${known.name ?? ''}`.toLowerCase() === port && `_${known.protocol ?? 'TCP'}`.toLowerCase() === protocol,
  );

const portNames = ({ spec }: Service): string =>
  (spec?.ports ?? []).map(port => `${port.name ?? 'a nameless one'} (${port.protocol ?? 'TCP'})`).join(', ') || 'none';

async function find<T extends KubeObject>(
  client: Objects,
  ref: ResourceRef,
  key: { readonly namespace: string; readonly name: string },
): Promise<T | undefined> {
  try {
    return await client.resource<T>(ref).get(key);
  } catch (error) {
    // A name that a client made up may be none that an object can have.
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Invalid') || isStatusError(error, 'BadRequest'))
      return undefined;
    throw error;
  }
}
