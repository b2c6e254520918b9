import { DEPLOYMENTS, ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../client/resources.js';
import type { RestClient } from '../client/rest-client.js';
import type { ResourceRef } from '../client/types.js';
import { familyOf, joinHostPort } from '../machinery/ip.js';
import { labelSelectorAsSelector } from '../machinery/labels.js';
import { nearest } from '../machinery/nearest.js';
import { isNodeReady } from '../machinery/node-ready.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import { isStatusError } from '../machinery/status.js';
import type { Deployment, EndpointSlice, KubeObject, Node, ObjectKey, Pod, Service } from '../machinery/types.js';
import { missingText } from './missing.js';
import { selectorText } from './selector-problem.js';
import { nameText } from './types.js';

/** Whom to ask for a trace, and what its agent is told of the sender. */
export interface Sender {
  readonly kind: 'pod' | 'node' | 'outside';
  readonly node: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Who a request can be sent for, as kubectl writes kinds: a Pod is one that a Deployment or a Service selects, too. */
export const KINDS: Readonly<Record<string, 'Pod' | 'Node' | 'Deployment' | 'Service'>> = {
  pod: 'Pod',
  pods: 'Pod',
  po: 'Pod',
  node: 'Node',
  nodes: 'Node',
  no: 'Node',
  deploy: 'Deployment',
  deployment: 'Deployment',
  deployments: 'Deployment',
  svc: 'Service',
  service: 'Service',
  services: 'Service',
};

/**
 * Of "namespace/name", "name", "pod/NAME", "deploy/NAME" and "svc/NAME" (one of their Pods; "deploy/shop/web" says the
 * namespace), "node/NAME", "host" (the machine outside) or an address outside. @throws Error when it is not there
 */
export async function findSender(client: RestClient, from: string, namespace: string, node?: string): Promise<Sender> {
  const outside = from === 'host' ? await hostAddress(client) : from;
  if (familyOf(outside) !== undefined)
    return { kind: 'outside', node: node ?? (await firstReadyNode(client)), query: { from: outside } };
  const { kind, key } = senderName(from, namespace);
  switch (kind) {
    case 'Node':
      await existing(client, NODES, kind, { namespace: '', name: key.name });
      return { kind: 'node', node: key.name, query: { from: 'node' } };
    case 'Pod':
      return ofPod(await existing<Pod>(client, PODS, kind, key));
    case 'Deployment': {
      const { spec } = await existing<Deployment>(client, DEPLOYMENTS, kind, key);
      return ofPod(
        await onePod(
          client,
          `Deployment ${nameText(key)}`,
          key.namespace,
          labelSelectorAsSelector(spec?.selector).toString(),
        ),
      );
    }
    case 'Service': {
      const { spec } = await existing<Service>(client, SERVICES, kind, key);
      return ofPod(await onePod(client, `Service ${nameText(key)}`, key.namespace, selectorText(spec?.selector ?? {})));
    }
  }
}

function senderName(
  from: string,
  namespace: string,
): { kind: 'Pod' | 'Node' | 'Deployment' | 'Service'; key: ObjectKey } {
  const [first = '', second, third] = from.split('/', 3);
  const kind = second === undefined ? undefined : KINDS[first.toLowerCase()];
  if (kind === undefined)
    return {
      kind: 'Pod',
      key: second === undefined ? { namespace, name: first } : { namespace: first, name: second },
    };
  return {
    kind,
    key: third === undefined ? { namespace, name: second ?? '' } : { namespace: second ?? '', name: third },
  };
}

function ofPod({ metadata: { namespace = '', name = '' }, spec }: Pod): Sender {
  if (spec?.nodeName === undefined) throw new Error(`pod ${namespace}/${name} is not on a node yet`);
  return { kind: 'pod', node: spec.nodeName, query: { pod: `${namespace}/${name}` } };
}

/** A Pod that runs, one that is Ready before all others. @throws Error when there is none */
async function onePod(client: RestClient, whose: string, namespace: string, labelSelector: string): Promise<Pod> {
  const items = labelSelector === '' ? [] : (await client.resource<Pod>(PODS).list({ namespace, labelSelector })).items;
  const running = items
    .filter(({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined)
    .sort(
      (a, b) => Number(isReady(b)) - Number(isReady(a)) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
    );
  if (running[0] === undefined) throw new Error(`${whose} has no running Pod that could send it`);
  return running[0];
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

/** Where the machine outside is, as Pods and nodes see it: the API server listens there. */
async function hostAddress(client: RestClient): Promise<string> {
  const { items } = await client
    .resource<EndpointSlice>(ENDPOINT_SLICES)
    .list({ namespace: 'default', labelSelector: `${SERVICE_NAME_LABEL}=kubernetes` });
  const address = items[0]?.endpoints?.[0]?.addresses[0];
  if (address === undefined)
    throw new Error('Service default/kubernetes has no endpoint, so nobody knows where the host is');
  return address;
}

/** @throws MissingError that says which name is near */
export async function existing<T extends KubeObject>(
  client: RestClient,
  ref: ResourceRef,
  kind: string,
  key: ObjectKey,
): Promise<T> {
  try {
    return await client.resource<T>(ref).get(key);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    const { items } = await client.resource<T>(ref).list(ref.namespaced ? { namespace: key.namespace } : {});
    const known = items.map(({ metadata }) => metadata.name ?? '');
    throw new MissingError(missingText(kind, key, known), nearest(key.name, known));
  }
}

/** A Service that nobody outside can ask. */
export class NoAddressError extends Error {
  override readonly name = 'NoAddressError';
}

/** What a command names is not there. */
export class MissingError extends Error {
  override readonly name = 'MissingError';
  constructor(
    message: string,
    readonly near: string | undefined,
  ) {
    super(message);
  }
}

export async function firstReadyNode(client: RestClient): Promise<string> {
  const { items } = await client.resource<Node>(NODES).list();
  const [name] = items
    .filter(isNodeReady)
    .map(({ metadata }) => metadata.name ?? '')
    .sort();
  if (name === undefined) throw new Error('no node is ready');
  return name;
}

export interface TargetOptions {
  /** Of a Service that is named without one. */
  readonly namespace: string;
  readonly protocol?: string;
  /** A Pod knows names. A node knows addresses of the cluster, a sender outside only those that lead into it. */
  readonly sender: 'pod' | 'node' | 'outside';
}

/** What a port that says nothing else is asked by. */
const FALLBACK: Readonly<Record<string, string>> = { UDP: 'udp', SCTP: 'sctp' };

/** As a URL: "svc/web", "svc/shop/web" and "svc/web:443" are Services, all else is as it stands. @throws Error */
export async function findTarget(client: RestClient, to: string, options: TargetOptions): Promise<string> {
  const { namespace, protocol, sender } = options;
  const scheme = (text: string, fallback: string): string =>
    text.includes('://') ? text : `${protocol ?? fallback}://${text}`;
  const found = /^(?:svc|service|services)\/(?:([^/:]+)\/)?([^/:]+)(?::(\d+))?$/.exec(to);
  if (found === null) return protocol === undefined ? to : scheme(to, protocol);
  const key = { namespace: found[1] ?? namespace, name: found[2] ?? '' };
  const service = await existing<Service>(client, SERVICES, 'Service', key);
  const ports = service.spec?.ports ?? [];
  const port = found[3] === undefined ? ports[0] : ports.find(p => p.port === Number(found[3]));
  const number = port?.port ?? Number(found[3] ?? 80);
  const fallback = FALLBACK[port?.protocol ?? 'TCP'] ?? 'http';
  const at =
    sender === 'outside'
      ? await addressOutside(client, service, number)
      : sender === 'node' && service.spec?.clusterIP !== undefined && service.spec.clusterIP !== 'None'
        ? joinHostPort(service.spec.clusterIP, number)
        : `${key.namespace === namespace ? key.name : `${key.name}.${key.namespace}`}:${number}`;
  return scheme(at, fallback);
}

/** A load balancer's, an external IP, or a node's port. @throws Error when the Service has none of them */
async function addressOutside(client: RestClient, { metadata, spec, status }: Service, port: number): Promise<string> {
  const [external] = [
    ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
    ...(spec?.externalIPs ?? []),
  ];
  if (external !== undefined) return joinHostPort(external, port);
  const nodePort = spec?.ports?.find(p => p.port === port)?.nodePort;
  const name = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  if (nodePort === undefined)
    throw new NoAddressError(
      `Service ${name}: no address outside of the cluster, its type is ${spec?.type ?? 'ClusterIP'}`,
    );
  const node = await client.resource<Node>(NODES).get({ namespace: '', name: await firstReadyNode(client) });
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined) throw new Error('the node has no address');
  return joinHostPort(address, nodePort);
}
