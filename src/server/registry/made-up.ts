import { notFoundError } from '../../machinery/status.js';
import type { KubeObject, ObjectKey } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import { listOptions } from './list-options.js';
import type { Scope } from './scope.js';
import { selectionOf } from './selection.js';
import type { ListQuery, ListResult, StoredObject } from './types.js';

/** An object that no store holds, in the form that answers are made from. */
function unstored(object: KubeObject): StoredObject {
  const { kind, apiVersion, ...item } = object;
  let bytes: Buffer | undefined;
  return {
    key: { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' },
    revision: 0,
    object,
    encode: () => (bytes ??= Buffer.from(JSON.stringify({ kind, apiVersion, ...item }))),
    itemStart: () => JSON.stringify({ kind, apiVersion }).length,
    metadataText: () => undefined,
  };
}

const all = (scope: Scope, ctx: RequestContext): StoredObject[] =>
  [...(scope.strategy.madeUp?.(ctx) ?? [])].map(unstored);

/** GET of a kind whose objects are made up for each read. @throws StatusError 404 */
export function getMadeUp(scope: Scope, ctx: RequestContext, key: ObjectKey): StoredObject {
  const found = all(scope, ctx).find(({ key: { name } }) => name === key.name);
  // Upstream names it in the singular.
  if (found === undefined) throw notFoundError({ group: scope.info.group, resource: scope.info.singular }, key.name);
  return found;
}

/** LIST of such a kind: always all that match, at no revision. */
export function listMadeUp(scope: Scope, ctx: RequestContext, query: ListQuery): ListResult {
  const selection = selectionOf(scope, listOptions(query));
  return { resourceVersion: '', items: all(scope, ctx).filter(({ object }) => selection.matches(object)) };
}
