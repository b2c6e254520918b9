import { isGlobalUnicast } from '../../machinery/global-unicast.js';
import { badRequestError, notFoundError, serviceUnavailableError } from '../../machinery/status.js';
import type { DeepReadonly, EndpointSlice, Node, ObjectKey, Pod, Service } from '../../machinery/types.js';
import type { AddressTarget, ConnectSubresource, RequestContext } from '../../api/strategy.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';

const pathOf =
  (kind: string): NonNullable<ConnectSubresource['options']> =>
  (_query, path) => ({ apiVersion: 'v1', kind, metadata: {}, ...(path === '' ? {} : { path }) });

interface Asked {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** "name", "name:port" or "scheme:name:port", as proxy paths name their target (apimachinery net.SplitSchemeNamePort). */
function splitTarget(text: string, what: 'node' | 'pod' | 'service'): Asked {
  const parts = text.split(':');
  const [scheme, name, port] =
    parts.length === 3 ? (parts as [string, string, string]) : ['', parts[0] ?? '', parts[1] ?? ''];
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme))
    throw badRequestError(`invalid ${what} request ${JSON.stringify(text)}`);
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

/** @throws StatusError 503 with net.Dial's words, 400 for what is no number */
function portNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw badRequestError(`invalid port ${JSON.stringify(text)}`);
  const port = Number(text);
  if (port > 65_535)
    throw serviceUnavailableError(`error trying to reach service: dial tcp: address ${text}: invalid port`);
  return port;
}

const podTarget = (pod: DeepReadonly<Pod>, scheme: Asked['scheme'], port: number): AddressTarget => {
  const { podIP = '' } = pod.status ?? {};
  if (!isGlobalUnicast(podIP)) throw badRequestError('address not allowed');
  return { kind: 'address', node: pod.spec?.nodeName ?? '', scheme, address: podIP, port };
};

/** The kubelet's port on the node's own network, whatever port it has on this machine. */
const KUBELET_PORT = 10_250;

/** /api/v1/nodes/{name[:port]}/proxy/...: the kubelet API; with another port, that port of the node. */
export const nodeProxy: ConnectSubresource = {
  kind: 'connect',
  options: pathOf('NodeProxyOptions'),
  target(ctx, key) {
    const { scheme, name, port } = splitTarget(key.name, 'node');
    const node = ctx.objects.get('nodes', { namespace: '', name }) as DeepReadonly<Node> | undefined;
    if (node === undefined) throw notFoundError({ group: '', resource: 'nodes' }, name);
    const kubelet = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
    if (port === '' || port === String(kubelet) || port === String(KUBELET_PORT))
      return { kind: 'kubelet-proxy', node: name };
    const address = node.status?.addresses?.find(a => a.type === 'InternalIP')?.address ?? '';
    if (!isGlobalUnicast(address)) throw badRequestError('address not allowed');
    return { kind: 'address', node: name, scheme, address, port: portNumber(port) };
  },
};

/** /api/v1/namespaces/{ns}/pods/{[scheme:]name[:port]}/proxy/...: without a port, the first one the Pod declares. */
export const podProxy: ConnectSubresource = {
  kind: 'connect',
  options: pathOf('PodProxyOptions'),
  target(ctx, key) {
    const { scheme, name, port } = splitTarget(key.name, 'pod');
    const pod = ctx.objects.get('pods', { namespace: key.namespace, name }) as DeepReadonly<Pod> | undefined;
    if (pod === undefined) throw notFoundError({ group: '', resource: 'pods' }, name);
    const declared = pod.spec?.containers.flatMap(container => container.ports ?? [])[0]?.containerPort;
    const fallback = declared ?? (scheme === 'https' ? 443 : 80);
    return podTarget(pod, scheme, port === '' ? fallback : portNumber(port));
  },
};

/** /api/v1/namespaces/{ns}/services/{[scheme:]name[:port]}/proxy/...: one of the ready endpoints, at random. */
export const serviceProxy = (random: (n: number) => number): ConnectSubresource => ({
  kind: 'connect',
  options: pathOf('ServiceProxyOptions'),
  target(ctx, key) {
    const { scheme, name, port } = splitTarget(key.name, 'service');
    const service = ctx.objects.get('services', { namespace: key.namespace, name }) as
      | DeepReadonly<Service>
      | undefined;
    if (service === undefined) throw notFoundError({ group: '', resource: 'services' }, name);
    const candidates = readyEndpoints(ctx, { namespace: key.namespace, name }, servicePortName(service, port));
    const chosen = candidates.length === 0 ? undefined : candidates[random(candidates.length)];
    if (chosen === undefined)
      throw serviceUnavailableError(`no endpoints available for service ${JSON.stringify(key.name)}`);
    return podTarget(chosen.pod, scheme, chosen.port);
  },
});

/** The port's name in slices: a number is looked up among the Service's ports, anything else is the name. */
function servicePortName(service: DeepReadonly<Service>, asked: string): string {
  if (!/^[+-]?\d{1,19}$/.test(asked)) return asked;
  const found = service.spec?.ports?.find(p => p.port === Number(asked));
  if (found === undefined)
    throw serviceUnavailableError(
      `no service port ${Number(asked)} found for service ${JSON.stringify(service.metadata.name ?? '')}`,
    );
  return found.name ?? '';
}

/**
 * Endpoints that are Pods of the Service's namespace, at their own address. Others are not proxied to, as upstream:
 * whoever may write an EndpointSlice could otherwise have the API server call any address.
 */
function readyEndpoints(
  ctx: RequestContext,
  service: ObjectKey,
  portName: string,
): { pod: DeepReadonly<Pod>; port: number }[] {
  const found: { pod: DeepReadonly<Pod>; port: number }[] = [];
  for (const object of ctx.objects.list('endpointslices.discovery.k8s.io', service.namespace)) {
    const slice = object as DeepReadonly<EndpointSlice>;
    if (slice.metadata.labels?.[SERVICE_NAME_LABEL] !== service.name) continue;
    const port = slice.ports?.find(p => (p.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { conditions, targetRef, addresses } of slice.endpoints ?? []) {
      if (conditions?.ready === false || targetRef?.kind !== 'Pod') continue;
      const pod = ctx.objects.get('pods', { namespace: service.namespace, name: targetRef.name ?? '' }) as
        | DeepReadonly<Pod>
        | undefined;
      if (pod !== undefined && addresses.includes(pod.status?.podIP ?? '')) found.push({ pod, port });
    }
  }
  return found;
}
