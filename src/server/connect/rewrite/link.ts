import { posix } from 'node:path';

export interface LinkContext {
  /** Path of the proxy, without a slash at its end. */
  readonly prefix: string;
  /** "address:port" of the proxied server. */
  readonly backend: string;
  /** The host that the client asked. */
  readonly requested: string;
}

/** A link as it has to be written for the client. */
export type LinkRewriter = (link: string) => string;

interface Link {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  /** Query and fragment. */
  readonly rest: string;
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:/;

const CONTROL = /[\u0000-\u001f\u007f]/;

/** undefined: not a URL, or one without hierarchy (mailto:). */
function parse(text: string): Link | undefined {
  if (CONTROL.test(text)) return undefined;
  const scheme = SCHEME.exec(text)?.[0] ?? '';
  const afterScheme = text.slice(scheme.length);
  if (scheme !== '' && !afterScheme.startsWith('/')) return undefined;
  const end = afterScheme.search(/[?#]/);
  const hierarchy = end < 0 ? afterScheme : afterScheme.slice(0, end);
  const rest = end < 0 ? '' : afterScheme.slice(end);
  if (!hierarchy.startsWith('//')) return { scheme, host: '', path: hierarchy, rest };
  const slash = hierarchy.indexOf('/', 2);
  const authority = slash < 0 ? hierarchy.slice(2) : hierarchy.slice(2, slash);
  return {
    scheme,
    host: authority.slice(authority.lastIndexOf('@') + 1),
    path: slash < 0 ? '' : hierarchy.slice(slash),
    rest,
  };
}

/** apimachinery util/proxy Transport.rewriteURL: what means the proxied server is led through the proxy. */
export const linkRewriter =
  ({ prefix, backend, requested }: LinkContext): LinkRewriter =>
  text => {
    const link = parse(text);
    if (link === undefined) return text;
    const { host, path, rest } = link;
    const elsewhere = host !== '' && host !== backend && host !== requested;
    if (elsewhere || !path.startsWith('/')) return text;
    const origin = host !== '' && host === requested ? `${link.scheme}//${host}` : '';
    if (path.startsWith(prefix)) return `${origin}${path}${rest}`;
    const joined = posix.normalize(`${prefix}/${path}`);
    const slash = path.endsWith('/') && !joined.endsWith('/') ? '/' : '';
    return `${origin}${joined}${slash}${rest}`;
  };
