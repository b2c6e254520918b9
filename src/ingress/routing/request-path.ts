/** A request's path as rules are asked about it: decoded, without empty and dotted elements. */
export interface RequestPath {
  /** "/a/b", "/a/b/", "/" */
  readonly text: string;
  /** "a", "b" */
  readonly elements: readonly string[];
}

/**
 * What a request's target asks for. The way to a backend is chosen by what the path means, not by how it is written: "/a/../b" is "/b", and
 * so is "/%62". Undefined: it is no path, or leads above the root.
 */
export function requestPath(target: string): RequestPath | undefined {
  if (!target.startsWith('/')) return undefined;
  const query = target.indexOf('?');
  let decoded: string;
  try {
    decoded = decodeURIComponent(query < 0 ? target : target.slice(0, query));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
  if (decoded.includes('\0')) return undefined;
  const parts = decoded.split('/');
  const elements: string[] = [];
  for (const part of parts)
    if (part === '..') {
      if (elements.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') elements.push(part);
  const last = parts.at(-1);
  const isFolder = elements.length > 0 && (last === '' || last === '.' || last === '..');
  return { text: `/${elements.join('/')}${isFolder ? '/' : ''}`, elements };
}

/** The elements of a rule's path. */
export const elementsOf = (path: string): string[] => path.split('/').filter(part => part !== '');

/** The query with its "?", or nothing. */
export function queryOf(target: string): string {
  const at = target.indexOf('?');
  return at < 0 ? '' : target.slice(at);
}
