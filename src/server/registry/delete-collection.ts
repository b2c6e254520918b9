import { isStatusError } from '../../machinery/status.js';
import type { DeleteOptions, RequestContext } from '../../resources/strategy.js';
import { deleteObject } from './delete.js';
import { validateDeleteOptions } from './delete-options.js';
import { list } from './read.js';
import type { Scope } from './scope.js';
import type { ListQuery, ListResult } from './types.js';

/** Deletions under way at a time, so that the store can commit them together. */
const PARALLEL = 32;

/** DELETE of a collection: what is answered is the list as it was. */
export async function deleteCollection(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  options: DeleteOptions,
  query: ListQuery,
): Promise<ListResult> {
  validateDeleteOptions(options);
  const found = await list(scope, ctx, namespace, query);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = found.items[next++]; item !== undefined; item = found.items[next++]) {
      try {
        await deleteObject(scope, ctx, item.key, options);
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, found.items.length) }, worker));
  return found;
}
