import { isStatusError } from '../../machinery/status.js';
import type { DeleteOptions, RequestContext } from '../../api/strategy.js';
import { deleteObject } from './delete.js';
import { validateDeleteOptions } from './delete-options.js';
import { list } from './read.js';
import type { Scope } from './scope.js';
import type { ListQuery, ListResult, StoredObject } from './types.js';

/** Deletions under way at a time, so that the store can commit them together. */
const PARALLEL = 32;

/**
 * Without a limit the collection is read in pages of this size, which matters even when there is only one: with a limit,
 * a resourceVersion means exactly that state.
 */
const PAGE = '10000';

const isZero = (limit: string | undefined): boolean => limit === undefined || /^[+-]?0+$/.test(limit);

/** DELETE of a collection: what is answered is the list as it was. */
export async function deleteCollection(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  options: DeleteOptions,
  query: ListQuery,
): Promise<ListResult> {
  validateDeleteOptions(options);
  const limited = !isZero(query.limit);
  let page = await list(scope, ctx, namespace, limited ? query : { ...query, limit: PAGE });
  await deleteAll(scope, ctx, namespace, page.items, options);
  if (limited) return page;
  const { continue: _next, remainingItemCount: _count, ...found } = page;
  const items = [...page.items];
  while (page.continue !== undefined) {
    const { resourceVersion: _revision, resourceVersionMatch: _match, ...rest } = query;
    page = await list(scope, ctx, namespace, { ...rest, limit: PAGE, continue: page.continue });
    await deleteAll(scope, ctx, namespace, page.items, options);
    for (const item of page.items) items.push(item);
  }
  return { ...found, items };
}

async function deleteAll(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  items: readonly StoredObject[],
  options: DeleteOptions,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      if (scope.turns.isOver()) await scope.turns.next();
      try {
        await deleteObject(scope, ctx, { namespace, name: item.key.name }, options, 'of a collection');
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
  };
  // Watchers see a few go in their order, as upstream's one worker has it.
  const workers = items.length <= PARALLEL ? 1 : PARALLEL;
  await Promise.all(Array.from({ length: workers }, worker));
}
