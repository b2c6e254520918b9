import type { Steps } from '../../machinery/steps.js';
import { pathNotFoundError } from '../../machinery/status.js';
import type { KubeObject, ObjectKey } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import { connectTo, createSubresource, getSubresource } from './actions.js';
import { checkKey } from './check-key.js';
import { create } from './create.js';
import { deleteCollection } from './delete-collection.js';
import { deleteObject } from './delete.js';
import { getMadeUp, listMadeUp } from './made-up.js';
import { patchChange } from './patch.js';
import { get, list } from './read.js';
import type { Scope } from './scope.js';
import { checkTarget, replacement, transformObject, transformView, type Change, type Target } from './transform.js';
import type { PatchRequest, Registry, WriteResult } from './types.js';
import { objectOf, updateObject, type UpdateRequest } from './update.js';
import { watch } from './watch.js';

/** Which parts of an UpdateRequest a kind of write decides. */
type Conditions = Pick<UpdateRequest, 'uid' | 'createIfAbsent'>;

async function write(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  change: Change,
  conditions: Conditions,
): Promise<WriteResult> {
  checkKey(scope, key);
  const behaviour = scope.strategy.subresources?.[subresource];
  if (behaviour === undefined || behaviour.kind !== 'view') {
    const transform = transformObject(scope, ctx, key, subresource, change);
    return updateObject(scope, ctx, { ...conditions, key, subresource, transform });
  }
  const transform = transformView(scope, ctx, key, behaviour, viewTarget(scope, subresource), change);
  // Upstream looks at the uid of a built-in kind's view where it turns it into its object, at others' in the store.
  const ofObject = scope.info.dynamic === true ? conditions : {};
  const result = await updateObject(scope, ctx, { ...ofObject, key, subresource, createIfAbsent: false, transform });
  return { object: behaviour.get(objectOf(result.object)), created: false };
}

/** A view has no defaults. */
function* nothing(): Steps<void> {}

function viewTarget(scope: Scope, name: string): Target {
  const info = scope.info.subresources.find(s => s.name === name);
  const schema = info === undefined ? undefined : scope.body(info.group, info.version, info.kind);
  if (info === undefined || schema === undefined) throw pathNotFoundError();
  const fields = scope.fieldManagers.view(info, schema);
  return { schema, fields, subresource: name, applyDefaults: nothing };
}

/** All operations on one resource in one version. */
export const createRegistry = (scope: Scope): Registry => ({
  info: scope.info,
  async get(ctx, key, query) {
    return scope.strategy.madeUp === undefined ? get(scope, ctx, key, query) : getMadeUp(scope, ctx, key);
  },
  async list(ctx, namespace, query) {
    return scope.strategy.madeUp === undefined ? list(scope, ctx, namespace, query) : listMadeUp(scope, ctx, query);
  },
  watch: (ctx, namespace, query, listener) => watch(scope, ctx, namespace, query, listener),
  create: (ctx, namespace, object) => create(scope, ctx, namespace, object),
  getSubresource: (ctx, key, subresource, query) => getSubresource(scope, ctx, key, subresource, query),
  createSubresource: (ctx, key, subresource, body) => createSubresource(scope, ctx, key, subresource, body),
  connect: (ctx, key, subresource, asked) => connectTo(scope, ctx, key, subresource, asked),
  async update(ctx: RequestContext, key: ObjectKey, object: KubeObject, subresource: string) {
    checkTarget(scope, key, object);
    const { uid } = object.metadata;
    const conditions = { createIfAbsent: false, ...(uid === undefined ? {} : { uid }) };
    return write(scope, ctx, key, subresource, replacement(scope, ctx, object), conditions);
  },
  async patch(ctx: RequestContext, key: ObjectKey, patch: PatchRequest, subresource: string) {
    const change = patchChange(scope, ctx, key, patch);
    return write(scope, ctx, key, subresource, change, { createIfAbsent: patch.type === 'apply' });
  },
  delete: (ctx, key, options) => deleteObject(scope, ctx, key, options),
  deleteCollection: (ctx, namespace, options, query) => deleteCollection(scope, ctx, namespace, options, query),
});
