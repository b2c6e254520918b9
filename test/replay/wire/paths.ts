/** Paths of recordings: `a.b`, `a[0]`, `a["x.y"]`, `a[name=b]`, `a[*].b`. */
type Part =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'where'; readonly path: string; readonly value: string }
  | { readonly kind: 'all' };

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

function partOf(text: string): Part {
  if (text === '*' || text === '[*]') return { kind: 'all' };
  if (!text.startsWith('[')) return { kind: 'key', key: text };
  const inner = text.slice(1, -1);
  if (inner.startsWith('"')) return { kind: 'key', key: JSON.parse(inner) as string };
  const at = inner.indexOf('=');
  return at > 0 ? { kind: 'where', path: inner.slice(0, at), value: inner.slice(at + 1) } : { kind: 'key', key: inner };
}

const partsOf = (path: string): Part[] => (path.match(/\[[^\]]+\]|[^.[\]]+/g) ?? []).map(partOf);

/** The keys that a part means in a value. */
function keysOf(value: Tree, part: Part): string[] {
  switch (part.kind) {
    case 'all':
      return Object.keys(value);
    case 'key':
      return [part.key];
    case 'where':
      return Object.keys(value).filter(key => String(getAt(value[key], part.path)) === part.value);
  }
}

/** The first value there; undefined: none. */
export function getAt(value: unknown, path: string): unknown {
  let found = value;
  for (const part of partsOf(path)) {
    if (!isTree(found)) return undefined;
    const [key] = keysOf(found, part);
    if (key === undefined) return undefined;
    found = found[key];
  }
  return found;
}

function eachAt(value: unknown, parts: readonly Part[], visit: (holder: Tree, key: string) => void): void {
  const [part, ...rest] = parts;
  if (!isTree(value) || part === undefined) return;
  for (const key of keysOf(value, part))
    if (rest.length === 0) visit(value, key);
    else eachAt(value[key], rest, visit);
}

/** Makes what is missing on the way; null removes. */
export function setAt(value: object, path: string, to: unknown): void {
  let holder = value as Tree;
  const keys = partsOf(path).map(part => (part.kind === 'key' ? part.key : ''));
  const last = keys.pop() ?? '';
  for (const key of keys) holder = (holder[key] ??= {}) as Tree;
  if (to === null) delete holder[last];
  else holder[last] = to;
}

/** Items of a list keep their places. */
export function removeAt(value: unknown, path: string): void {
  eachAt(value, partsOf(path), (holder, key) => {
    if (Array.isArray(holder)) holder[Number(key)] = null;
    else delete holder[key];
  });
}

/** What a list is ordered by when its order does not matter: names, or what does not change from run to run. */
function sortKey(item: unknown): string {
  const name = getAt(item, 'metadata.name');
  if (typeof name === 'string') return name;
  const inner = getAt(item, 'object.metadata.name');
  if (typeof inner === 'string') return `${inner} ${String(getAt(item, 'type'))}`;
  return JSON.stringify(item)
    .replace(/<(\w+):\d+>/g, '<$1>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>')
    .replace(/"resourceVersion":"[^"]*"/g, '')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
}

const byKey = <T>(list: T[], keyOf: (item: T) => string): T[] =>
  list.sort((a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  });

/** '' is the value itself. */
export function sortAt(value: unknown, path: string): void {
  const root = { '': value };
  eachAt(root, [{ kind: 'key', key: '' }, ...partsOf(path)], (holder, key) => {
    const list = holder[key];
    if (Array.isArray(list)) byKey(list as unknown[], sortKey);
  });
}

/** The order of managedFields depends on how many seconds passed between writes. */
export function sortManagedFields(value: unknown): void {
  if (!isTree(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    sortManagedFields(inner);
    if (key === 'managedFields' && Array.isArray(inner))
      byKey(inner as Tree[], e =>
        JSON.stringify([e['operation'], e['manager'], e['apiVersion'], e['subresource'] ?? '']),
      );
  }
}
