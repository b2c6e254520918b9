import { cloneJson } from '../../machinery/json-equal.js';
import type { Steps } from '../../machinery/steps.js';
import type { Status } from '../../machinery/status.js';
import { patchType } from '../negotiation/media-types.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Answer } from '../pipeline/exchange.js';
import { breathe } from '../registry/scope.js';
import type { WriteResult } from '../registry/types.js';
import { decodePatch, type DecodedPatch } from './decode-patch.js';
import { decodeBody } from './decode-body.js';
import type { Handler } from './handler.js';
import { requestContext } from './request-context.js';
import { writeOptions } from './write-options.js';

const written = (result: WriteResult): Answer => ({
  kind: 'object',
  code: result.created ? 201 : 200,
  object: result.object,
});

export const createObject: Handler = async (exchange, route, context) => {
  const { query, raw } = exchange.request;
  const options = writeOptions('CreateOptions', query, raw.headers['user-agent']);
  await breathe(context);
  const object = await decodeBody(exchange, route, options, context);
  const ctx = requestContext(exchange, context, options);
  const result = await route.registry.create(ctx, route.namespace, object);
  return { kind: 'object', code: 201, object: result.object };
};

export const updateObject: Handler = async (exchange, route, context) => {
  const { query, raw } = exchange.request;
  const options = writeOptions('UpdateOptions', query, raw.headers['user-agent']);
  await breathe(context);
  const object = await decodeBody(exchange, route, options, context);
  const ctx = requestContext(exchange, context, options);
  const { namespace, name, subresource } = route;
  return written(await route.registry.update(ctx, { namespace, name }, object, subresource?.name ?? ''));
};

export const patchObject: Handler = async (exchange, route, context) => {
  const { query, raw } = exchange.request;
  const type = patchType(raw.headers['content-type'], route.entry.schema.strategic !== undefined);
  const options = writeOptions('PatchOptions', query, raw.headers['user-agent'], type);
  const ctx = requestContext(exchange, context, options);
  const { body } = exchange;
  let decoded: DecodedPatch | undefined;
  const request = {
    type,
    raw: body,
    force: options.force,
    /** Called by the registry once it has the object: a missing object is answered before a malformed patch. */
    *decode(): Steps<DecodedPatch> {
      if (decoded !== undefined) return decoded;
      const read = yield* decodePatch(body, type, options.fieldValidation !== 'Ignore');
      exchange.audit?.requested(() => cloneJson(read.patch));
      return (decoded = read);
    },
  };
  const { namespace, name, subresource } = route;
  return written(await route.registry.patch(ctx, { namespace, name }, request, subresource?.name ?? ''));
};

const isStatus = (object: KubeObject | Status): object is Status => object.kind === 'Status';

export const invoke: Handler = async (exchange, route, context) => {
  const { query, raw } = exchange.request;
  const options = writeOptions('CreateOptions', query, raw.headers['user-agent']);
  const body = exchange.body.length === 0 ? undefined : await decodeBody(exchange, route, options, context);
  const ctx = requestContext(exchange, context, options);
  const { namespace, name, subresource, registry } = route;
  const answer = await registry.createSubresource(ctx, { namespace, name }, subresource?.name ?? '', body);
  const { object, code } = answer;
  return isStatus(object) ? { kind: 'status', code, status: object } : { kind: 'object', code, object };
};
