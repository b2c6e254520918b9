import {
  badRequestError,
  expiredError,
  internalError,
  notFoundError,
  reasonlessError,
  StatusError,
  tooManyRequestsError,
} from '../../machinery/status.js';
import type { ObjectKey } from '../../machinery/types.js';
import type { Waiter } from '../../machinery/waiter.js';
import type { RequestContext } from '../../api/strategy.js';
import type { CachedObject } from '../../storage/cached-object.js';
import { objectKey, relativeKey } from '../../storage/keys.js';
import type { WatchCache } from '../../storage/watch-cache.js';
import { CompactedError, FutureRevisionError } from '../../storage/kv-store.js';
import { checkKey } from './check-key.js';
import { decodeContinue, encodeContinue } from './continue-token.js';
import { listOptions, type ListOptions } from './list-options.js';
import { parseResourceVersion, tooLargeResourceVersionError, waitForRevision } from './resource-version.js';
import { groupResource, type Newest, type Scope } from './scope.js';
import { selectionOf, type Selection } from './selection.js';
import type { ListQuery, ListResult, StoredObject } from './types.js';
import { UnknownVersionError } from './view.js';

const LIST_EXPIRED = 'The resourceVersion for the provided list is too old.';
const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';

/** GET. A malformed resourceVersion is a plain 500 upstream. */
export async function get(
  scope: Scope,
  ctx: RequestContext,
  key: ObjectKey,
  query: { resourceVersion?: string },
): Promise<StoredObject> {
  checkKey(scope, key);
  const asked = revisionOr(error => reasonlessError(error.message), query.resourceVersion ?? '');
  await waitForRevision(scope, asked, ctx);
  const source = sourceOf(scope, query.resourceVersion ?? '');
  await upToDate(source, ctx, query.resourceVersion ?? '');
  const found = await source.get(key, ctx);
  if (found === undefined) throw notFoundError(groupResource(scope.info), key.name);
  return scope.view.show(found);
}

/** Upstream asks its watch cache for what may be old, and etcd for the newest state and for that of one revision. */
const sourceOf = ({ cache, versions }: Scope, resourceVersion: string, point?: Point): Newest =>
  resourceVersion === '' || (point?.revision ?? 0) > 0 ? versions.newest : cache;

/** No resourceVersion asks for the newest state; any other takes what is there by now. */
export const upToDate = (
  source: Pick<Newest, 'fresh' | 'loaded'>,
  ctx: RequestContext,
  resourceVersion: string,
): Promise<void> => (resourceVersion === '' ? source.fresh(ctx) : source.loaded());

/** What is said of an object of a list that cannot be read. */
const untransformed = (cache: Pick<WatchCache, 'prefix'>, { key, unreadable = '' }: CachedObject): string =>
  `unable to transform key ${JSON.stringify(objectKey(cache.prefix, key))}: ${unreadable}`;

/**
 * Upstream's cache has all objects of a resource or none: with one that cannot be read it never has, and who asks for what
 * the cache has is told to come again. @throws StatusError 429
 */
export function assertCached({ cache, info }: Scope): void {
  const stored = cache.unreadable();
  if (stored === undefined) return;
  // The Go type: of a built-in group, its package is the first part of its name.
  const type = `*${info.group === '' ? 'core' : (info.group.split('.')[0] ?? '')}.${info.kind}`;
  throw tooManyRequestsError(`storage is (re)initializing: failed to list ${type}: ${untransformed(cache, stored)}`, 1);
}

function revisionOr(toStatus: (error: Error) => Error, text: string): number {
  try {
    return parseResourceVersion(text);
  } catch (error) {
    throw toStatus(error as Error);
  }
}

/** Which state a list shows: `revision` 0 is the newest; otherwise exactly that one. */
interface Point {
  readonly revision: number;
  readonly after: string;
  readonly limit: number;
}

/** The table of resourceVersion, resourceVersionMatch, limit and continue (apiserver pkg/storage/util.go). */
async function pointOf(scope: Scope, ctx: RequestContext, options: ListOptions, single: boolean): Promise<Point> {
  const { resourceVersion, resourceVersionMatch: match } = options;
  if (options.continue !== '' && !single) {
    const token = decodeContinue(options.continue);
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw badRequestError('specifying resource version is not allowed when using continue');
    }
    // A cache, which answers resourceVersion 0, ignores the limit.
    const limit = resourceVersion === '0' && token.revision < 0 ? 0 : options.limit;
    return { revision: Math.max(0, token.revision), after: token.after, limit };
  }
  const revision = revisionOr(e => badRequestError(`invalid resource version: ${e.message}`), resourceVersion);
  await waitForRevision(scope, revision, ctx);
  const exact = match === 'Exact' || (match === '' && options.limit > 0 && revision > 0 && !single);
  // "Any" state comes from a cache upstream, which cannot page.
  const unlimited = single || (resourceVersion === '0' && match !== 'Exact');
  return { revision: exact ? revision : 0, after: '', limit: unlimited ? 0 : options.limit };
}

