import { trimBoth } from '../../machinery/trim.js';

/**
 * What a URL asks for, before anything is known about kinds. Mirrors k8s.io/apiserver
 * pkg/endpoints/request/requestinfo.go, whose result is what authorization sees.
 */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly path: string;
  /** Lowercase API verb for resource requests, else the lowercase HTTP method. */
  readonly verb: string;
  readonly apiPrefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  /** Of a list or watch it comes from a metadata.name field selector (requested-fields.ts). */
  readonly name: string;
  /** The verb stands in the path, as in the deprecated /api/v1/watch/pods. */
  readonly verbInPath: boolean;
  /** The parts of the path from the resource on. */
  readonly parts: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const METHOD_VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const NO_PARTS: readonly string[] = [];
const SPECIAL_VERBS = new Set(['proxy', 'watch']);
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** "/a/b/" is [a, b]; "/" is []. */
export const splitPath = (path: string): string[] => {
  const trimmed = trimBoth(path, '/');
  return trimmed === '' ? [] : trimmed.split('/');
};

/** A query value as Go's conversion to bool reads it: only 0 and false are false; present but empty is true. */
export const queryBoolean = (value: string | null | undefined): boolean =>
  value !== null && value !== undefined && value !== '0' && value.toLowerCase() !== 'false';

/** What is known of a path that is about no resource, and of any before it has been read. */
export const infoOfPath = (method: string, path: string): Mutable<RequestInfo> => ({
  isResource: false,
  path,
  verb: method.toLowerCase(),
  apiPrefix: '',
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  verbInPath: false,
  parts: NO_PARTS,
});

/** @throws Error for a special verb without a resource, with upstream's text */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const info = infoOfPath(method, path);
  let parts = splitPath(path);
  const prefix = parts[0];
  if (parts.length < 3 || (prefix !== 'api' && prefix !== 'apis')) return info;
  info.apiPrefix = prefix;
  if (prefix === 'apis') {
    if (parts.length < 4) return info;
    info.group = parts[1] ?? '';
    parts = parts.slice(2);
  } else {
    parts = parts.slice(1);
  }
  info.isResource = true;
  info.version = parts[0] ?? '';
  parts = parts.slice(1);
  const special = parts[0] ?? '';
  if (SPECIAL_VERBS.has(special)) {
    if (parts.length < 2) throw new Error(`unable to determine kind and namespace from url, ${path}`);
    info.verb = special;
    info.verbInPath = true;
    parts = parts.slice(1);
  } else {
    info.verb = METHOD_VERBS[method] ?? '';
  }
  if (parts[0] === 'namespaces' && parts.length > 1) {
    info.namespace = parts[1] ?? '';
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] ?? '')) parts = parts.slice(2);
  }
  info.parts = parts;
  info.resource = parts[0] ?? '';
  info.name = parts[1] ?? '';
  if (info.verb !== 'proxy') info.subresource = parts[2] ?? '';
  if (info.name === '' && info.verb === 'get')
    info.verb = query.has('watch') && queryBoolean(query.get('watch')) ? 'watch' : 'list';
  if (info.name === '' && info.verb === 'delete') info.verb = 'deletecollection';
  return info;
}
