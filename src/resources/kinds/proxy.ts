import { badRequestError, notFoundError, serviceUnavailableError } from '../../machinery/status.js';
import type { DeepReadonly, EndpointSlice, ObjectKey, Pod, Service } from '../../machinery/types.js';
import type { ConnectSubresource, ConnectTarget, RequestContext } from '../strategy.js';

/** "name", "name:port" or "scheme:name:port", as proxy paths name their target (apimachinery net.SplitSchemeNamePort). */
function splitTarget(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':');
  const [scheme, name, port] =
    parts.length === 3 ? (parts as [string, string, string]) : ['', parts[0] ?? '', parts[1] ?? ''];
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme))
    throw badRequestError(`invalid proxy request ${JSON.stringify(text)}`);
  return { scheme, name, port };
}

const withQuery = (path: string, query: URLSearchParams): string => {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
};

const within = (rest: string): string => (rest.startsWith('/') ? rest : `/${rest}`);

/** The agent of a Pod's node makes the request, from its side of the pod network. */
const podTarget = (pod: DeepReadonly<Pod>, port: number, query: URLSearchParams, rest: string): ConnectTarget => {
  const { namespace = '', name = '' } = pod.metadata;
  const node = pod.spec?.nodeName;
  if (!node || !pod.status?.podIP) throw serviceUnavailableError(`address not allowed: pod ${name} has no address yet`);
  return { node, path: withQuery(`/podProxy/${namespace}/${name}/${port}${within(rest)}`, query), upgrade: false };
};

/** GET /api/v1/nodes/{name}/proxy/...: the agent's own API. */
export const nodeProxy: ConnectSubresource = {
  kind: 'connect',
  target(ctx, key, query, rest) {
    const { name } = splitTarget(key.name);
    if (ctx.objects.get('nodes', { namespace: '', name }) === undefined)
      throw notFoundError({ group: '', resource: 'nodes' }, name);
    return { node: name, path: withQuery(within(rest), query), upgrade: false };
  },
};

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw badRequestError(`invalid port ${JSON.stringify(text)}`);
  return port;
};

/** GET /api/v1/namespaces/{ns}/pods/{name[:port]}/proxy/...: without a port, the first one the Pod declares. */
export const podProxy: ConnectSubresource = {
  kind: 'connect',
  target(ctx, key, query, rest) {
    const { name, port } = splitTarget(key.name);
    const pod = ctx.objects.get('pods', { namespace: key.namespace, name }) as DeepReadonly<Pod> | undefined;
    if (pod === undefined) throw notFoundError({ group: '', resource: 'pods' }, name);
    const declared = pod.spec?.containers.flatMap(container => container.ports ?? [])[0]?.containerPort;
    return podTarget(pod, port === '' ? (declared ?? 80) : portNumber(port), query, rest);
  },
};

/** GET /api/v1/namespaces/{ns}/services/{name[:port]}/proxy/...: one of the ready endpoints, at random. */
export const serviceProxy = (random: () => number): ConnectSubresource => ({
  kind: 'connect',
  target(ctx, key, query, rest) {
    const { name, port } = splitTarget(key.name);
    const service = ctx.objects.get('services', { namespace: key.namespace, name }) as
      DeepReadonly<Service> | undefined;
    if (service === undefined) throw notFoundError({ group: '', resource: 'services' }, name);
    const portName = servicePortName(service, port);
    const candidates = readyEndpoints(ctx, { namespace: key.namespace, name }, portName);
    const chosen = candidates[Math.floor(random() * candidates.length)];
    if (chosen === undefined)
      throw serviceUnavailableError(`no endpoints available for service ${JSON.stringify(key.name)}`);
    return podTarget(chosen.pod, chosen.port, query, rest);
  },
});

/** The port's name in slices: a proxy path may name a port by name or number, or leave it out when there is but one. */
function servicePortName(service: DeepReadonly<Service>, asked: string): string {
  const ports = service.spec?.ports ?? [];
  const found =
    asked === ''
      ? ports.length === 1
        ? ports[0]
        : ports.find(p => (p.name ?? '') === '')
      : ports.find(p => p.name === asked || String(p.port) === asked);
  if (found === undefined)
    throw serviceUnavailableError(
      `no service port ${JSON.stringify(asked)} found for service ${JSON.stringify(service.metadata.name ?? '')}`,
    );
  return found.name ?? '';
}

function readyEndpoints(
  ctx: RequestContext,
  service: ObjectKey,
  portName: string,
): { pod: DeepReadonly<Pod>; port: number }[] {
  const found: { pod: DeepReadonly<Pod>; port: number }[] = [];
  for (const object of ctx.objects.list('endpointslices.discovery.k8s.io', service.namespace)) {
    const slice = object as DeepReadonly<EndpointSlice>;
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service.name) continue;
    const port = slice.ports?.find(p => (p.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const ref = endpoint.targetRef;
      if (endpoint.conditions?.ready === false || ref?.kind !== 'Pod') continue;
      const pod = ctx.objects.get('pods', { namespace: service.namespace, name: ref.name ?? '' }) as
        DeepReadonly<Pod> | undefined;
      if (pod !== undefined) found.push({ pod, port });
    }
  }
  return found;
}
