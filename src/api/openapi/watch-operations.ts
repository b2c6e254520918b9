import type { ResourceInfo } from '../resource-info.js';
import type { Operation } from './operation.js';
import * as parameters from './parameters.js';

const WATCH_EVENT = 'meta.v1.WatchEvent';
const INSTEAD = "deprecated: use the 'watch' parameter with a list operation instead";

/** What the watch operations of a resource have in common with its other ones. */
export interface WatchSubject {
  readonly info: ResourceInfo;
  /** "/apis/apps/v1" */
  readonly base: string;
  /** "AppsV1" */
  readonly words: string;
  readonly tag: string;
}

/** The operations under /watch/, which clients of old used: of a collection, of one object, and of all namespaces. */
export function watchOperations({ info, base, words, tag }: WatchSubject): Operation[] {
  const { kind, plural, namespaced, group, version } = info;
  const scope = namespaced ? 'namespaces/{namespace}/' : '';
  const scoped = `${namespaced ? 'Namespaced' : ''}${kind}`;
  const common = {
    method: 'get',
    tag,
    kind: { group, version, kind },
    query: parameters.watching,
    answer: WATCH_EVENT,
    codes: [200],
    media: 'list',
  } as const;
  const inScope = [...(namespaced ? [parameters.namespace] : []), parameters.pretty];
  const collection: Operation = {
    ...common,
    path: `${base}/watch/${scope}${plural}`,
    operationId: `watch${words}${scoped}List`,
    description: `watch individual changes to a list of ${kind}. ${INSTEAD}.`,
    action: 'watchlist',
    pathParameters: inScope,
  };
  const one: Operation = {
    ...common,
    path: `${collection.path}/{name}`,
    operationId: `watch${words}${scoped}`,
    description: `watch changes to an object of kind ${kind}. ${INSTEAD}, filtered to a single item with the 'fieldSelector' parameter.`,
    action: 'watch',
    pathParameters: [parameters.name(kind), ...inScope],
  };
  const everywhere: Operation = {
    ...collection,
    path: `${base}/watch/${plural}`,
    operationId: `watch${words}${kind}ListForAllNamespaces`,
    pathParameters: [parameters.pretty],
  };
  const read = info.verbs.includes('get') ? [one] : [];
  return namespaced ? [collection, ...read, everywhere] : [collection, ...read];
}
