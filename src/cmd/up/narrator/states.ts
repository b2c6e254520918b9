import {
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  NAMESPACES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SERVICES,
  STATEFUL_SETS,
} from '../../../client/resources.js';
import type { ResourceRef } from '../../../client/types.js';
import { isNodeReady } from '../../../machinery/node-ready.js';
import type { DeepReadonly, KubeObject, Namespace, Node, Pod, Service } from '../../../machinery/types.js';

/** A kind whose objects are told of, and how one of them is in a few words; undefined: not yet worth a line. */
export interface NarratedKind {
  readonly ref: ResourceRef;
  readonly kind: string;
  readonly state: (object: DeepReadonly<KubeObject>) => string | undefined;
}

const narrated = <T extends KubeObject>(
  ref: ResourceRef,
  kind: string,
  state: (object: DeepReadonly<T>) => string | undefined,
): NarratedKind => ({ ref, kind, state: object => state(object as DeepReadonly<T>) });

/** What workloads count. */
interface Counting extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly numberReady?: number;
    readonly desiredNumberScheduled?: number;
  };
}

interface Conditioned extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

/** Nothing is said of one that has not been looked at by its controller. */
const outOf = (have: number | undefined, want: number | undefined, what: string): string | undefined =>
  want === undefined ? undefined : `${have ?? 0} of ${want} ${what}`;

function podState({ metadata, status }: DeepReadonly<Pod>): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'being deleted';
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') {
    const exits = (status.containerStatuses ?? []).flatMap(({ state }) => state?.terminated?.exitCode ?? []);
    return `${status.phase}${status.reason === undefined ? '' : ` (${status.reason})`}, exit code ${exits.join(', ') || '?'}`;
  }
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  if (ready === 'True') return `Ready at ${status?.podIP ?? '?'}`;
  return status?.phase === 'Running' ? 'not Ready' : undefined;
}

function serviceState({ spec, status }: DeepReadonly<Service>): string | undefined {
  const ports = (spec?.ports ?? []).map(({ port, nodePort }) =>
    nodePort === undefined ? port : `${port}:${nodePort}`,
  );
  const outside = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const at = spec?.type === 'ExternalName' ? (spec.externalName ?? '') : (spec?.clusterIP ?? '');
  return [
    `${spec?.type ?? ''} at ${at}`,
    ports.length > 0 ? `port ${ports.join(', ')}` : '',
    outside.length > 0 ? `outside at ${outside.join(', ')}` : '',
  ]
    .filter(text => text !== '')
    .join(', ');
}

function nodeState(node: DeepReadonly<Node>): string | undefined {
  if (node.status?.conditions?.some(({ type }) => type === 'Ready') !== true) return undefined;
  return `${isNodeReady(node) ? 'Ready' : 'NotReady'}${node.spec?.unschedulable === true ? ', cordoned' : ''}`;
}

export const NARRATED: readonly NarratedKind[] = [
  narrated<Namespace>(NAMESPACES, 'Namespace', ({ status }) => status?.phase),
  narrated<Node>(NODES, 'Node', nodeState),
  narrated<Pod>(PODS, 'Pod', podState),
  narrated<Service>(SERVICES, 'Service', serviceState),
  narrated<Counting>(DEPLOYMENTS, 'Deployment', ({ spec, status }) =>
    outOf(status?.availableReplicas, spec?.replicas, 'available'),
  ),
  narrated<Counting>(STATEFUL_SETS, 'StatefulSet', ({ spec, status }) =>
    outOf(status?.readyReplicas, spec?.replicas, 'ready'),
  ),
  narrated<Counting>(DAEMON_SETS, 'DaemonSet', ({ status }) =>
    outOf(status?.numberReady, status?.desiredNumberScheduled, 'ready'),
  ),
  narrated<Conditioned>(JOBS, 'Job', ({ status }) => {
    const ended = status?.conditions?.find(
      ({ type, status: is }) => is === 'True' && /^(?:Complete|Failed)$/.test(type),
    );
    return ended && `${ended.type}${ended.type === 'Failed' && ended.reason !== undefined ? ` (${ended.reason})` : ''}`;
  }),
  narrated<Conditioned>(PERSISTENT_VOLUME_CLAIMS, 'PersistentVolumeClaim', ({ status }) => status?.phase),
];
