import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One field of a type that a client can set in an object of a served kind. */
export interface SchemaField {
  /** E.g. "core.v1.PodSpec". */
  readonly type: string;
  readonly field: string;
}

interface Group {
  readonly resources?: readonly { readonly kind: string }[];
  readonly types?: Readonly<Record<string, { readonly fields?: Readonly<Record<string, FieldEntry>> }>>;
}
interface Index {
  readonly aggregated?: readonly string[];
}
interface FieldEntry {
  readonly type: string;
  readonly disabled?: boolean;
}

const NOT_THE_CLIENTS: ReadonlySet<string> = new Set(['kind', 'apiVersion', 'metadata', 'status']);

/**
 * Every field on by default of every served kind, without what the server or a controller writes (status, metadata). A
 * field whose feature gate is off is dropped by the server and does not count.
 */
export function schemaFields(root: string): SchemaField[] {
  const groups = new Map<string, Group>();
  // What another server serves behind the aggregator is only read.
  const { aggregated = [] } = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as Index;
  const apart = new Set(['index.json', ...aggregated.map(name => `${name}.json`)]);
  for (const file of readdirSync(root))
    if (!apart.has(file) && file.endsWith('.json'))
      groups.set(file.slice(0, -'.json'.length), JSON.parse(readFileSync(join(root, file), 'utf8')) as Group);
  const found: SchemaField[] = [];
  const seen = new Set<string>();

  const fieldsOf = (group: string, name: string): [string, FieldEntry][] =>
    Object.entries(groups.get(group)?.types?.[name]?.fields ?? {}).filter(([, entry]) => entry.disabled !== true);
  const follow = (group: string, text: string): void => {
    const name = elementType(text);
    const dot = name.lastIndexOf('.');
    if (dot > 0) walk(name.slice(0, dot), name.slice(dot + 1));
    else walk(group, name);
  };
  const walk = (group: string, name: string): void => {
    const type = `${group}.${name}`;
    if (seen.has(type) || FROM_THE_SERVER.has(type)) return;
    seen.add(type);
    for (const [field, entry] of fieldsOf(group, name)) {
      if (field === 'status' && isKind(group, name)) continue;
      found.push({ type, field });
      follow(group, entry.type);
    }
  };
  const isKind = (group: string, name: string): boolean =>
    groups.get(group)?.resources?.some(({ kind }) => kind === name) === true;

  for (const [group, { resources = [] }] of groups)
    for (const { kind } of resources) {
      const type = `${group}.${kind}`;
      if (seen.has(type)) continue;
      seen.add(type);
      for (const [field, entry] of fieldsOf(group, kind)) {
        if (NOT_THE_CLIENTS.has(field)) continue;
        found.push({ type, field });
        follow(group, entry.type);
      }
    }
  return found;
}

/** Object metadata is the server's own business, in every kind the same. */
const FROM_THE_SERVER: ReadonlySet<string> = new Set(['meta.v1.ObjectMeta']);

/** "map[string][]*Foo" is made of Foo. */
function elementType(text: string): string {
  for (let name = text; ;) {
    const next = ['*', '[]', 'map[string]'].find(prefix => name.startsWith(prefix));
    if (next === undefined) return name;
    name = name.slice(next.length);
  }
}
