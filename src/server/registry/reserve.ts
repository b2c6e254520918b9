import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { Scope } from './scope.js';

/** Mutates: values that nobody has are chosen, as far as the store knows by now. @throws StatusError */
export async function reserve(
  scope: Scope,
  ctx: RequestContext,
  object: KubeObject,
  old: DeepReadonly<KubeObject> | undefined,
): Promise<void> {
  const { strategy } = scope;
  if (strategy.reserve === undefined) return;
  // What another server has just given back is no reason to refuse it.
  for (const resource of strategy.reservations?.resources ?? []) await scope.shelf(resource).cache.fresh(ctx);
  await strategy.reserve(ctx, object, old);
}
