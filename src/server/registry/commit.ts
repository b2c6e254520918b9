import { cloneJson } from '../../machinery/json-equal.js';
import type { KubeObject, ObjectKey } from '../../machinery/types.js';
import { atRevision, pendingObject, type CachedObject } from '../../storage/cached-object.js';
import type { CommitResult } from '../../storage/kv-store.js';
import { objectKey } from '../../storage/keys.js';
import type { Scope } from './scope.js';
import type { StoredObject } from './types.js';

/** What was committed; or, when another writer was first, what the object is now. */
export type Committed =
  | { readonly ok: true; readonly object: CachedObject }
  | { readonly ok: false; readonly current: CachedObject | undefined };

/** Writes an object unless it has changed since `expected` was read (undefined: unless it exists). Takes over `object`. */
export async function put(
  scope: Scope,
  key: ObjectKey,
  object: KubeObject,
  expected: CachedObject | undefined,
): Promise<Committed> {
  const storageKey = objectKey(scope.cache.prefix, key);
  const pending = pendingObject(key, scope.view.toStorage(object));
  const result = await scope.store.commit(
    [{ key: storageKey, modRevision: expected?.revision ?? 0 }],
    [{ type: 'put', key: storageKey, value: pending.value, decoded: pending }],
  );
  if (!result.ok) return conflict(scope, result);
  pending.committed(result.revision);
  return { ok: true, object: pending };
}

/** Removes an object unless it has changed. What was committed is its last state, at the revision of the deletion. */
export async function remove(scope: Scope, expected: CachedObject): Promise<Committed> {
  const storageKey = objectKey(scope.cache.prefix, expected.key);
  const result = await scope.store.commit(
    [{ key: storageKey, modRevision: expected.revision }],
    [{ type: 'delete', key: storageKey }],
  );
  return result.ok ? { ok: true, object: atRevision(expected, result.revision) } : conflict(scope, result);
}

function conflict(scope: Scope, { current }: Extract<CommitResult, { ok: false }>): Committed {
  return { ok: false, current: current === undefined ? undefined : scope.cache.objectOf(current) };
}

/** A copy of a stored object, in the served version, that a writer may change. */
export const editable = (scope: Scope, object: CachedObject): KubeObject =>
  cloneJson(scope.view.show(object).object) as KubeObject;

/** Dry runs answer with an object that was never stored. */
export const isStored = (object: StoredObject | KubeObject): object is StoredObject =>
  typeof (object as StoredObject).encode === 'function';
