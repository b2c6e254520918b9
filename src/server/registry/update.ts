import {
  conflictError,
  invalidError,
  notFoundError,
  OPTIMISTIC_LOCK_MESSAGE,
  reasonlessError,
} from '../../machinery/status.js';
import { invalid } from '../../machinery/field-error.js';
import { inTurns } from '../../machinery/steps.js';
import type { DeepReadonly, KubeObject, ObjectKey, ObjectMeta } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { objectKey } from '../../storage/keys.js';
import { validateAdmission } from './admission.js';
import { storeNew } from './create.js';
import { isStored, put, remove } from './commit.js';
import { fromCurrent, type Attempt } from './current.js';
import { fillSystemFields } from './metadata.js';
import { beforeUpdate } from './before-update.js';
import { reserve } from './reserve.js';
import { breathe, groupResource, isInternal, type Scope } from './scope.js';
import { parseUint64 } from './strconv.js';
import type { StoredObject, WriteResult } from './types.js';

export interface UpdateRequest {
  readonly key: ObjectKey;
  /** "" for the object itself. */
  readonly subresource: string;
  /** The object must have this uid. */
  readonly uid?: string;
  /** Whether an absent object is created (server-side apply; kinds with allowCreateOnUpdate do it anyway). */
  readonly createIfAbsent: boolean;
  /**
   * Makes the new object from the present one, admission included. Runs again when another writer was first, so it must
   * start from scratch. The result belongs to the caller.
   */
  transform(live: StoredObject | undefined): Promise<KubeObject>;
}

/** Store.Update (apiserver pkg/registry/generic/registry/store.go) around storage's GuaranteedUpdate. */
export async function updateObject(scope: Scope, ctx: RequestContext, request: UpdateRequest): Promise<WriteResult> {
  return fromCurrent(scope, request.key, ctx, async existing => {
    checkUid(scope, request, existing);
    return existing === undefined ? createAbsent(scope, ctx, request) : updateExisting(scope, ctx, request, existing);
  });
}

/** storage.Preconditions.Check: the text shows the storage key, as upstream's does. */
function checkUid(scope: Scope, request: UpdateRequest, existing: CachedObject | undefined): void {
  const found = existing?.object.metadata.uid ?? '';
  if (request.uid === undefined || request.uid === '' || request.uid === found) return;
  const key = objectKey(scope.cache.prefix, request.key);
  throw conflictError(
    groupResource(scope.info),
    request.key.name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ` +
      `UID in precondition: ${request.uid}, UID in object meta: ${found}`,
  );
}

async function createAbsent(scope: Scope, ctx: RequestContext, request: UpdateRequest): Promise<Attempt<WriteResult>> {
  const { info } = scope;
  const { key } = request;
  if (request.subresource !== '' || (!info.allowCreateOnUpdate && !request.createIfAbsent)) {
    throw notFoundError(groupResource(info), key.name);
  }
  const object = await request.transform(undefined);
  readVersion(object);
  fillSystemFields(object.metadata, scope);
  // An update may name any resourceVersion when there is nothing it could conflict with.
  const dropVersion = (metadata: ObjectMeta): void => void delete metadata.resourceVersion;
  return storeNew(scope, ctx, key.namespace, object, dropVersion, () => ctx.mayCreate?.());
}

/** 0: none was given. @throws StatusError 500 for one that is no number, as upstream */
function readVersion(object: KubeObject): number {
  try {
    return parseUint64(object.metadata.resourceVersion || '0');
  } catch (error) {
    throw reasonlessError((error as Error).message);
  }
}

function checkVersion(scope: Scope, key: ObjectKey, object: KubeObject, existing: CachedObject): void {
  const { info } = scope;
  const given = readVersion(object);
  if (given === 0) {
    if (info.allowUnconditionalUpdate) {
      object.metadata.resourceVersion = String(existing.revision);
      return;
    }
    // Upstream puts the resource where the kind belongs (https://github.com/kubernetes/kubernetes/issues/18526).
    throw invalidError({ group: info.group, kind: info.plural }, key.name, [
      invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (given !== existing.revision) throw conflictError(groupResource(info), key.name, OPTIMISTIC_LOCK_MESSAGE);
}

async function updateExisting(
  scope: Scope,
  ctx: RequestContext,
  request: UpdateRequest,
  existing: CachedObject,
): Promise<Attempt<WriteResult>> {
  const { key, subresource } = request;
  await breathe(scope);
  const live = scope.view.show(existing);
  const object = await request.transform(live);
  await breathe(scope);
  checkVersion(scope, key, object, existing);
  if (subresource === '') await reserve(scope, ctx, object, live.object);
  await beforeUpdate(scope, ctx, key, subresource, object, live.object);
  await breathe(scope);
  if (!isInternal(scope.info, subresource)) {
    await validateAdmission(scope, ctx, {
      operation: 'UPDATE',
      subresource,
      key,
      ...shownAs(scope, subresource, object, live.object),
    });
  }
  // Admission is shown what was sent, not yet what the store makes of it.
  await inTurns(scope.normalize(object), scope.turns);
  return goesAway(scope, object, live.object)
    ? finishDeletion(scope, ctx, object, existing)
    : replace(scope, ctx, request, object, existing);
}

/** Of a view (scale) admission is shown the view, before and after. */
function shownAs(scope: Scope, subresource: string, object: KubeObject, old: DeepReadonly<KubeObject>) {
  const behaviour = scope.strategy.subresources?.[subresource];
  return behaviour?.kind === 'view' ? { object: behaviour.get(object), old: behaviour.get(old) } : { object, old };
}

/** ShouldDeleteDuringUpdate: the last finalizer of an object that is being deleted has gone. */
function goesAway(scope: Scope, object: KubeObject, old: DeepReadonly<KubeObject>): boolean {
  const { finalizers } = object.metadata;
  if (old.metadata.deletionTimestamp === undefined || (finalizers !== undefined && finalizers.length > 0)) return false;
  if ((old.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  return scope.strategy.finalized?.(object) ?? true;
}

/** The answer is the object of the request, with the resourceVersion it was read at. */
async function finishDeletion(
  scope: Scope,
  ctx: RequestContext,
  object: KubeObject,
  existing: CachedObject,
): Promise<Attempt<WriteResult>> {
  if (ctx.options.dryRun) return { done: { object, created: false }, unproven: true };
  const removed = await remove(scope, existing, ctx);
  if (!removed.ok) return removed;
  await scope.strategy.afterDelete?.(ctx, scope.view.show(removed.object).object);
  return { done: { object, created: false } };
}

async function replace(
  scope: Scope,
  ctx: RequestContext,
  request: UpdateRequest,
  object: KubeObject,
  existing: CachedObject,
): Promise<Attempt<WriteResult>> {
  if (ctx.options.dryRun) return { done: { object, created: false }, unproven: true };
  const live = scope.view.show(existing);
  // Writing what is there already makes no revision and no event.
  if (!existing.stale && scope.view.holds(existing, object))
    return { done: { object: live, created: false }, unproven: true };
  const stored = await put(scope, request.key, object, existing, ctx);
  if (!stored.ok) return stored;
  const shown = scope.view.show(stored.object);
  if (request.subresource === '') await scope.strategy.afterUpdate?.(ctx, shown.object, live.object);
  return { done: { object: shown, created: false } };
}

/** The plain object of a result. */
export const objectOf = (result: StoredObject | KubeObject): DeepReadonly<KubeObject> =>
  isStored(result) ? result.object : result;
