import { expiredError, isStatusError, reasonlessError } from '../../machinery/status.js';
import type { RequestContext } from '../../api/strategy.js';
import { watchOptions, type ListOptions } from './list-options.js';
import { assertCached, upToDate } from './read.js';
import { parseResourceVersion, waitForRevision } from './resource-version.js';
import type { WatchStart } from './initial-events.js';
import { runWatch } from './run-watch.js';
import type { Scope } from './scope.js';
import { selectionOf } from './selection.js';
import type { ListQuery, RegistryWatch, RegistryWatchEvent, WatchListener } from './types.js';

function startOf(scope: Scope, namespace: string, options: ListOptions, revision: number): WatchStart {
  const { cache } = scope;
  const mark = options.sendInitialEvents === true;
  if (mark) {
    return { revision: cache.revision(), objects: cache.list(namespace), missed: [], mark };
  }
  if (revision === 0) return { revision: cache.revision(), objects: [], missed: [], mark };
  const missed = cache.since(revision);
  if (missed === undefined) throw expiredError(`too old resource version: ${revision} (${cache.oldest()})`);
  const own = missed.filter(e => namespace === '' || e.object.key.namespace === namespace);
  return { revision, objects: [], missed: own, mark };
}

/**
 * Opens a watch. Nothing is delivered before the promise has resolved and its continuation has run. Problems found
 * after the request was understood (410, 504) are delivered as ERROR events, as upstream does.
 * @throws StatusError 400, 422, 500
 */
export async function watch(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  query: ListQuery,
  listener: WatchListener,
): Promise<RegistryWatch> {
  const options = watchOptions(query);
  const selection = selectionOf(scope, options);
  const asked = askedRevision(options);
  assertCached(scope);
  let start: WatchStart;
  try {
    if (options.sendInitialEvents === true) await waitForRevision(scope, asked, ctx);
    await upToDate(scope.cache, ctx, options.resourceVersion);
    start = startOf(scope, namespace, options, asked);
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return failed(error.status, listener);
  }
  return runWatch(scope, ctx, namespace, options, selection, start, listener);
}

function askedRevision(options: ListOptions): number {
  try {
    return parseResourceVersion(options.resourceVersion);
  } catch (error) {
    throw reasonlessError((error as Error).message);
  }
}

function failed(
  status: Extract<RegistryWatchEvent, { type: 'ERROR' }>['status'],
  listener: WatchListener,
): RegistryWatch {
  let stopped = false;
  setImmediate(() => {
    if (stopped) return;
    listener.events([{ type: 'ERROR', status }]);
    listener.end();
  });
  return {
    stop: () => {
      stopped = true;
    },
  };
}
