import { errorsOf } from '../../machinery/field-error.js';
import { conflictError, invalidError } from '../../machinery/status.js';
import { cloneJson } from '../../machinery/json-equal.js';
import { inTurns, type Steps } from '../../machinery/steps.js';
import type { FieldManager } from '../../machinery/managed-fields/field-manager.js';
import { parentEntries, scaleEntries, type ScaleMapping } from '../../machinery/managed-fields/scale.js';
import type { DeepReadonly, KubeObject, ObjectKey } from '../../machinery/types.js';
import { defaultObject } from '../../api/default-object.js';
import type { KindSchema } from '../../api/kind-schema.js';
import { apiVersionOf } from '../../api/resource-info.js';
import type { RequestContext, ViewSubresource } from '../../api/strategy.js';
import { admit } from './admission.js';
import { checkName, dedupOwnerReferences, ensureNamespace } from './metadata.js';
import { breathe, entryOf, isInternal, type Scope } from './scope.js';
import type { UpdateRequest } from './update.js';

/** What a write is about: the object itself, or a view of it with a kind and a field manager of its own. */
export interface Target {
  readonly schema: KindSchema;
  /** undefined: who owns what is not recorded. */
  readonly fields: FieldManager | undefined;
  readonly subresource: string;
  applyDefaults(object: KubeObject): Steps<void>;
}

/**
 * Makes the new object from the present one: a replacement or a patch, managedFields included. Runs once per attempt;
 * the result is new each time. @throws StatusError
 */
export type Change = (live: DeepReadonly<KubeObject> | undefined, target: Target) => Steps<KubeObject>;

/** PUT. `body` is decoded. */
export function replacement(scope: Scope, ctx: RequestContext, body: KubeObject): Change {
  return function* (live, target) {
    const object = cloneJson(body);
    yield;
    yield* target.applyDefaults(object);
    yield;
    if (target.fields === undefined) return object;
    const write = { manager: ctx.options.fieldManager, subresource: target.subresource, nowMs: scope.clock.now() };
    yield* target.fields.update(live, object, write);
    return object;
  };
}

/** The checks of a body against the URL. Mutates: an absent namespace is filled in. @throws StatusError 400 */
export function checkTarget(scope: Scope, key: ObjectKey, object: KubeObject): void {
  ensureNamespace(object.metadata, scope.info.namespaced ? key.namespace : '');
  checkName(object.metadata, key);
}

/** Mutating admission of an update, or of the creation it turned into. Mutates `object`. @throws StatusError */
async function admitChange(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  object: KubeObject,
  old: DeepReadonly<KubeObject> | undefined,
): Promise<void> {
  const call =
    old === undefined
      ? ({ operation: 'CREATE', subresource, key, object } as const)
      : ({ operation: 'UPDATE', subresource, key, object, old } as const);
  await admit(scope, ctx, call);
  dedupOwnerReferences(ctx, object.metadata, true);
}

/** The change of the object itself, or of a part of it (status). */
export function transformObject(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  change: Change,
): UpdateRequest['transform'] {
  const internal = isInternal(scope.info, subresource);
  const target: Target = {
    schema: scope.schema,
    fields: internal ? undefined : scope.fieldManagers.main,
    subresource,
    applyDefaults: object => defaultObject(entryOf(scope), object),
  };
  return async live => {
    const make = (): Promise<KubeObject> => inTurns(change(live?.object, target), scope.turns);
    const object = await scope.versions.withOthers(ctx, make);
    checkTarget(scope, key, object);
    await breathe(scope);
    if (!internal) await admitChange(scope, ctx, key, subresource, object, live?.object);
    return object;
  };
}

/** The change of a view: it is shown, changed, checked, and the object made to say what it says. */
export function transformView(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  view: ViewSubresource,
  target: Target,
  change: Change,
): UpdateRequest['transform'] {
  const apiVersion = apiVersionOf(scope.info);
  const replicas = view.fieldMap['spec.replicas'];
  const mapping: ScaleMapping = {
    apiVersion,
    replicasPaths: view.replicasPaths ?? (replicas === undefined ? {} : { [apiVersion]: replicas }),
  };
  return async live => {
    if (live === undefined) throw new Error('a view is only changed where its object exists');
    const old = view.forWriting === undefined ? view.get(live.object) : view.forWriting(live.object);
    const { managedFields } = live.object.metadata;
    const own = scaleEntries(managedFields, mapping);
    if (own !== undefined) old.metadata.managedFields = own;

    const shown = await inTurns(change(old, target), scope.turns);
    checkTarget(scope, key, shown);
    await admitChange(scope, ctx, key, target.subresource, shown, old);
    const errors = errorsOf(() => view.validate?.(shown) ?? []);
    if (errors.length > 0) throw invalidError(target.schema, shown.metadata.name ?? '', errors);
    if (scope.info.dynamic !== true) checkViewUid(scope, target.subresource, shown, live.object);

    const object = cloneJson(live.object) as KubeObject;
    view.put(object, shown);
    const { resourceVersion } = shown.metadata;
    // A writer of a view need not have seen its object.
    if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
    const entries = parentEntries(managedFields, shown.metadata.managedFields, mapping);
    if (entries !== undefined) object.metadata.managedFields = entries;
    else delete object.metadata.managedFields;
    return object;
  };
}

function checkViewUid(scope: Scope, subresource: string, shown: KubeObject, live: DeepReadonly<KubeObject>): void {
  const { uid = '', name = '' } = shown.metadata;
  if (uid === '' || uid === live.metadata.uid) return;
  const resource = { group: scope.info.group, resource: `${scope.info.plural}/${subresource}` };
  const text = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`;
  throw conflictError(resource, name, text);
}
