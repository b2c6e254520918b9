import type { DeepReadonly, KubeObject, ObjectKey } from '../../machinery/types.js';
import type { Waiter } from '../../machinery/waiter.js';
import { atRevision, pendingObject, type CachedObject } from '../../storage/cached-object.js';
import type { Op } from '../../storage/kv-store.js';
import { objectKey } from '../../storage/keys.js';
import { claimsOf, type Claims } from './reservation.js';
import type { Scope } from './scope.js';
import type { StoredObject } from './types.js';

/**
 * Another writer was first: what the object is now. `retry`: it is what it was, but a value that it was to get has been
 * taken.
 */
export interface Refused {
  readonly ok: false;
  readonly current: CachedObject | undefined;
  readonly retry: boolean;
}

export type Committed = { readonly ok: true; readonly object: CachedObject } | Refused;

const shownBy = (scope: Scope, object: CachedObject | undefined): DeepReadonly<KubeObject> | undefined =>
  object === undefined ? undefined : scope.view.show(object).object;

/**
 * Writes an object, and what it reserves, unless it has changed since `expected` was read (undefined: unless it exists).
 * Takes over `object`.
 */
export async function put(
  scope: Scope,
  key: ObjectKey,
  object: KubeObject,
  expected: CachedObject | undefined,
  waiter: Waiter,
): Promise<Committed> {
  const reserves = scope.strategy.reservations !== undefined;
  const claims = reserves ? await claimsOf(scope, key, shownBy(scope, expected), object) : undefined;
  const pending = pendingObject(key, await scope.versions.toStorage(object, waiter));
  const storageKey = objectKey(scope.cache.prefix, key);
  const op: Op = { type: 'put', key: storageKey, value: pending.value, decoded: pending };
  const result = await commit(scope, op, expected, claims, waiter);
  if (typeof result !== 'number') return result;
  pending.committed(result);
  return { ok: true, object: await scope.versions.committed(pending) };
}

/**
 * Removes an object, and what it has reserved, unless it has changed. What was committed is its last state, at the
 * revision of the deletion.
 */
export async function remove(scope: Scope, expected: CachedObject, waiter: Waiter): Promise<Committed> {
  const reserves = scope.strategy.reservations !== undefined;
  const claims = reserves ? await claimsOf(scope, expected.key, shownBy(scope, expected), undefined) : undefined;
  const op: Op = { type: 'delete', key: objectKey(scope.cache.prefix, expected.key) };
  const result = await commit(scope, op, expected, claims, waiter);
  return typeof result === 'number' ? { ok: true, object: atRevision(expected, result) } : result;
}

/** @returns the revision, or what was in the way */
async function commit(
  scope: Scope,
  op: Op,
  expected: CachedObject | undefined,
  claims: Claims | undefined,
  waiter: Waiter,
): Promise<number | Refused> {
  const result = await scope.store.commit(
    [{ key: op.key, modRevision: expected?.revision ?? 0 }, ...(claims?.preconditions ?? [])],
    [...(claims?.before ?? []), op, ...(claims?.ops ?? [])],
  );
  if (result.ok) {
    claims?.committed(result.revision);
    return result.revision;
  }
  const { failed, current } = result;
  if (failed.key === op.key)
    return {
      ok: false,
      current: current === undefined ? undefined : await scope.versions.fromStore(current),
      retry: false,
    };
  // Before it is tried again it must be seen, or the same would be tried for ever.
  await claims?.settled(waiter);
  return { ok: false, current: expected, retry: true };
}

/** Dry runs answer with an object that was never stored. */
export const isStored = (object: StoredObject | KubeObject): object is StoredObject =>
  typeof (object as StoredObject).encode === 'function';
