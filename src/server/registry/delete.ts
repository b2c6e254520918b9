import { jsonEqual } from '../../machinery/json-equal.js';
import { conflictError, notFoundError, type Status } from '../../machinery/status.js';
import type { DeepReadonly, JsonObject, KubeObject, ObjectKey } from '../../machinery/types.js';
import { throwIfAborted } from '../../machinery/waiter.js';
import type { DeleteOptions, RequestContext } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { admit, validateAdmission } from './admission.js';
import { checkKey } from './check-key.js';
import { put, remove, type Committed } from './commit.js';
import { fromCurrent, type Attempt } from './current.js';
import { checkPreconditions, validateDeleteOptions } from './delete-options.js';
import { planDeletion } from './deletion-plan.js';
import { groupResource, type Scope } from './scope.js';
import type { DeleteResult, StoredObject } from './types.js';

/** What the first step left to do. */
type Begun =
  | { readonly kind: 'answered'; readonly result: DeleteResult }
  /** `marked`: this request has written that the object is being deleted. */
  | { readonly kind: 'remove'; readonly existing: CachedObject; readonly marked: boolean };

/** DELETE (Store.Delete, apiserver pkg/registry/generic/registry/store.go). */
export async function deleteObject(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  options: DeleteOptions,
  part: 'one' | 'of a collection' = 'one',
): Promise<DeleteResult> {
  validateDeleteOptions(options);
  checkKey(scope, key);
  // Upstream reads it before it deletes it; an update starts from what its watch cache has.
  const { newest } = scope.versions;
  const attempt = (existing: CachedObject | undefined): Promise<Attempt<Begun>> =>
    begin(scope, ctx, key, options, existing, part);
  const begun = await fromCurrent(scope, key, ctx, attempt, newest);
  return begun.kind === 'answered' ? begun.result : finish(scope, ctx, key, options, begun);
}

function admissionCall(
  scope: Scope,
  key: ObjectKey,
  options: DeleteOptions,
  existing: CachedObject,
  part: 'one' | 'of a collection',
) {
  const deleteOptions = { ...options } as unknown as JsonObject;
  const old = scope.view.show(existing).object;
  return {
    operation: 'DELETE',
    subresource: '',
    key,
    deleteOptions,
    old,
    unnamed: part === 'of a collection',
  } as const;
}

/** What the options say once the kind has had its word: how long it takes, and of one in two phases, that it is this one. */
function settledOptions(
  { strategy }: Scope,
  { gracePeriodSeconds, preconditions }: DeleteOptions,
  live: DeepReadonly<KubeObject>,
): Partial<DeleteOptions> {
  const { uid } = live.metadata;
  const seconds = strategy.gracePeriodSeconds?.(live, gracePeriodSeconds);
  return {
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
    ...(strategy.finalized === undefined || uid === undefined ? {} : { preconditions: { uid, ...preconditions } }),
  };
}

const isDryRun = (ctx: RequestContext, options: DeleteOptions): boolean => options.dryRun || ctx.options.dryRun;

async function begin(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  options: DeleteOptions,
  existing: CachedObject | undefined,
  part: 'one' | 'of a collection',
): Promise<Attempt<Begun>> {
  if (existing === undefined) throw notFoundError(groupResource(scope.info), key.name);
  const live = scope.view.show(existing);
  checkPreconditions(scope.info, options, live.object);
  scope.strategy.beforeDelete?.(ctx, live.object, options);
  const call = admissionCall(scope, key, options, existing, part);
  await admit(scope, ctx, call);
  const settled = { ...options, ...settledOptions(scope, options, live.object) };
  await validateAdmission(scope, ctx, { ...call, deleteOptions: settled });
  const plan = planDeletion(scope, options, existing);
  if (plan.kind === 'now') return { done: { kind: 'remove', existing, marked: false }, unproven: true };
  if (plan.kind === 'pending')
    return { done: { kind: 'answered', result: answer(scope, live, false) }, unproven: true };
  if (isDryRun(ctx, options)) return { done: kept(plan.object, !plan.stays), unproven: true };
  // Deleting again what waits for its finalizers changes nothing.
  const same = jsonEqual(plan.object, live.object);
  const stored = same ? ({ ok: true, object: existing } as const) : await put(scope, key, plan.object, existing, ctx);
  if (!stored.ok) return stored;
  const { object } = stored;
  const begun: Begun = plan.stays
    ? kept(scope.view.show(object), false)
    : { kind: 'remove', existing: object, marked: true };
  return { done: begun, unproven: same };
}

/** The object stays for now: it is the answer, whatever the kind answers otherwise. */
const kept = (object: StoredObject | KubeObject, deleted: boolean): Begun => ({
  kind: 'answered',
  result: { kind: 'object', object, deleted },
});

async function finish(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  options: DeleteOptions,
  begun: Extract<Begun, { kind: 'remove' }>,
): Promise<DeleteResult> {
  const marked = begun.marked ? begun.existing : undefined;
  let existing: CachedObject | undefined = begun.existing;
  for (;;) {
    throwIfAborted(ctx);
    if (existing === undefined) {
      // Somebody else (the kubelet) finished what this request began.
      if (marked !== undefined) return answer(scope, scope.view.show(marked), true);
      throw notFoundError(groupResource(scope.info), key.name);
    }
    const live = scope.view.show(existing);
    // The client's resourceVersion is that of the object before this request marked it.
    if (existing !== marked) checkUnchanged(scope, options, marked, existing);
    if (isDryRun(ctx, options)) return answer(scope, live, true);
    const removed: Committed = await remove(scope, existing, ctx);
    if (!removed.ok) {
      existing = removed.current;
      continue;
    }
    const shown = scope.view.show(removed.object);
    await scope.strategy.afterDelete?.(ctx, shown.object);
    return answer(scope, shown, true);
  }
}

function checkUnchanged(
  scope: Scope,
  options: DeleteOptions,
  marked: CachedObject | undefined,
  existing: CachedObject,
): void {
  const live = scope.view.show(existing).object;
  if (marked === undefined) return checkPreconditions(scope.info, options, live);
  if (options.preconditions?.resourceVersion === undefined && marked.object.metadata.uid === live.metadata.uid) return;
  const text = `Precondition failed: ResourceVersion in precondition: ${marked.revision}, ResourceVersion in object meta: ${existing.revision}`;
  throw conflictError(groupResource(scope.info), existing.key.name, text);
}

/** Store.finalizeDelete: the object, or a Status that names it. */
function answer(scope: Scope, object: StoredObject, deleted: boolean): DeleteResult {
  const { info } = scope;
  if (info.deleteReturns === 'object') return { kind: 'object', object, deleted };
  const { name = '', uid = '' } = object.object.metadata;
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(info.group === '' ? {} : { group: info.group }), kind: info.plural, uid },
  };
  return { kind: 'status', status, deleted };
}
