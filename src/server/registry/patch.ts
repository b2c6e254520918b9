import { conflictError, reasonlessError } from '../../machinery/status.js';
import type { KubeObject, ObjectKey } from '../../machinery/types.js';
import type { RequestContext } from '../../resources/strategy.js';
import { groupResource, type Scope } from './scope.js';
import type { Change } from './transform.js';
import type { PatchRequest } from './types.js';

/** PATCH (apiserver pkg/endpoints/handlers/patch.go). The patch is applied anew in every attempt. */
export function patchChange(scope: Scope, ctx: RequestContext, key: ObjectKey, request: PatchRequest): Change {
  return (live, target) => {
    if (request.type !== 'apply') throw reasonlessError(`${request.type} patches come with machinery/patch`);
    const { subresource } = target;
    const write = { manager: ctx.options.fieldManager, subresource, nowMs: scope.clock.now(), force: request.force };
    const applied = target.fields.apply(live, request.patch as KubeObject, write);
    const { object } = scope.codec.canonicalize(applied, target.kind);
    target.applyDefaults(object);
    const { uid = '' } = object.metadata;
    if (live !== undefined || uid === '') return object;
    const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflictError(groupResource(scope.info), key.name, text);
  };
}
