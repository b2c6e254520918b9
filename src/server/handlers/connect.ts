import { badRequestError, pathNotFoundError } from '../../machinery/status.js';
import type { Handler } from './dispatch.js';
import { requestContext } from './request-context.js';
import { forward } from '../connect/forward.js';
import { tunnel } from '../connect/tunnel.js';

/** Passes a request on to the node that runs the object: log, exec, attach, portforward, proxy. */
export const connect: Handler = async (exchange, route, context) => {
  const { request } = exchange;
  const { namespace, name, subresource, rest } = route;
  const behaviour = subresource === undefined ? undefined : route.entry.strategy.subresources?.[subresource.name];
  if (behaviour?.kind !== 'connect') throw pathNotFoundError();
  const target = behaviour.target(requestContext(exchange, context), { namespace, name }, request.query, rest);
  if (target === undefined) return { kind: 'raw', code: 204, headers: {}, body: '' };
  if (request.upgradeHead !== undefined) {
    await tunnel(exchange, target, context);
    return { kind: 'taken' };
  }
  if (target.upgrade) throw badRequestError('Upgrade request required');
  // So that relative links of a proxied page work (https://issue.k8s.io/4958).
  if (subresource?.name === 'proxy' && rest === '' && (request.method === 'GET' || request.method === 'HEAD')) {
    const query = request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : '';
    return { kind: 'raw', code: 301, headers: { Location: `${request.path}/${query}` }, body: '' };
  }
  await forward(exchange, target, subresource?.name === 'proxy', context);
  return { kind: 'taken' };
};
