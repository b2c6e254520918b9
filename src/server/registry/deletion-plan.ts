import { formatTime } from '../../machinery/clock.js';
import { cloneJson } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { DeleteOptions } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { finalizersFor } from './delete-options.js';
import type { Scope } from './scope.js';

/**
 * What a DELETE does to an object: nothing (its deletion is under way), remove it at once, or first write `object`, which
 * says that it is being deleted and, when it `stays`, waits for its grace period or its finalizers.
 */
export type DeletionPlan =
  | { readonly kind: 'pending' }
  | { readonly kind: 'now' }
  | { readonly kind: 'mark'; readonly object: KubeObject; readonly stays: boolean };

interface Grace {
  readonly seconds: number;
  readonly deletionTimestamp: string;
}

const PENDING: DeletionPlan = { kind: 'pending' };

/** A copy of a stored object, in the served version, that may be changed. */
const editable = (scope: Scope, object: CachedObject): KubeObject =>
  cloneJson(scope.view.show(object).object) as KubeObject;

/** rest.BeforeDelete and Store.updateForGracefulDeletionAndFinalizers as one decision. */
export function planDeletion(scope: Scope, options: DeleteOptions, existing: CachedObject): DeletionPlan {
  const { info, strategy, clock } = scope;
  const live = scope.view.show(existing).object;
  const deleting = live.metadata.deletionTimestamp !== undefined;
  if (strategy.finalized !== undefined) {
    if (!deleting) return firstPhase(scope, options, existing);
    if (!strategy.finalized(live)) return PENDING;
  }
  const grace = graceOf(scope, options, live);
  if (grace === 'pending') return PENDING;
  const finalizers = finalizersFor(info, options, live.metadata);
  const remaining = finalizers ?? live.metadata.finalizers ?? [];
  if (grace === undefined && finalizers === undefined && remaining.length === 0) return { kind: 'now' };

  const object = editable(scope, existing);
  const { metadata } = object;
  if (finalizers !== undefined) setFinalizers(object, finalizers);
  // Controllers should take no further action on it: their observedGeneration must not look current.
  if (!deleting && (grace !== undefined || remaining.length > 0) && (metadata.generation ?? 0) > 0) {
    metadata.generation = (metadata.generation ?? 0) + 1;
  }
  if (grace !== undefined) {
    metadata.deletionTimestamp = grace.deletionTimestamp;
    metadata.deletionGracePeriodSeconds = grace.seconds;
  } else if (remaining.length > 0) {
    const now = clock.now();
    if (!deleting || Date.parse(metadata.deletionTimestamp ?? '') > now) metadata.deletionTimestamp = formatTime(now);
    metadata.deletionGracePeriodSeconds = 0;
  }
  const stays = remaining.length > 0 || (grace?.seconds ?? 0) > 0;
  if (stays) strategy.markDeleting?.(object);
  return { kind: 'mark', object, stays };
}

/** Of kinds deleted in two phases: the object says so, without a grace period. */
function firstPhase(scope: Scope, options: DeleteOptions, existing: CachedObject): DeletionPlan {
  const object = editable(scope, existing);
  object.metadata.deletionTimestamp = formatTime(scope.clock.now());
  const finalizers = finalizersFor(scope.info, options, object.metadata);
  if (finalizers !== undefined) setFinalizers(object, finalizers);
  scope.strategy.markDeleting?.(object);
  return { kind: 'mark', object, stays: true };
}

function setFinalizers(object: KubeObject, finalizers: string[]): void {
  if (finalizers.length === 0) delete object.metadata.finalizers;
  else object.metadata.finalizers = finalizers;
}

/** undefined: the kind, or this object, is not deleted gracefully. */
function graceOf(scope: Scope, options: DeleteOptions, live: DeepReadonly<KubeObject>): Grace | 'pending' | undefined {
  const { strategy, clock } = scope;
  if (strategy.gracePeriodSeconds === undefined) return undefined;
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = live.metadata;
  // A negative period is the shortest that is not "at once".
  const asked =
    options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  if (deletionTimestamp === undefined) {
    const seconds = strategy.gracePeriodSeconds(live, asked);
    if (seconds === undefined) return undefined;
    return { seconds, deletionTimestamp: formatTime(clock.now() + seconds * 1000) };
  }
  if (running === undefined || running === 0) return undefined;
  // A running period may only be shortened; it counts from when it began.
  if (asked === undefined || asked >= running) return 'pending';
  return { seconds: asked, deletionTimestamp: formatTime(Date.parse(deletionTimestamp) - (running - asked) * 1000) };
}