export async function list(
  scope: Scope,
  ctx: RequestContext,
  namespace: string,
  query: ListQuery,
): Promise<ListResult> {
  const options = listOptions(query);
  const selection = selectionOf(scope, options);
  const { info } = scope;
  const single = selection.name !== '' && (namespace !== '' || !info.namespaced);
  const point = await pointOf(scope, ctx, options, single);
  const source = sourceOf(scope, options.resourceVersion, point);
  await upToDate(source, ctx, options.resourceVersion);
  if (options.resourceVersion === '0') assertCached(scope);
  const revision = point.revision === 0 ? source.revision() : point.revision;
  const reading: Reading = { scope, source, waiter: ctx };
  try {
    if (point.revision === 0 && single) return await one(reading, namespace, revision, selection);
    return await select(reading, namespace, { ...point, revision }, selection);
  } catch (error) {
    // Upstream lists from a cache, which never becomes ready with such an object in it.
    if (error instanceof UnknownVersionError) throw initializingError();
    if (error instanceof FutureRevisionError) throw tooLargeResourceVersionError(error.requested, error.current);
    if (!(error instanceof CompactedError)) throw error;
    if (options.continue === '' || single) throw expiredError(LIST_EXPIRED);
    throw expiredError(CONTINUE_EXPIRED, encodeContinue({ revision: -1, after: point.after }));
  }
}

const initializingError = (): StatusError =>
  new StatusError(429, 'TooManyRequests', 'storage is (re)initializing', { retryAfterSeconds: 1 });

interface Reading {
  readonly scope: Scope;
  readonly source: Newest;
  readonly waiter: Waiter;
}

async function one(
  { scope, source, waiter }: Reading,
  namespace: string,
  revision: number,
  selection: Selection,
): Promise<ListResult> {
  const found = await source.get({ namespace, name: selection.name }, waiter);
  const items = found === undefined ? [] : [scope.view.show(found)].filter(item => selection.matches(item.object));
  return { resourceVersion: String(revision), items };
}

/** Objects fetched at a time when only some of them will match. */
const CHUNK = 500;

async function select(
  { scope, source, waiter }: Reading,
  namespace: string,
  point: Point,
  selection: Selection,
): Promise<ListResult> {
  const { cache, view, turns } = scope;
  // Nothing is made or looked at.
  const cheap = view.asIs && selection.everything;
  const unreadable = cache.unreadable() !== undefined;
  const items: StoredObject[] = [];
  let after = point.after;
  for (;;) {
    const chunk = point.limit === 0 ? 0 : selection.everything ? point.limit : Math.max(CHUNK, point.limit);
    const page = await source.page(namespace, point.revision, after, chunk, waiter);
    if (cheap && !unreadable) {
      if (page.remaining > 0) return partial(namespace, point, selection, page.items, page.remaining);
      return { resourceVersion: String(point.revision), items: page.items };
    }
    let left = page.items.length + page.remaining;
    for (const stored of page.items) {
      left--;
      if (turns.isOver()) await turns.next();
      if (unreadable && stored.unreadable !== undefined) throw internalError(untransformed(cache, stored));
      const item = view.show(stored);
      if (!selection.everything && !selection.matches(item.object)) continue;
      items.push(item);
      if (items.length === point.limit && left > 0) return partial(namespace, point, selection, items, left);
    }
    const last = page.items.at(-1);
    if (page.remaining === 0 || last === undefined) return { resourceVersion: String(point.revision), items };
    after = relativeTo(namespace, last);
  }
}

function partial(
  namespace: string,
  point: Point,
  selection: Selection,
  items: readonly StoredObject[],
  remaining: number,
): ListResult {
  const last = items.at(-1) as StoredObject;
  return {
    resourceVersion: String(point.revision),
    continue: encodeContinue({ revision: point.revision, after: relativeTo(namespace, last) }),
    // How many of the rest match is not known.
    ...(selection.everything ? { remainingItemCount: remaining } : {}),
    items,
  };
}

const relativeTo = (namespace: string, object: Pick<CachedObject, 'key'>): string =>
  namespace === '' ? relativeKey(object.key) : object.key.name;
