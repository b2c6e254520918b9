import { badRequestError } from '../../machinery/status.js';
import { queryBoolean } from '../pipeline/request-info.js';
import type { ListQuery } from '../registry/types.js';
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

export const getObject: Handler = async (exchange, route, context) => {
  const { registry, namespace, name, subresource } = route;
  const { query: asked } = exchange.request;
  if (asked.has('export') && queryBoolean(asked.get('export')))
    throw badRequestError('the export parameter, deprecated since v1.14, is no longer supported');
  const resourceVersion = asked.get('resourceVersion');
  const query = resourceVersion === null ? {} : { resourceVersion };
  const ctx = requestContext(exchange, context);
  const object =
    subresource === undefined
      ? await registry.get(ctx, { namespace, name }, query)
      : await registry.getSubresource(ctx, { namespace, name }, subresource.name, query);
  return { kind: 'object', code: 200, object };
};

export const listObjects: Handler = async (exchange, route, context) => {
  const ctx = requestContext(exchange, context);
  const result = await route.registry.list(ctx, route.namespace, listQuery(exchange.request.query));
  return { kind: 'list', result };
};
