import { methodNotAllowedError, pathNotFoundError, type Status } from '../../machinery/status.js';
import { inTurns } from '../../machinery/steps.js';
import type { KubeObject, ObjectKey } from '../../machinery/types.js';
import type { ActionSubresource, ConnectTarget, RequestContext } from '../../api/strategy.js';
import { admit, validateAdmission } from './admission.js';
import { ensureNamespace } from './metadata.js';
import { get } from './read.js';
import type { Scope } from './scope.js';
import type { StoredObject } from './types.js';

/** GET of a subresource: the object, or its view. @throws StatusError 404, 405 */
export async function getSubresource(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  query: { resourceVersion?: string },
): Promise<StoredObject | KubeObject> {
  const behaviour = scope.strategy.subresources?.[subresource];
  if (behaviour?.kind === 'action' || behaviour?.kind === 'connect') throw methodNotAllowedError();
  const object = await get(scope, ctx, key, query);
  if (behaviour?.kind !== 'view') return object;
  behaviour.checkRead?.(object.object);
  return behaviour.get(object.object);
}

/** POST to a subresource. @throws StatusError */
export async function createSubresource(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  body: KubeObject | undefined,
): Promise<{ object: KubeObject | Status; code: number }> {
  const behaviour = scope.strategy.subresources?.[subresource];
  if (behaviour === undefined) throw pathNotFoundError();
  if (behaviour.kind !== 'action') throw methodNotAllowedError();
  await scope.cache.fresh(ctx);
  if (body !== undefined) await prepareBody(scope, ctx, behaviour, subresource, key, body);
  const call = { operation: 'CREATE', subresource, key, ...(body === undefined ? {} : { object: body }) } as const;
  await admit(scope, ctx, call);
  if (body !== undefined) behaviour.prepare?.(ctx, key, body);
  await validateAdmission(scope, ctx, call);
  const { object, code = 201 } = await behaviour.create(ctx, key, body);
  return { object, code };
}

/**
 * Where a connection goes, once admission has let it pass. `path` is what follows the subresource.
 * undefined: there is nothing to answer. @throws StatusError
 */
export async function connectTo(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  subresource: string,
  asked: { readonly query: URLSearchParams; readonly path: string },
): Promise<ConnectTarget | undefined> {
  const behaviour = scope.strategy.subresources?.[subresource];
  if (behaviour?.kind !== 'connect') throw pathNotFoundError();
  if (behaviour.options !== undefined) {
    const object = behaviour.options(asked.query, asked.path);
    const call = { operation: 'CONNECT', subresource, key, object } as const;
    await admit(scope, ctx, call);
    await validateAdmission(scope, ctx, call);
  }
  return behaviour.target(ctx, key, asked.query);
}

/** The body is an object of its own kind: defaulted, and marked with who set what (a TokenRequest is answered with it). */
async function prepareBody(
  scope: Scope,
  ctx: RequestContext,
  behaviour: ActionSubresource,
  name: string,
  key: ObjectKey,
  body: KubeObject,
): Promise<void> {
  ensureNamespace(body.metadata, scope.info.namespaced ? key.namespace : '');
  behaviour.default?.(body);
  const info = scope.info.subresources.find(s => s.name === name);
  const schema = info === undefined ? undefined : scope.body(info.group, info.version, info.kind);
  if (info === undefined || schema === undefined) return;
  const write = { manager: ctx.options.fieldManager, subresource: name, nowMs: scope.clock.now() };
  await inTurns(scope.fieldManagers.view(info, schema).update(undefined, body, write), scope.turns);
}
