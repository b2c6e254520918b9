import {
  escapedPath,
  formatUrl,
  hostnameOf,
  hostOf,
  parseRequestUri,
  parseUrl,
  portOf,
  queryOf,
  type GoUrl,
} from '../../go-url.js';
import type { Declaration, Example, Library } from '../declarations.js';
import { scaleRange } from '../ranges.js';
import { BOOL, listOf, mapOf, STRING, struct, type Type } from '../types.js';
import { ArrayList, CelError, EntryMap, type OpaqueValue, type Value } from '../values.js';
import { TEXT_COST } from '../standard/sizes.js';
import { copiesFirst, method, NOMINAL } from './overloads.js';
import { overload } from '../standard/overload.js';

/** Source: k8s.io/apiserver pkg/cel/library/urls.go, pkg/cel/url.go. */
const URL_TYPE = struct('kubernetes.URL');

export class UrlValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = URL_TYPE;
  constructor(readonly url: GoUrl) {}
  equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && formatUrl(this.url) === formatUrl(other.url);
  }
}

function toUrl(text: string): Value {
  // Asked twice, as upstream does: the first one knows no fragments and refuses what is relative.
  const request = parseRequestUri(text);
  const url = typeof request === 'string' ? request : parseUrl(text);
  return typeof url === 'string'
    ? new CelError(`URL parse error during conversion from string: ${url}`)
    : new UrlValue(url);
}

function query({ url }: UrlValue): Value {
  const map = new EntryMap();
  for (const [key, values] of queryOf(url)) map.add(key, new ArrayList(values));
  return map;
}

const part = (
  name: string,
  id: string,
  doc: string,
  read: (url: UrlValue) => Value,
  examples: readonly Example[],
  type: Type = STRING,
): Declaration => ({ name, doc, examples, overloads: [method(id, [URL_TYPE], type, read, NOMINAL)] });

export const URLS: Library = {
  name: 'kubernetes.urls',
  types: [
    {
      type: URL_TYPE,
      doc: 'A URL.',
      isIdentifier: false,
      equalityCost: 1,
      estimateEquality: (_left, right) => {
        const most = right.size?.max ?? 1;
        return scaleRange({ min: 1, max: most }, TEXT_COST);
      },
    },
  ],
  functions: [
    {
      name: 'url',
      doc: 'Reads a URL, which must be absolute or an absolute path.',
      examples: [
        { expr: `url('https://user:pass@example.com:80/path?query=val#fragment').getHost()`, is: `'example.com:80'` },
        { expr: `url('/absolute-path') == url('/absolute-path')`, is: 'true' },
        {
          expr: `url('https://a:b:c/')`,
          error: 'URL parse error during conversion from string: parse "https://a:b:c/": invalid port ":c" after host',
        },
        {
          expr: `url('../relative-path')`,
          error: 'URL parse error during conversion from string: parse "../relative-path": invalid URI for request',
        },
      ],
      overloads: [overload('string_to_url', [STRING], URL_TYPE, toUrl, copiesFirst())],
    },
    {
      name: 'isURL',
      doc: 'Whether url() can read it.',
      examples: [
        { expr: `isURL('https://example.com/')`, is: 'true' },
        { expr: `isURL('/absolute-path')`, is: 'true' },
        { expr: `isURL('https://a:b:c/')`, is: 'false' },
        { expr: `isURL('../relative-path')`, is: 'false' },
      ],
      overloads: [
        overload('is_url_string', [STRING], BOOL, (text: string) => typeof parseRequestUri(text) !== 'string'),
      ],
    },
    part('getScheme', 'url_get_scheme', 'The scheme, or an empty text.', ({ url }) => url.scheme, [
      { expr: `url('/path').getScheme()`, is: `''` },
      { expr: `url('HTTPS://example.com/').getScheme()`, is: `'https'` },
    ]),
    part('getHost', 'url_get_host', 'The host with its port, an IPv6 address in brackets.', ({ url }) => hostOf(url), [
      { expr: `url('https://[::1]:80/').getHost()`, is: `'[::1]:80'` },
      { expr: `url('/path').getHost()`, is: `''` },
    ]),
    part('getHostname', 'url_get_hostname', 'The host alone.', ({ url }) => hostnameOf(url), [
      { expr: `url('https://[::1]:80/').getHostname()`, is: `'::1'` },
      { expr: `url('https://example.com:80/').getHostname()`, is: `'example.com'` },
    ]),
    part('getPort', 'url_get_port', 'The port, or an empty text.', ({ url }) => portOf(url), [
      { expr: `url('https://example.com:80/').getPort()`, is: `'80'` },
      { expr: `url('https://example.com/').getPort()`, is: `''` },
    ]),
    part('getEscapedPath', 'url_get_escaped_path', 'The path, escaped.', ({ url }) => escapedPath(url), [
      { expr: `url('https://example.com/with space/').getEscapedPath()`, is: `'/with%20space/'` },
      { expr: `url('https://example.com').getEscapedPath()`, is: `''` },
    ]),
    part(
      'getQuery',
      'url_get_query',
      'The parameters of the query, each with all of its values.',
      query,
      [
        { expr: `url('https://example.com/path?k1=a&k2=b&k2=c').getQuery()`, is: `{'k1': ['a'], 'k2': ['b', 'c']}` },
        { expr: `url('https://example.com/path?').getQuery()`, is: '{}' },
      ],
      mapOf(STRING, listOf(STRING)),
    ),
  ],
};
