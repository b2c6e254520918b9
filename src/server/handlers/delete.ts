import type { DeleteOptions } from '../../api/strategy.js';
import type { Handler } from './handler.js';
import { decodeOptions } from './decode-body.js';
import { deleteOptions } from './delete-options.js';
import { listQuery } from './read.js';
import { requestContext } from './request-context.js';
import { managerOf } from './write-options.js';
import type { Exchange } from '../pipeline/exchange.js';

const writeOptionsOf = (exchange: Exchange, options: DeleteOptions) => ({
  dryRun: options.dryRun,
  fieldManager: managerOf('', exchange.request.raw.headers['user-agent']),
  fieldValidation: 'Ignore' as const,
});

export const deleteObject: Handler = async (exchange, route, context) => {
  const options = deleteOptions(exchange.request.query, decodeOptions(exchange, 'DeleteOptions', context));
  const ctx = requestContext(exchange, context, writeOptionsOf(exchange, options));
  const { namespace, name } = route;
  const result = await route.registry.delete(ctx, { namespace, name }, options);
  // 202 only for clients that said they would wait; others have always got 200 (apiserver handlers/delete.go).
  const code = !result.deleted && options.orphanDependents === false ? 202 : 200;
  return result.kind === 'object'
    ? { kind: 'object', code, object: result.object }
    : { kind: 'status', code, status: result.status };
};

export const deleteCollection: Handler = async (exchange, route, context) => {
  const { query } = exchange.request;
  const options = deleteOptions(query, decodeOptions(exchange, 'DeleteOptions', context));
  const ctx = requestContext(exchange, context, writeOptionsOf(exchange, options));
  const result = await route.registry.deleteCollection(ctx, route.namespace, options, listQuery(query));
  return { kind: 'list', result };
};
