import { fieldSelectorOf } from '../../machinery/fields.js';
import { badRequestError, notFoundError } from '../../machinery/status.js';
import type { ResourceRoute } from '../pipeline/exchange.js';
import { queryBoolean } from '../pipeline/request-info.js';
import { groupResource } from '../registry/scope.js';
import type { ListQuery, StoredObject } from '../registry/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { Handler } from './handler.js';
import { requestContext } from './request-context.js';

const LIST_PARAMETERS = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'timeoutSeconds',
] as const;

/** The parameters of a list or watch, as they were sent; the registry knows their rules. */
export function listQuery(query: URLSearchParams): ListQuery {
  const found: Partial<Record<(typeof LIST_PARAMETERS)[number], string>> = {};
  for (const name of LIST_PARAMETERS) {
    const value = query.get(name);
    if (value !== null) found[name] = value;
  }
  return found;
}

const exactly = (query: ListQuery, revision: number): ListQuery => ({
  ...query,
  resourceVersion: String(revision),
  resourceVersionMatch: 'Exact',
});

/** An object as it was. */
async function getAsOf(route: ResourceRoute, ctx: RequestContext, revision: number): Promise<StoredObject> {
  const { registry, entry, namespace, name } = route;
  const fieldSelector = fieldSelectorOf([{ field: 'metadata.name', operator: '=', value: name }]).toString();
  const { items } = await registry.list(ctx, namespace, exactly({ fieldSelector }, revision));
  const [found] = items;
  if (found === undefined) throw notFoundError(groupResource(entry.info), name);
  return found;
}

export const getObject: Handler = async (exchange, route, context) => {
  const { registry, namespace, name, subresource } = route;
  const { query: asked } = exchange.request;
  if (asked.has('export') && queryBoolean(asked.get('export')))
    throw badRequestError('the export parameter, deprecated since v1.14, is no longer supported');
  const resourceVersion = asked.get('resourceVersion');
  const query = resourceVersion === null ? {} : { resourceVersion };
  const ctx = requestContext(exchange, context);
  if (exchange.asOf !== undefined && subresource === undefined)
    return { kind: 'object', code: 200, object: await getAsOf(route, ctx, exchange.asOf) };
  const object =
    subresource === undefined
      ? await registry.get(ctx, { namespace, name }, query)
      : await registry.getSubresource(ctx, { namespace, name }, subresource.name, query);
  return { kind: 'object', code: 200, object };
};

export const listObjects: Handler = async (exchange, route, context) => {
  const ctx = requestContext(exchange, context);
  const query = listQuery(exchange.request.query);
  const { resourceVersion = '0', continue: page = '' } = query;
  const old = exchange.asOf !== undefined && resourceVersion === '0' && page === '';
  const result = await route.registry.list(ctx, route.namespace, old ? exactly(query, exchange.asOf ?? 0) : query);
  return { kind: 'list', result };
};
