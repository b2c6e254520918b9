import type { HeaderChange, PathChange, Redirect, Route } from '../routing/route.js';
import type { Filter, HeaderFilter, PathModifier } from './types.js';

/** What filters make of a request and its answer. */
export type Filtered = Pick<Route, 'requestHeaders' | 'responseHeaders' | 'redirect' | 'rewrite'>;

/** A rule that asks for what is not served. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

/** As headers may have them: nothing that begins a line of its own. */
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** Who the request is for and how long it is are not a filter's to say. */
const FIXED: ReadonlySet<string> = new Set(['connection', 'content-length', 'host', 'transfer-encoding', 'upgrade']);

function changeOf({ set = [], add = [], remove = [] }: HeaderFilter): HeaderChange {
  const values = (list: NonNullable<HeaderFilter['set']>): HeaderChange['set'] =>
    list.map(({ name, value }) => {
      const lower = name.toLowerCase();
      if (FIXED.has(lower)) throw new Unsupported(`header ${name} cannot be changed`);
      if (!VALUE.test(value)) throw new Unsupported(`the value of header ${name} is none`);
      return { name: lower, value };
    });
  return { set: values(set), add: values(add), remove: remove.map(name => name.toLowerCase()) };
}

/** A path as a URL has it. */
function pathOf({ type, replaceFullPath, replacePrefixMatch }: PathModifier): PathChange {
  const [kind, path] =
    type === 'ReplaceFullPath'
      ? (['full', replaceFullPath ?? '/'] as const)
      : (['prefix', replacePrefixMatch ?? '/'] as const);
  const absolute = (path.startsWith('/') || path === '' ? path : `/${path}`).toWellFormed();
  return { kind, path: encodeURI(absolute).replaceAll('%25', '%').replaceAll('?', '%3F').replaceAll('#', '%23') };
}

function redirectOf({
  scheme,
  hostname,
  path,
  port,
  statusCode = 302,
}: NonNullable<Filter['requestRedirect']>): Redirect {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    throw new Unsupported(`scheme ${scheme} of a redirect`);
  return {
    status: statusCode,
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { host: hostname }),
    ...(port === undefined ? {} : { port }),
    ...(path === undefined ? {} : { path: pathOf(path) }),
  };
}

/** @throws Unsupported */
export function filtered(filters: readonly Filter[] = []): Filtered {
  let result: Filtered = {};
  for (const { type, requestHeaderModifier, responseHeaderModifier, requestRedirect, urlRewrite } of filters)
    if (type === 'RequestHeaderModifier' && requestHeaderModifier !== undefined)
      result = { ...result, requestHeaders: changeOf(requestHeaderModifier) };
    else if (type === 'ResponseHeaderModifier' && responseHeaderModifier !== undefined)
      result = { ...result, responseHeaders: changeOf(responseHeaderModifier) };
    else if (type === 'RequestRedirect' && requestRedirect !== undefined)
      result = { ...result, redirect: redirectOf(requestRedirect) };
    else if (type === 'URLRewrite' && urlRewrite !== undefined) {
      const { hostname, path } = urlRewrite;
      const rewrite = {
        ...(hostname === undefined ? {} : { host: hostname }),
        ...(path === undefined ? {} : { path: pathOf(path) }),
      };
      result = { ...result, rewrite };
    } else throw new Unsupported(`filter ${type}`);
  return result;
}
