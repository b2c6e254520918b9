import type { Client, Indexer } from '../../client/types.js';
import { isStatusError } from '../../machinery/status.js';
import type {
  DeepReadonly,
  Deployment,
  KubeObject,
  OwnerReference,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../machinery/types.js';
import { controllerOf } from '../ownership.js';
import { groupOf, scalePath } from '../scale-subresource.js';
import type { ReadonlyPod } from './plan.js';

export interface ScaleSources {
  readonly deployments: Indexer<Deployment>;
  readonly replicaSets: Indexer<ReplicaSet>;
  readonly statefulSets: Indexer<StatefulSet>;
  readonly replicationControllers: Indexer<ReplicationController>;
  readonly client: Client;
}

interface OwnerScale {
  readonly uid: string;
  readonly replicas: number;
}

type Scaled = DeepReadonly<KubeObject & { spec?: { replicas?: number } }>;

const scaleOf = (object: Scaled | undefined, uid: string): OwnerScale | undefined =>
  object?.metadata.uid === uid ? { uid, replicas: object.spec?.replicas ?? 1 } : undefined;

/**
 * Finds how many Pods the controllers of a budget's Pods want: known kinds from the caches, others through their scale
 * subresource (disruption.go getExpectedScale).
 */
export function createScaleFinder(sources: ScaleSources) {
  const { deployments, replicaSets, statefulSets, replicationControllers, client } = sources;

  /** Any kind that can be scaled, e.g. a custom one. @throws Error when it cannot */
  const throughSubresource = async (owner: DeepReadonly<OwnerReference>, namespace: string) => {
    const path = await scalePath(client, { ...owner, namespace });
    try {
      return scaleOf((await client.request('GET', path)) as Scaled, owner.uid);
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
  };

  const find = async (owner: DeepReadonly<OwnerReference>, namespace: string): Promise<OwnerScale | undefined> => {
    const key = `${namespace}/${owner.name}`;
    const group = groupOf(owner.apiVersion);
    if (group === '' && owner.kind === 'ReplicationController')
      return scaleOf(replicationControllers.get(key), owner.uid);
    if (group === 'apps' && owner.kind === 'ReplicaSet') {
      const set = replicaSets.get(key);
      if (set?.metadata.uid !== owner.uid) return undefined;
      const deployment = controllerOf(set);
      return deployment?.kind === 'Deployment' && groupOf(deployment.apiVersion) === 'apps'
        ? scaleOf(deployments.get(`${namespace}/${deployment.name}`), deployment.uid)
        : scaleOf(set, owner.uid);
    }
    if (group === 'apps' && owner.kind === 'StatefulSet') return scaleOf(statefulSets.get(key), owner.uid);
    return throughSubresource(owner, namespace);
  };

  /** @throws Error whose message the budget's condition carries */
  return async (pods: readonly ReadonlyPod[]): Promise<{ scale: number; unmanaged: readonly ReadonlyPod[] }> => {
    const unmanaged: ReadonlyPod[] = [];
    const byOwner = new Map<string, number>();
    /** Owners asked after already: a ReplicaSet's answer may be its Deployment's. */
    const asked = new Set<string>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined) {
        unmanaged.push(pod);
        continue;
      }
      if (asked.has(owner.uid)) continue;
      asked.add(owner.uid);
      const found = await find(owner, pod.metadata.namespace ?? '');
      if (found === undefined) throw new Error(`found no controllers for pod "${pod.metadata.name ?? ''}"`);
      byOwner.set(found.uid, found.replicas);
    }
    return { scale: [...byOwner.values()].reduce((a, b) => a + b, 0), unmanaged };
  };
}
