import { cloneJson } from '../../machinery/json-equal.js';
import {
  alreadyExistsError,
  isStatusError,
  methodNotAllowedError,
  qualified,
  reasonlessError,
  StatusError,
} from '../../machinery/status.js';
import { inTurns } from '../../machinery/steps.js';
import type { KubeObject, ObjectMeta } from '../../machinery/types.js';
import { throwIfAborted } from '../../machinery/waiter.js';
import { defaultObject } from '../../api/default-object.js';
import type { RequestContext } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { admit, validateAdmission } from './admission.js';
import { put, type Refused } from './commit.js';
import { newest } from './current.js';
import {
  dedupOwnerReferences,
  ensureNamespace,
  fillSystemFields,
  generateName,
  keyOfObject,
  needsGeneratedName,
  wipeSystemFields,
} from './metadata.js';
import { reserve } from './reserve.js';
import { resetFields } from './reset-fields.js';
import { breathe, entryOf, groupResource, type Scope } from './scope.js';
import type { WriteResult } from './types.js';

const NAME_ATTEMPTS = 8;

/** POST. Takes over `object`, which is decoded but not defaulted. */
export async function create(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  object: KubeObject,
): Promise<WriteResult> {
  const { info, clock } = scope;
  const expected = info.namespaced ? namespace : '';
  await breathe(scope);
  wipeSystemFields(object.metadata);
  ensureNamespace(object.metadata, expected);
  dedupOwnerReferences(ctx, object.metadata, false);
  await inTurns(defaultObject(entryOf(scope), object), scope.turns);
  const write = { manager: ctx.options.fieldManager, subresource: '', nowMs: clock.now() };
  await breathe(scope);
  await scope.versions.withOthers(ctx, () =>
    inTurns(scope.fieldManagers.main.update(undefined, object, write), scope.turns),
  );
  await breathe(scope);
  if (!info.stored) return review(scope, ctx, namespace, object);
  await scope.versions.newest.loaded();
  await admit(scope, ctx, { operation: 'CREATE', subresource: '', key: keyOfObject(object), object });
  dedupOwnerReferences(ctx, object.metadata, true);

  for (let attempt = 1; needsGeneratedName(object.metadata) && attempt < NAME_ATTEMPTS; attempt++) {
    try {
      return await store(scope, ctx, expected, cloneJson(object));
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
  }
  return store(scope, ctx, expected, object);
}

/** A kind that is not kept: the answer is the object itself, filled in. */
async function review(scope: Scope, ctx: RequestContext, namespace: string, object: KubeObject): Promise<WriteResult> {
  await admit(scope, ctx, { operation: 'CREATE', subresource: '', key: keyOfObject(object), object });
  if (scope.strategy.review === undefined) throw methodNotAllowedError();
  await validateAdmission(scope, ctx, { operation: 'CREATE', subresource: '', key: keyOfObject(object), object });
  return { object: await scope.strategy.review(ctx, object, namespace), created: true };
}

/** Store.Create (apiserver pkg/registry/generic/registry/store.go). */
async function store(scope: Scope, ctx: RequestContext, namespace: string, object: KubeObject): Promise<WriteResult> {
  const { metadata } = object;
  fillSystemFields(metadata, scope);
  if (needsGeneratedName(metadata)) metadata.name = generateName(metadata.generateName ?? '', scope.random);
  // Kinds that reserve values start again where somebody else was faster: what they had chosen is in the object.
  const repeats = scope.strategy.reserve !== undefined;
  for (;;) {
    throwIfAborted(ctx);
    const outcome = await storeNew(scope, ctx, namespace, repeats ? cloneJson(object) : object, refuseVersion);
    if ('done' in outcome) return outcome.done;
    if (!outcome.retry) throw existsError(scope, object, outcome.current);
  }
}

function refuseVersion({ resourceVersion }: ObjectMeta): void {
  if (resourceVersion !== undefined && resourceVersion !== '')
    throw reasonlessError('resourceVersion should not be set on objects to be created');
}

/**
 * One attempt to store an object that is not there yet. `version` says what becomes of a resourceVersion in it, just before
 * it is committed; `allowed` is for beforeCreate.
 * @throws StatusError
 */
export async function storeNew(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  object: KubeObject,
  version: (metadata: ObjectMeta) => void,
  allowed?: () => Promise<void> | undefined,
): Promise<{ readonly done: WriteResult } | Refused> {
  await breathe(scope);
  await reserve(scope, ctx, object, undefined);
  await beforeCreate(scope, ctx, namespace, object, allowed);
  // Admission was shown what was sent, not yet what the store makes of it.
  await inTurns(scope.normalize(object), scope.turns);
  await breathe(scope);
  const key = keyOfObject(object);
  if (ctx.options.dryRun) {
    await scope.cache.loaded();
    const current = await newest(scope, key);
    if (current !== undefined) throw existsError(scope, object, current);
    scope.schema.restore?.(object);
    return { done: { object, created: true } };
  }
  version(object.metadata);
  const stored = await put(scope, key, object, undefined, ctx);
  if (!stored.ok) return stored;
  const shown = scope.view.show(stored.object);
  await scope.strategy.afterCreate?.(ctx, shown.object);
  return { done: { object: shown, created: true } };
}

/**
 * rest.BeforeCreate, then validating admission. Mutates `object` into what will be stored. `allowed` is asked in
 * between, when the request did not set out to create.
 * @throws StatusError
 */
async function beforeCreate(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  object: KubeObject,
  allowed?: () => Promise<void> | undefined,
): Promise<void> {
  const { info, strategy } = scope;
  ensureNamespace(object.metadata, namespace);
  scope.schema.dropDisabled(object);
  if (strategy.prepareForCreate !== undefined) strategy.prepareForCreate(ctx, object);
  else resetFields(scope, '', object, undefined);
  if (info.generation !== 'none') object.metadata.generation = 1;
  await breathe(scope);
  const write = { subresource: '', partly: false, object, old: undefined };
  for (const text of await scope.validate(entryOf(scope), ctx, write)) ctx.warn(text);
  await breathe(scope);
  strategy.canonicalize?.(object);
  await allowed?.();
  await validateAdmission(scope, ctx, { operation: 'CREATE', subresource: '', key: keyOfObject(object), object });
}

/** Says more when the name was generated or the object in the way is going away. */
function existsError(scope: Scope, object: KubeObject, current: CachedObject | undefined): StatusError {
  const gr = groupResource(scope.info);
  const { name = '', generateName: base } = object.metadata;
  const plain = alreadyExistsError(gr, name);
  const generated = base !== undefined && base !== '';
  const readable = current?.unreadable === undefined ? current : undefined;
  const deleting = readable?.object.metadata.deletionTimestamp !== undefined;
  if (!generated && !deleting) return plain;
  const text = generated
    ? `${qualified(gr)} "${name}" already exists, the server was not able to generate a unique name for the object`
    : plain.message;
  return new StatusError(409, 'AlreadyExists', deleting ? `object is being deleted: ${text}` : text, {
    ...plain.status.details,
    ...(generated ? { retryAfterSeconds: 1 } : {}),
  });
}
