import { NODES, PODS, SERVICES } from '../client/resources.js';
import type { RestClient } from '../client/rest-client.js';
import { familyOf, joinHostPort } from '../machinery/ip.js';
import { isNodeReady } from '../machinery/node-ready.js';
import type { Node, Pod, Service } from '../machinery/types.js';

/** Whom to ask for a trace, and what its agent is told of the sender. */
export interface Sender {
  readonly kind: 'pod' | 'node' | 'outside';
  readonly node: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Of "namespace/name", "name", "node/NAME" or an address outside. @throws Error when it is not there */
export async function findSender(client: RestClient, from: string, namespace: string, node?: string): Promise<Sender> {
  if (familyOf(from) !== undefined)
    return { kind: 'outside', node: node ?? (await firstReadyNode(client)), query: { from } };
  const [first = '', second] = from.split('/', 2);
  if (first === 'node' && second !== undefined) return { kind: 'node', node: second, query: { from: 'node' } };
  const key = second === undefined ? { namespace, name: first } : { namespace: first, name: second };
  const pod = await client.resource<Pod>(PODS).get(key);
  const its = pod.spec?.nodeName;
  if (its === undefined) throw new Error(`pod ${key.namespace}/${key.name} is not on a node yet`);
  return { kind: 'pod', node: its, query: { pod: `${key.namespace}/${key.name}` } };
}

async function firstReadyNode(client: RestClient): Promise<string> {
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
  const service = await client.resource<Service>(SERVICES).get(key);
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
    throw new Error(`Service ${name} has no address outside of the cluster: its type is ${spec?.type ?? 'ClusterIP'}`);
  const node = await client.resource<Node>(NODES).get({ namespace: '', name: await firstReadyNode(client) });
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined) throw new Error('the node has no address');
  return joinHostPort(address, nodePort);
}
