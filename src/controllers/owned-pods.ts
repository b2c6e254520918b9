import type { Informer } from '../client/types.js';
import { keyOf } from '../client/types.js';
import type { WorkQueue } from '../machinery/work-queue.js';
import { labelSelectorAsSelector } from '../machinery/labels.js';
import type { DeepReadonly, KubeObject, LabelSelector, Pod } from '../machinery/types.js';
import type { Expectations } from './expectations.js';
import { byController, controllerOf, CONTROLLER_INDEX } from './ownership.js';
import { isDeleting } from './pods.js';

type ReadonlyPod = DeepReadonly<Pod>;

export interface OwnedPodsOptions<T extends KubeObject> {
  readonly pods: Informer<Pod>;
  readonly owners: Informer<T>;
  readonly kind: string;
  readonly queue: WorkQueue;
  /** Which orphans the owner would adopt; a missing selector adopts none. */
  selector(owner: DeepReadonly<T>): DeepReadonly<LabelSelector> | undefined;
  /** Told what shows before the owner is queued. */
  readonly expectations?: Expectations;
}

/** Queues owners that change. */
export function watchOwners<T extends KubeObject>(
  owners: Informer<T>,
  queue: WorkQueue,
  expectations?: Expectations,
): void {
  owners.addHandler({
    add: owner => queue.add(keyOf(owner)),
    update: (_old, owner) => queue.add(keyOf(owner)),
    delete: owner => {
      expectations?.forget(keyOf(owner));
      queue.add(keyOf(owner));
    },
  });
}

/** Queues the owner of every Pod that changes, and for orphans whoever may adopt them. */
export function watchOwnedPods<T extends KubeObject>(options: OwnedPodsOptions<T>): void {
  const { pods, owners, kind, queue, expectations } = options;
  pods.addIndex(CONTROLLER_INDEX, byController);
  const ownerKey = (pod: ReadonlyPod): string | undefined => {
    const owner = controllerOf(pod);
    if (owner?.kind !== kind) return undefined;
    const key = `${pod.metadata.namespace ?? ''}/${owner.name}`;
    return owners.indexer.get(key)?.metadata.uid === owner.uid ? key : undefined;
  };
  const queueAdopters = (pod: ReadonlyPod): void => {
    for (const owner of owners.indexer.byIndex('namespace', pod.metadata.namespace ?? '')) {
      const selector = options.selector(owner);
      if (selector !== undefined && labelSelectorAsSelector(selector).matches(pod.metadata.labels))
        queue.add(keyOf(owner));
    }
  };
  const gone = (pod: ReadonlyPod): void => {
    const key = ownerKey(pod);
    if (key === undefined) return;
    expectations?.deletionObserved(key, pod.metadata.uid ?? '');
    queue.add(key);
  };
  pods.addHandler({
    add(pod) {
      if (isDeleting(pod)) return gone(pod);
      const key = ownerKey(pod);
      if (key !== undefined) {
        expectations?.creationObserved(key);
        queue.add(key);
      } else if (controllerOf(pod) === undefined) queueAdopters(pod);
    },
    update(old, pod) {
      if (isDeleting(pod)) return gone(pod);
      const [before, now] = [ownerKey(old), ownerKey(pod)];
      if (before !== undefined && before !== now) queue.add(before);
      if (now !== undefined) queue.add(now);
      else if (controllerOf(pod) === undefined) queueAdopters(pod);
    },
    delete: gone,
  });
}
