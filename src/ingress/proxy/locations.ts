import type { RequestPath } from '../routing/request-path.js';
import type { PathChange, Redirect } from '../routing/route.js';

/** The path that a request goes on with: another one, or what the rule's prefix has left behind another prefix. */
export function changedPath({ elements, text }: RequestPath, prefix: number | undefined, change: PathChange): string {
  if (change.kind === 'full' || prefix === undefined) return change.path || '/';
  const begin = change.path.endsWith('/') ? change.path.slice(0, -1) : change.path;
  const rest = elements.slice(prefix).map(element => `/${encodeURIComponent(element)}`);
  const end = rest.length > 0 && text.endsWith('/') ? '/' : '';
  return `${begin}${rest.join('')}${end}` || '/';
}

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** A host as it stands in a URL. */
export const urlHost = (name: string): string => (name.includes(':') ? `[${name}]` : name);

/** Where a client is sent to. `port`: of the listener that it came to. */
export function redirectLocation(
  redirect: Redirect,
  asked: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number },
  path: string,
): string {
  const scheme = redirect.scheme ?? asked.scheme;
  const port = redirect.port ?? (redirect.scheme === undefined ? asked.port : DEFAULT_PORT[scheme]);
  const authority = `${urlHost(redirect.host ?? asked.host)}${port === DEFAULT_PORT[scheme] ? '' : `:${port}`}`;
  return `${scheme}://${authority}${path}`;
}
