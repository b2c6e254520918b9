import { cloneJson, jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, ManagedFieldsEntry, ObjectKey } from '../../machinery/types.js';
import type { PartSubresource, RequestContext } from '../../api/strategy.js';
import { setAt } from './field-path.js';
import { ensureNamespace } from './metadata.js';
import { resetFields } from './reset-fields.js';
import { breathe, entryOf, isInternal, type Scope } from './scope.js';

/**
 * rest.BeforeUpdate: mutates `object` into what will be stored, and checks it.
 * @throws StatusError
 */
export async function beforeUpdate(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  object: KubeObject,
  old: DeepReadonly<KubeObject>,
): Promise<void> {
  const { info, strategy } = scope;
  const part = partOf(scope, subresource);
  ensureNamespace(object.metadata, key.namespace);
  setAt(object.metadata as Record<string, unknown>, 'generation', old.metadata.generation);
  delete object.metadata.selfLink;

  scope.schema.dropDisabled(object);
  await breathe(scope);
  resetFields(scope, part === undefined ? '' : subresource, object, old);
  if (part !== undefined) part.prepareForUpdate?.(ctx, object, old);
  else strategy.prepareForUpdate?.(ctx, object, old);
  keepSystemFields(object, old);
  await breathe(scope);
  if (subresource !== 'status' && !isInternal(info, subresource) && generationMoves(scope, object, old)) {
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  await breathe(scope);
  keepManagedFieldsTimes(object, old);
  await breathe(scope);

  const write = { subresource, partly: part !== undefined, object, old };
  for (const text of await scope.validate(entryOf(scope), ctx, write)) ctx.warn(text);
  await breathe(scope);
  strategy.canonicalize?.(object);
}

/** The rules of a subresource that is part of the object; undefined: those of the object itself (also for views). */
function partOf(scope: Scope, subresource: string): PartSubresource | undefined {
  if (subresource === '') return undefined;
  const behaviour = scope.strategy.subresources?.[subresource];
  if (behaviour === undefined) return { kind: 'part' };
  return behaviour.kind === 'part' ? behaviour : undefined;
}

function keepSystemFields(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const { metadata } = object;
  if ((metadata.uid ?? '') === '') setAt(metadata as Record<string, unknown>, 'uid', old.metadata.uid);
  if (old.metadata.creationTimestamp !== undefined) metadata.creationTimestamp = old.metadata.creationTimestamp;
  if (old.metadata.deletionTimestamp !== undefined) metadata.deletionTimestamp = old.metadata.deletionTimestamp;
  if (old.metadata.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= old.metadata.deletionGracePeriodSeconds;
  }
}

function generationMoves(scope: Scope, object: KubeObject, old: DeepReadonly<KubeObject>): boolean {
  const { info, strategy } = scope;
  if (strategy.generationChanged !== undefined) return strategy.generationChanged(object, old);
  if (info.generation === 'none') return false;
  if (info.generation === 'spec') return !jsonEqual(object['spec'], old['spec']);
  const content = ({
    metadata: _m,
    status: _s,
    kind: _k,
    apiVersion: _a,
    ...rest
  }: DeepReadonly<KubeObject>): unknown => rest;
  return !jsonEqual(content(object), content(old));
}

const withoutTimes = (entries: readonly DeepReadonly<ManagedFieldsEntry>[] | undefined): unknown =>
  entries?.map(({ time: _time, ...entry }) => entry);

/** A write that moves nothing but the times of managedFields is no write (IgnoreManagedFieldsTimestampsTransformer). */
function keepManagedFieldsTimes(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const { metadata } = object;
  if (metadata.managedFields === undefined || old.metadata.managedFields === undefined) return;
  if (jsonEqual(metadata.managedFields, old.metadata.managedFields)) return;
  if (!jsonEqual(withoutTimes(metadata.managedFields), withoutTimes(old.metadata.managedFields))) return;
  const { managedFields: _new, ...meta } = metadata;
  const { managedFields: _old, ...oldMeta } = old.metadata;
  if (!jsonEqual(meta, oldMeta) || !jsonEqual({ ...object, metadata: null }, { ...old, metadata: null })) return;
  metadata.managedFields = cloneJson(old.metadata.managedFields) as ManagedFieldsEntry[];
}
