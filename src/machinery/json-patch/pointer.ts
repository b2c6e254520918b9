import { get, isContainer, parseIndex, type Container } from './container.js';
import { failed, goKind, MISSING } from './errors.js';

const unescape = (token: string): string =>
  token.includes('~') ? token.replace(/~[01]/g, escaped => (escaped === '~1' ? '/' : '~')) : token;

/** A member of a container, which it may not have. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

/** The container that a pointer names a member of; undefined: there is none. */
function find(document: Container, pointer: string): Place | undefined {
  const tokens = pointer.split('/');
  if (tokens.length < 2) return undefined;
  let container = document;
  for (let i = 1; i < tokens.length - 1; i++) {
    const token = unescape(tokens[i] ?? '');
    const index = Array.isArray(container) ? parseIndex(token) : undefined;
    const { length } = Array.isArray(container) ? container : { length: 0 };
    if (Array.isArray(container) && (index === undefined || index >= length || index < -length)) return undefined;
    const next = get(container, token);
    if (!isContainer(next)) return undefined;
    container = next;
  }
  return { container, key: unescape(tokens[tokens.length - 1] ?? '') };
}

/** A pointer of an operation, and where it leads. @throws JsonPatchError */
export function locate(
  document: Container,
  pointer: unknown,
  unread: string,
  missing: (pointer: string) => string,
): Place {
  if (typeof pointer !== 'string') throw failed(unread);
  const place = find(document, pointer);
  if (place === undefined) throw failed(`${missing(pointer)}: ${MISSING}`);
  return place;
}

/** What is said of a "path" or "from" that is no text. */
export const unread = (pointer: unknown, absent: string): string =>
  pointer === undefined || pointer === null
    ? absent
    : `json: cannot unmarshal ${goKind(pointer)} into Go value of type string`;
