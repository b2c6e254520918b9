export interface RequestUrl {
  /** Names between slashes, decoded. */
  readonly segments: readonly string[];
  readonly url: URL;
}

/**
 * A request target taken apart as it is: nothing in it is resolved, so that what is authorized is what is served.
 * undefined: it is no path, or has dot segments, which mean nothing here. @throws URIError
 */
export function parseRequestUrl(target: string): RequestUrl | undefined {
  if (!target.startsWith('/')) return undefined;
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const query = at < 0 ? '' : target.slice(at);
  const segments = path.slice(1).split('/').map(decodeURIComponent);
  if (segments.some(segment => segment === '.' || segment === '..')) return undefined;
  return { segments, url: new URL(`http://agent/${segments.map(encodeURIComponent).join('/')}${query}`) };
}
