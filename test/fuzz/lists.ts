import type { FieldType, StructType } from '../../src/machinery/schema.js';
import type { JsonObject } from '../../src/machinery/types.js';
import { inner, place } from './fields.js';
import type { Row } from './growth.js';
import { openTargets, WAYS, type Target } from './objects.js';
import type { Shape } from './shapes.js';
import type { Rows } from './worker.js';

/** How many items a list gets, and keys a map: the biggest is what 3 MB hold of small ones. */
const SIZES = [200, 2_000, 20_000];

/** Texts of as many characters as there are to be items; the list has their length, and items of the kind that they say. */
export const MANY: Shape = { name: 'many', make: size => 'x'.repeat(size) };
export const EQUAL: Shape = { name: 'equal', make: size => '='.repeat(size) };

export function* collections(
  type: FieldType,
  path: readonly string[] = [],
  inside: readonly StructType[] = [],
): Iterable<readonly string[]> {
  if (type.kind === 'struct' && !inside.includes(type.struct))
    for (const field of type.struct.fields)
      yield* collections(field.type, [...path, field.name], [...inside, type.struct]);
  if (type.kind === 'list' || type.kind === 'map') yield path;
  if (type.kind === 'list') yield* collections(type.items, [...path, '0'], inside);
  if (type.kind === 'map') yield* collections(type.values, [...path, 'k'], inside);
}

/** The i-th of many different values; of a struct, its fields that name it. */
function value(type: FieldType, i: number): unknown {
  switch (type.kind) {
    case 'string':
      return `n${i}`;
    case 'integer':
    case 'number':
    case 'intOrString':
      return 1 + (i % 60_000);
    case 'boolean':
      return true;
    case 'bytes':
      return 'QQ==';
    case 'quantity':
      return '1';
    case 'time':
    case 'microTime':
      return '2026-01-01T00:00:00Z';
    case 'any':
    case 'map':
      return {};
    case 'list':
      return [value(type.items, i)];
    case 'struct': {
      const scalars = type.struct.fields.filter(f => f.type.kind === 'string' || f.type.kind === 'integer');
      return Object.fromEntries(scalars.slice(0, 4).map(f => [f.name, f.enum?.[0] ?? value(f.type, i)]));
    }
    default:
      return undefined;
  }
}

/** Keys of a map differ in any case. */
function many(type: FieldType, text: string): unknown {
  const { length } = text;
  const which = text.startsWith('=') ? () => 0 : (i: number) => i;
  if (type.kind === 'list') return Array.from({ length }, (_, i) => value(type.items, which(i)));
  if (type.kind !== 'map') throw new Error('neither a list nor a map');
  return Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, value(type.values, which(i))]));
}

function rowsOf(target: Target, seen: Set<string>, next: (n: number) => number): Row[] {
  const type = target.entry.schema.fields.struct;
  const root: FieldType = { kind: 'struct', struct: type };
  return [...collections(root)].flatMap(path => {
    const owner = path.slice(0, -1).reduce<FieldType | undefined>(inner, root);
    const at = path.reduce<FieldType | undefined>(inner, root);
    const id = owner?.kind === 'struct' ? `${owner.struct.name}.${path.at(-1)}` : `${target.name} ${path.join('.')}`;
    if (at === undefined || seen.has(id)) return [];
    seen.add(id);
    const chosen = WAYS[next(WAYS.length)] ?? 'create';
    return (process.env['WAYS'] === 'all' ? WAYS : [chosen]).map(way => ({
      name: `${target.name} ${path.join('.')} (${way})`,
      shapes: [MANY, EQUAL],
      sizes: SIZES,
      prepare: (text: string) =>
        target.prepare(way, place(target.example(), type, path, many(at, text)) satisfies JsonObject),
    }));
  });
}

/** Every list of every kind with many different items and with many equal ones, every map with many keys. */
export async function rows(next: (n: number) => number): Promise<Rows> {
  const { targets, close } = await openTargets();
  const seen = new Set<string>();
  return { rows: targets.flatMap(target => rowsOf(target, seen, next)), close };
}
