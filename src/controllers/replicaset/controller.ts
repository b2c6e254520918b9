import { formatTime } from '../../machinery/clock.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import type { DeepReadonly, KubeObject, Pod, ReplicaSet } from '../../machinery/types.js';
import { PODS, REPLICA_SETS } from '../../client/resources.js';
import type { ResourceRef } from '../../client/types.js';
import type { ControllerContext, ControllerDefinition, Reconciler } from '../controller.js';
import { createExpectations } from '../expectations.js';
import { watchOwnedPods, watchOwners } from '../owned-pods.js';
import {
  byController,
  claim,
  controllerOf,
  controllerReference,
  CONTROLLER_INDEX,
  ownedOrOrphaned,
} from '../ownership.js';
import { createPodControl } from '../pod-control.js';
import { podFromTemplate } from '../pod-template.js';
import { availableIn, isActive } from '../pods.js';
import { slowStart } from '../slow-start.js';
import { writeStatus } from '../status-writer.js';
import { computeStatus, planReplicas } from './plan.js';

/** A kind that keeps N Pods of one template: ReplicaSet, and ReplicationController, which upstream runs the same way. */
export interface ReplicaKind {
  readonly ref: ResourceRef;
  readonly apiVersion: string;
  readonly kind: string;
  /** The object in ReplicaSet's shape (its selector may be spelled differently). */
  view(object: DeepReadonly<KubeObject>): DeepReadonly<ReplicaSet>;
  /** Whether the status has terminatingReplicas. */
  readonly countsTerminating: boolean;
}

/** Upstream replicaset.statusUpdateRetries. */
const STATUS_RETRIES = 1;

type Failure = { reason: 'FailedCreate' | 'FailedDelete'; message: string };

export function buildReplicaController(context: ControllerContext, kind: ReplicaKind, component: string): Reconciler {
  const { client, informers, queue, clock } = context;
  const sets = informers.informer<KubeObject>(kind.ref);
  sets.addIndex(CONTROLLER_INDEX, byController);
  const pods = informers.informer<Pod>(PODS);
  const podClient = client.resource<Pod>(PODS);
  const setClient = client.resource<KubeObject>(kind.ref);
  const podControl = createPodControl(podClient, context.recorder(component));
  const expectations = createExpectations(clock);

  watchOwners(sets, queue, expectations);
  watchOwnedPods({
    pods,
    owners: sets,
    kind: kind.kind,
    queue,
    selector: set => kind.view(set).spec?.selector,
    expectations,
  });

  const createPods = async (
    key: string,
    set: DeepReadonly<KubeObject>,
    count: number,
  ): Promise<Failure | undefined> => {
    const reference = controllerReference(set, kind.apiVersion, kind.kind);
    const pod = podFromTemplate(kind.view(set).spec?.template, set, reference);
    expectations.expectCreations(key, count);
    const { done, error } = await slowStart(Array.from({ length: count }), async () => {
      await podControl.create(set, pod);
    });
    for (let missing = count - done; missing > 0; missing--) expectations.creationObserved(key);
    return error === undefined ? undefined : { reason: 'FailedCreate', message: error.message };
  };

  const deletePods = async (
    key: string,
    set: DeepReadonly<KubeObject>,
    remove: readonly DeepReadonly<Pod>[],
  ): Promise<Failure | undefined> => {
    expectations.expectDeletions(
      key,
      remove.map(pod => pod.metadata.uid ?? ''),
    );
    let failure: Failure | undefined;
    await Promise.all(
      remove.map(async pod => {
        try {
          if (await podControl.delete(set, pod)) return;
        } catch (error) {
          failure = { reason: 'FailedDelete', message: (error as Error).message };
        }
        expectations.deletionObserved(key, pod.metadata.uid ?? '');
      }),
    );
    return failure;
  };

  /** Pods of all sets that have the same controller: the old and the new ones of a Deployment. */
  const familyOf = (set: DeepReadonly<KubeObject>): DeepReadonly<Pod>[] => {
    const controller = controllerOf(set);
    const family = controller === undefined ? [] : sets.indexer.byIndex(CONTROLLER_INDEX, controller.uid);
    return family.flatMap(member => [...pods.indexer.byIndex(CONTROLLER_INDEX, member.metadata.uid ?? '')]);
  };

  return {
    async reconcile(key) {
      const set = sets.indexer.get(key);
      if (set === undefined) return expectations.forget(key);
      const view = kind.view(set);
      const selector = labelSelectorAsSelector(view.spec?.selector);
      const candidates = ownedOrOrphaned(pods.indexer, set);
      const owned = await claim<Pod>(
        set,
        controllerReference(set, kind.apiVersion, kind.kind),
        candidates,
        selector,
        podClient,
      );

      let failure: Failure | undefined;
      if (expectations.satisfied(key) && set.metadata.deletionTimestamp === undefined) {
        const plan = planReplicas(view, owned, () => familyOf(set), clock.now());
        if (plan.create > 0) failure = await createPods(key, set, plan.create);
        else if (plan.remove.length > 0) failure = await deletePods(key, set, plan.remove);
      }
      const now = clock.now();
      const status = computeStatus(view, owned, failure, now, formatTime(now));
      if (!kind.countsTerminating) delete status.terminatingReplicas;
      if (!sameStatus(view.status, status)) {
        await writeStatus(setClient, set, status, STATUS_RETRIES);
      }
      if (failure !== undefined) throw new Error(failure.message);
      const waits = owned
        .filter(isActive)
        .map(pod => availableIn(pod, view.spec?.minReadySeconds ?? 0, now) ?? Infinity);
      const next = Math.min(...waits, Infinity);
      if (next !== Infinity) queue.addAfter(key, next);
    },
  };
}

const COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
] as const;

function sameStatus(old: DeepReadonly<ReplicaSet['status']>, status: NonNullable<ReplicaSet['status']>): boolean {
  return (
    COUNTS.every(field => (old?.[field] ?? 0) === (status[field] ?? 0)) &&
    old?.terminatingReplicas === status.terminatingReplicas &&
    JSON.stringify(old?.conditions ?? []) === JSON.stringify(status.conditions ?? [])
  );
}

export const replicaSetController: ControllerDefinition = {
  name: 'replicaset-controller',
  aliases: ['replicaset'],
  workers: 5,
  build: context =>
    buildReplicaController(
      context,
      {
        ref: REPLICA_SETS,
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        view: object => object,
        countsTerminating: true,
      },
      'replicaset-controller',
    ),
};
