import { badRequestError, notFoundError, StatusError } from '../../machinery/status.js';
import type { CatalogEntry } from '../../api/catalog.js';
import type { SubresourceInfo } from '../../api/resource-info.js';
import type { ApiContext } from './context.js';
import type { ResourceAction, ResourceRoute } from './exchange.js';
import type { RequestInfo } from './request-info.js';

const ACTIONS: ReadonlySet<string> = new Set<ResourceAction>([
  ...(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'] as const),
]);
const PART_ACTIONS: ReadonlySet<string> = new Set<ResourceAction>(['get', 'update', 'patch']);
/** May be asked of all namespaces at once. */
const EVERYWHERE: ReadonlySet<string> = new Set<ResourceAction>(['list', 'watch']);
const NAMED: ReadonlySet<string> = new Set<ResourceAction>(['get', 'update', 'patch', 'delete']);

/**
 * The way to a kind that is known at run time only, for which upstream looks at the request's verb and nothing else. What
 * stands behind a subresource is not looked at, and a POST to an object is one to its collection. undefined: the path is
 * not the kind's. Source: apiextensions-apiserver pkg/apiserver/customresource_handler.go.
 * @throws StatusError 400, 404, 405
 */
export function dynamicRoute(entry: CatalogEntry, info: RequestInfo, context: ApiContext): ResourceRoute | undefined {
  const { namespaced } = entry.info;
  const { verb, namespace, name } = info;
  if (namespace !== '' ? !namespaced : namespaced && !EVERYWHERE.has(verb)) return undefined;
  const subresource = subresourceOf(entry, info);
  const actions = subresource === undefined ? ACTIONS : PART_ACTIONS;
  if (!actions.has(verb)) throw unsupported(entry, verb);
  if (NAMED.has(verb) && name === '') throw badRequestError('name must be provided');
  return {
    kind: 'resource',
    action: verb as ResourceAction,
    entry,
    registry: context.registryOf(entry),
    subresource,
    namespace,
    name: verb === 'create' ? '' : name,
    rest: '',
  };
}

function subresourceOf(entry: CatalogEntry, { subresource, name }: RequestInfo): SubresourceInfo | undefined {
  if (subresource === '') return undefined;
  const found = entry.info.subresources.find(one => one.name === subresource);
  const { group, plural: resource } = entry.info;
  if (found === undefined) throw notFoundError({ group, resource }, name);
  return found;
}

function unsupported({ info }: CatalogEntry, verb: string): StatusError {
  const { group, plural } = info;
  const message = `${verb} is not supported on resources of kind "${plural}.${group}"`;
  return new StatusError(405, 'MethodNotAllowed', message, { group, kind: plural });
}
