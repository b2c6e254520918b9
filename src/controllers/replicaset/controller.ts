import { formatTime } from '../../machinery/clock.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import { isStatusError, type StatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, Pod, ReplicaSet } from '../../machinery/types.js';
import { PODS, REPLICA_SETS } from '../../client/resources.js';
import { keyOf, splitKey, type ResourceRef } from '../../client/types.js';
import type { ControllerContext, ControllerDefinition, Reconciler } from '../controller.js';
import { createExpectations } from '../expectations.js';
import { byController, claim, controllerOf, controllerReference, CONTROLLER_INDEX } from '../ownership.js';
import { availableIn, isActive, isDeleting } from '../pods.js';
import { computeStatus, planReplicas } from './plan.js';

/** A kind that keeps N Pods of one template: ReplicaSet, and ReplicationController, which upstream runs the same way. */
export interface ReplicaKind {
  readonly ref: ResourceRef;
  readonly apiVersion: string;
  readonly kind: string;
  /** The object in ReplicaSet's shape (its selector may be spelled differently). */
  view(object: DeepReadonly<KubeObject>): DeepReadonly<ReplicaSet>;
}

type Failure = { reason: 'FailedCreate' | 'FailedDelete'; message: string };

/** Runs `write` for 1, 2, 4... items at once and stops at the first batch with a failure (slowStartBatch). */
async function slowStart(count: number, write: () => Promise<void>): Promise<{ done: number; error?: Error }> {
  let done = 0;
  for (let batch = Math.min(count, 1); batch > 0; batch = Math.min(2 * batch, count - done)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, write));
    const failed = results.find(result => result.status === 'rejected');
    done += results.filter(result => result.status === 'fulfilled').length;
    if (failed !== undefined) return { done, error: failed.reason as Error };
  }
  return { done };
}

export function buildReplicaController(context: ControllerContext, kind: ReplicaKind, component: string): Reconciler {
  const { client, informers, queue, clock } = context;
  const sets = informers.informer<KubeObject>(kind.ref);
  const pods = informers.informer<Pod>(PODS);
  const podClient = client.resource<Pod>(PODS);
  const setClient = client.resource<KubeObject>(kind.ref);
  const recorder = context.recorder(component);
  const expectations = createExpectations(clock);
  pods.addIndex(CONTROLLER_INDEX, byController);

  const ownerKey = (pod: DeepReadonly<Pod>): string | undefined => {
    const owner = controllerOf(pod);
    if (owner === undefined || owner.kind !== kind.kind) return undefined;
    const key = `${pod.metadata.namespace ?? ''}/${owner.name}`;
    return sets.indexer.get(key)?.metadata.uid === owner.uid ? key : undefined;
  };
  /** An orphan concerns every set that selects it: one of them will adopt it. */
  const queueSelecting = (pod: DeepReadonly<Pod>): void => {
    for (const set of sets.indexer.byIndex('namespace', pod.metadata.namespace ?? '')) {
      if (labelSelectorAsSelector(kind.view(set).spec?.selector).matches(pod.metadata.labels ?? {}))
        queue.add(keyOf(set));
    }
  };
  const podGone = (pod: DeepReadonly<Pod>): void => {
    const key = ownerKey(pod);
    if (key === undefined) return;
    expectations.deletionObserved(key, pod.metadata.uid ?? '');
    queue.add(key);
  };
  sets.addHandler({
    add: set => queue.add(keyOf(set)),
    update: (_old, set) => queue.add(keyOf(set)),
    delete: set => {
      expectations.forget(keyOf(set));
      queue.add(keyOf(set));
    },
  });
  pods.addHandler({
    add: pod => {
      if (isDeleting(pod)) return podGone(pod);
      const key = ownerKey(pod);
      if (key !== undefined) {
        expectations.creationObserved(key);
        queue.add(key);
      } else if (controllerOf(pod) === undefined) queueSelecting(pod);
    },
    update: (old, pod) => {
      if (isDeleting(pod)) return podGone(pod);
      const [before, now] = [ownerKey(old), ownerKey(pod)];
      if (before !== undefined && before !== now) queue.add(before);
      if (now !== undefined) queue.add(now);
      else if (controllerOf(pod) === undefined) queueSelecting(pod);
    },
    delete: podGone,
  });

  const createPods = async (
    key: string,
    set: DeepReadonly<KubeObject>,
    count: number,
  ): Promise<Failure | undefined> => {
    const template = kind.view(set).spec?.template;
    const namespace = set.metadata.namespace ?? '';
    const pod = {
      metadata: {
        generateName: `${set.metadata.name ?? ''}-`,
        namespace,
        ...(template?.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
        ...(template?.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
        ...(template?.metadata?.finalizers === undefined ? {} : { finalizers: template.metadata.finalizers }),
        ownerReferences: [controllerReference(set, kind.apiVersion, kind.kind)],
      },
      spec: template?.spec,
    } as unknown as Pod;
    expectations.expectCreations(key, count);
    const { done, error } = await slowStart(count, async () => {
      try {
        const created = await podClient.create(namespace, pod);
        recorder.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name ?? ''}`);
      } catch (cause) {
        const text = (cause as Error).message;
        if (!isStatusError(cause) || !isNamespaceTerminating(cause))
          recorder.event(set, 'Warning', 'FailedCreate', `Error creating: ${text}`);
        throw cause;
      }
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
        const at = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '' };
        try {
          await podClient.delete(at);
          recorder.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${at.name}`);
        } catch (error) {
          expectations.deletionObserved(key, pod.metadata.uid ?? '');
          if (isStatusError(error, 'NotFound')) return;
          recorder.event(set, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`);
          failure = { reason: 'FailedDelete', message: (error as Error).message };
        }
      }),
    );
    return failure;
  };

  return {
    async reconcile(key) {
      const set = sets.indexer.get(key);
      if (set === undefined) return expectations.forget(key);
      const view = kind.view(set);
      const selector = labelSelectorAsSelector(view.spec?.selector);
      const inNamespace = pods.indexer.byIndex('namespace', splitKey(key).namespace);
      const relevant = inNamespace.filter(pod => {
        const owner = controllerOf(pod);
        return owner === undefined || owner.uid === set.metadata.uid;
      });
      const owned = await claim<Pod>(
        set,
        controllerReference(set, kind.apiVersion, kind.kind),
        relevant,
        selector,
        podClient,
      );

      let failure: Failure | undefined;
      if (expectations.satisfied(key) && set.metadata.deletionTimestamp === undefined) {
        const plan = planReplicas(
          view,
          owned,
          inNamespace.filter(pod => selector.matches(pod.metadata.labels ?? {})),
          clock.now(),
        );
        if (plan.create > 0) failure = await createPods(key, set, plan.create);
        else if (plan.remove.length > 0) failure = await deletePods(key, set, plan.remove);
      }
      const now = clock.now();
      const status = computeStatus(view, owned, failure, now, formatTime(now));
      if (!sameStatus(view.status, status)) {
        await setClient.update({ ...(set as KubeObject), status }, { subresource: 'status' });
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

const isNamespaceTerminating = (error: StatusError): boolean =>
  error.status.details?.causes?.some(cause => cause.reason === 'NamespaceTerminating') === true;

const COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'observedGeneration',
] as const;

function sameStatus(old: DeepReadonly<ReplicaSet['status']>, status: NonNullable<ReplicaSet['status']>): boolean {
  return (
    COUNTS.every(field => (old?.[field] ?? 0) === (status[field] ?? 0)) &&
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
      },
      'replicaset-controller',
    ),
};
