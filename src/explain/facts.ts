import {
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  NETWORK_POLICIES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SERVICES,
} from '../client/resources.js';
import { queryString } from '../client/rest-client.js';
import type { Client, ListOptions, ResourceRef } from '../client/types.js';
import type { NetworkPolicy } from '../dataplane/policies/types.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import { isStatusError } from '../machinery/status.js';
import type {
  CoreEvent,
  DeepReadonly,
  Deployment,
  EndpointSlice,
  KubeObject,
  Node,
  PersistentVolumeClaim,
  Pod,
  Service,
} from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { endOf, podOf } from './address-reason.js';
import type { NameSource } from './names.js';
import { selectedPods } from './service-problem.js';
import { selectorText } from './selector-problem.js';
import { isConcerned, serviceOf } from './trace-reason.js';
import type { Facts, ListeningPorts } from './types.js';

type Reader = Pick<Client, 'resource' | 'request'>;

/** What the caller may not see explains nothing: undefined. */
async function unlessForbidden<T>(ask: Promise<T>): Promise<T | undefined> {
  try {
    return await ask;
  } catch (error) {
    if (isStatusError(error, 'Forbidden')) return undefined;
    throw error;
  }
}

const listOf = async <T extends KubeObject>(client: Reader, ref: ResourceRef, options: ListOptions): Promise<T[]> =>
  (await client.resource<T>(ref).list(options)).items;

const timeOf = ({ lastTimestamp, eventTime, metadata }: CoreEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

/** All of a namespace that says why a Pod is not Ready, and the nodes. */
export async function podFacts(client: Reader, namespace: string): Promise<Facts> {
  const [pods, events, nodes, claims] = await Promise.all([
    listOf<Pod>(client, PODS, { namespace }),
    unlessForbidden(listOf<CoreEvent>(client, EVENTS, { namespace })),
    unlessForbidden(listOf<Node>(client, NODES, {})),
    unlessForbidden(listOf<PersistentVolumeClaim>(client, PERSISTENT_VOLUME_CLAIMS, { namespace })),
  ]);
  return {
    services: [],
    slices: [],
    pods,
    ...(events && { events: events.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1)) }),
    ...(nodes && { nodes }),
    ...(claims && { claims }),
  };
}

/** All that says why a Service has no endpoints. */
export async function serviceFacts(client: Reader, service: DeepReadonly<Service>): Promise<Facts> {
  const { namespace = '', name = '' } = service.metadata;
  const [facts, slices, deployments, policies] = await Promise.all([
    podFacts(client, namespace),
    listOf<EndpointSlice>(client, ENDPOINT_SLICES, { namespace, labelSelector: `${SERVICE_NAME_LABEL}=${name}` }),
    unlessForbidden(listOf<Deployment>(client, DEPLOYMENTS, { namespace })),
    unlessForbidden(listOf<NetworkPolicy>(client, NETWORK_POLICIES, { namespace })),
  ]);
  const selector = service.spec?.selector ?? {};
  const isLost = Object.keys(selector).length > 0 && selectedPods(service, facts.pods).length === 0;
  const elsewhere = isLost
    ? await unlessForbidden(listOf<Pod>(client, PODS, { labelSelector: selectorText(selector) }))
    : undefined;
  return {
    ...facts,
    services: [service],
    slices,
    ...(deployments && { deployments }),
    ...(policies && { policies }),
    ...(elsewhere && { elsewhere }),
  };
}

/** All that says why a traced request failed. */
export async function traceFacts(client: Reader, report: TraceReport, names: readonly NameSource[]): Promise<Facts> {
  const services: Service[] = [];
  for await (const page of client.resource<Service>(SERVICES).pages())
    for (const service of page) if (isConcerned(report, service, names)) services.push(service);
  const service = serviceOf(report, services, names);
  const facts =
    service === undefined
      ? { services, slices: [], pods: [], ...(await nodesOf(client)) }
      : { ...(await serviceFacts(client, service)), services };
  const listening = await listeningAt(client, report);
  return listening === undefined ? facts : { ...facts, listening };
}

async function nodesOf(client: Reader): Promise<Pick<Facts, 'nodes'>> {
  const nodes = await unlessForbidden(listOf<Node>(client, NODES, {}));
  return nodes === undefined ? {} : { nodes };
}

/** The ports on which a Pod listens, as its node says; undefined: the caller may not ask nodes. */
export async function listeningPorts(client: Reader, node: string, pod: string): Promise<ListeningPorts | undefined> {
  const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/sockets${queryString({ pod })}`;
  return (await unlessForbidden(client.request('GET', path))) as ListeningPorts | undefined;
}

/** Where somebody refused a connection: the Pod, and on what it listens. */
async function listeningAt(client: Reader, { connection }: TraceReport): Promise<Facts['listening']> {
  if (connection?.error?.code !== 'ECONNREFUSED') return undefined;
  const end = endOf(connection.steps);
  const pod = end === undefined ? undefined : podOf(end);
  const node = connection.steps.findLast(step => step.kind === 'deliver' || step.kind === 'route')?.node;
  if (pod === undefined || node === undefined) return undefined;
  const ports = await listeningPorts(client, node, pod);
  return ports === undefined ? undefined : new Map([[pod, ports]]);
}
