import { posix } from 'node:path';

const withoutQuery = (path: string): string => (path.includes('?') ? path.slice(0, path.indexOf('?')) : path);

/** What stands before a proxied server's own path in the path that the client asked for. Both may end in a slash. */
export function proxyPrefix(requested: string, backend: string): string {
  let own: string;
  try {
    own = decodeURIComponent(withoutQuery(backend));
  } catch {
    // Bytes that are no UTF-8: the requested path has been read otherwise, so that its end cannot be compared.
    return requested;
  }
  if (requested.endsWith('/') && !own.endsWith('/')) own += '/';
  return requested.endsWith(own) ? requested.slice(0, requested.length - own.length) : requested;
}

/** X-Forwarded-Uri: the path on the client's side. */
export function forwardedUri(prefix: string, backend: string): string {
  const path = withoutQuery(backend);
  const joined = posix.normalize(`${encodeURI(prefix)}/${path}`);
  if (!path.endsWith('/')) return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
  return joined.endsWith('/') ? joined : `${joined}/`;
}
