import { methodNotAllowedError, pathNotFoundError } from '../../machinery/status.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { SubresourceInfo, Verb } from '../../api/resource-info.js';
import { pathBelow } from '../connect/proxy-path.js';
import { dynamicRoute } from './dynamic-routes.js';
import type { ApiContext } from './context.js';
import type { Answer, DocumentRoute, Exchange, ResourceAction, ResourceRoute, Route } from './exchange.js';
import { splitPath, type RequestInfo } from './request-info.js';

/** Text of every path that no part of the server claims. */
export const plainNotFound = (): Answer => ({
  kind: 'raw',
  code: 404,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
  body: '404 page not found\n',
});

const NOT_FOUND: DocumentRoute = { kind: 'document', negotiated: false, handle: plainNotFound };

interface ApiPath {
  readonly namespace: string;
  readonly namespaced: boolean;
  readonly watchPrefix: boolean;
  /** [resource, name, subresource, ...] */
  readonly parts: readonly string[];
}

function apiPath(info: RequestInfo): ApiPath {
  const all = splitPath(info.path).slice(info.apiPrefix === 'api' ? 2 : 3);
  const watchPrefix = all[0] === 'watch';
  const tokens = watchPrefix ? all.slice(1) : all;
  const namespaced = tokens.length !== info.parts.length;
  return { namespace: namespaced ? info.namespace : '', namespaced, watchPrefix, parts: info.parts };
}

const ITEM_ACTIONS: Readonly<Record<string, ResourceAction & Verb>> = {
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const SUBRESOURCE_VERBS: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  OPTIONS: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function collectionAction(method: string, watch: boolean): (ResourceAction & Verb) | undefined {
  if (method === 'GET') return watch ? 'watch' : 'list';
  if (method === 'POST') return 'create';
  return method === 'DELETE' ? 'deletecollection' : undefined;
}

function subresourceAction(
  entry: CatalogEntry,
  info: SubresourceInfo,
  method: string,
  parts: readonly string[],
): ResourceAction {
  const behaviour = entry.strategy.subresources?.[info.name];
  const connect = behaviour?.kind === 'connect';
  // Only a proxy has paths below it.
  if (parts.length > 3 && !(connect && info.name === 'proxy')) throw pathNotFoundError();
  const verb = SUBRESOURCE_VERBS[method];
  const beyondVerbs = method === 'HEAD' || method === 'OPTIONS';
  if (verb === undefined || !info.verbs.includes(verb) || (beyondVerbs && info.name !== 'proxy'))
    throw methodNotAllowedError();
  if (connect) return 'connect';
  if (verb === 'create') return 'invoke';
  if (method !== 'GET' && verb === 'get') throw methodNotAllowedError();
  return verb === 'get' || verb === 'update' || verb === 'patch' ? verb : 'delete';
}

interface Target {
  readonly action: ResourceAction;
  readonly subresource?: SubresourceInfo;
  readonly name: string;
}

function target(entry: CatalogEntry, path: ApiPath, method: string, info: RequestInfo): Target {
  const { verbs, namespaced } = entry.info;
  const [, name = '', sub] = path.parts;
  const everywhere = namespaced && !path.namespaced;
  if (!namespaced && path.namespaced) throw pathNotFoundError();
  if (path.watchPrefix) {
    if (sub !== undefined || !verbs.includes('watch') || (everywhere && name !== '')) throw pathNotFoundError();
    if (method !== 'GET') throw methodNotAllowedError();
    return { action: 'watch', name };
  }
  if (name === '' && sub === undefined) {
    if (everywhere && !verbs.includes('list')) throw pathNotFoundError();
    const action = collectionAction(method, info.verb === 'watch');
    if (action === undefined || !verbs.includes(action)) throw methodNotAllowedError();
    if (everywhere && method !== 'GET') throw methodNotAllowedError();
    return { action, name: '' };
  }
  if (everywhere) throw pathNotFoundError();
  if (sub === undefined) {
    if (!Object.values(ITEM_ACTIONS).some(v => verbs.includes(v))) throw pathNotFoundError();
    const action = ITEM_ACTIONS[method];
    if (action === undefined || !verbs.includes(action)) throw methodNotAllowedError();
    return { action, name };
  }
  const subresource = entry.info.subresources.find(s => s.name === sub);
  if (subresource === undefined) throw pathNotFoundError();
  return { action: subresourceAction(entry, subresource, method, path.parts), subresource, name };
}

function resourceRoute(exchange: Exchange, context: ApiContext): ResourceRoute {
  const { info, request } = exchange;
  const path = apiPath(info);
  const entry = context.catalog.find(info.group, info.version, path.parts[0] ?? '');
  if (entry === undefined) throw pathNotFoundError();
  const found = target(entry, path, request.method, info);
  return {
    kind: 'resource',
    entry,
    registry: context.registryOf(entry),
    action: found.action,
    subresource: found.subresource,
    namespace: path.namespace,
    name: found.name,
    rest: found.action === 'connect' ? pathBelow(request.url, info.parts.length - 3) : '',
  };
}

const isBuiltIn = ({ info }: CatalogEntry): boolean => info.dynamic !== true;

const isBuiltInGroup = ({ catalog }: ApiContext, group: string): boolean =>
  catalog.groupVersions().some(gv => gv.group === group && catalog.served(group, gv.version).some(isBuiltIn));

/**
 * Upstream's director: paths of a group-version that another server serves are that one's; paths under a known API
 * group are answered by that group (404 and 405 as Status), all others by documents, or as plain text when nothing
 * claims them.
 * @throws StatusError 404, 405
 */
export function findRoute(exchange: Exchange, context: ApiContext): Route {
  const { info } = exchange;
  // The router compares paths as they are: what begins with two slashes is under no API.
  if (info.path.startsWith('//')) return NOT_FOUND;
  const elsewhere = context.elsewhere?.(info.path);
  if (elsewhere !== undefined) return elsewhere;
  const document = context.documents(info.path);
  if (document !== undefined) return document;
  const [prefix, group = ''] = splitPath(info.path);
  if (prefix === 'apis' && info.isResource) {
    const entry = context.catalog.find(group, info.version, info.resource);
    if (entry?.info.dynamic === true) return dynamicRoute(entry, info, context) ?? NOT_FOUND;
  }
  if (prefix === 'api' || (prefix === 'apis' && group !== '' && isBuiltInGroup(context, group))) {
    if (!info.isResource) throw pathNotFoundError();
    return resourceRoute(exchange, context);
  }
  return NOT_FOUND;
}
