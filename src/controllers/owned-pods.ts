import type { Informer } from '../client/types.js';
import { keyOf } from '../client/types.js';
import type { WorkQueue } from '../client/work-queue.js';
import { labelSelectorAsSelector } from '../machinery/labels.js';
import type { DeepReadonly, KubeObject, LabelSelector, Pod } from '../machinery/types.js';
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
  /** Told before the owner is queued: for expectations. */
  created?(key: string, pod: ReadonlyPod): void;
  deleted?(key: string, pod: ReadonlyPod): void;
}

/** Queues the owner of every Pod that changes, and for orphans whoever may adopt them. */
export function watchOwnedPods<T extends KubeObject>(options: OwnedPodsOptions<T>): void {
  const { pods, owners, kind, queue } = options;
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
    options.deleted?.(key, pod);
    queue.add(key);
  };
  pods.addHandler({
    add(pod) {
      if (isDeleting(pod)) return gone(pod);
      const key = ownerKey(pod);
      if (key !== undefined) {
        options.created?.(key, pod);
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
