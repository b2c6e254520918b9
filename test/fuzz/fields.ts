import type { Field, FieldType, StructType } from '../../src/machinery/schema.js';
import type { JsonObject } from '../../src/machinery/types.js';
import type { Row } from './growth.js';
import { openTargets, WAYS, type Target } from './objects.js';
import type { Rows } from './worker.js';

/** Where a field is: names, '0' for an item of a list, '*' for a key of a map. */
type Path = readonly string[];

const TEXTS: ReadonlySet<FieldType['kind']> = new Set([
  'string',
  'bytes',
  'quantity',
  'intOrString',
  'time',
  'microTime',
  'any',
]);

/** Every field of a type that takes a text, and every map, whose keys are texts. A type is entered once on a path. */
export function* textFields(type: StructType, path: Path = [], inside: readonly StructType[] = []): Iterable<Path> {
  if (inside.includes(type)) return;
  for (const field of type.fields) yield* textsOf(field.type, [...path, field.name], [...inside, type]);
}

function* textsOf(type: FieldType, path: Path, inside: readonly StructType[]): Iterable<Path> {
  if (TEXTS.has(type.kind)) yield path;
  if (type.kind === 'list') yield* textsOf(type.items, [...path, '0'], inside);
  if (type.kind === 'struct') yield* textFields(type.struct, path, inside);
  if (type.kind === 'map') {
    yield [...path, '*'];
    yield* textsOf(type.values, [...path, 'k'], inside);
  }
}

/** Siblings that nearly every struct wants before it is looked at more closely. */
const SIBLINGS: Readonly<Record<string, string>> = { name: 'n', key: 'k', image: 'i', mountPath: '/m', path: 'p' };

/** Puts a value into a body, making what is on the way. */
export function place(body: JsonObject, type: StructType, path: Path, value: unknown): JsonObject {
  let at: Record<string, unknown> | unknown[] = body;
  let fields: FieldType | undefined = { kind: 'struct', struct: type };
  path.forEach((step, i) => {
    const last = i === path.length - 1;
    fields = inner(fields, step);
    if (step === '*') {
      (at as Record<string, unknown>)[value as string] = 'v';
      return;
    }
    const holder = at as Record<string, unknown>;
    if (last) holder[step] = value;
    else {
      const next = path[i + 1];
      holder[step] ??= next === '0' ? [] : {};
      at = holder[step] as Record<string, unknown>;
      if (fields?.kind === 'struct')
        for (const [name, text] of Object.entries(SIBLINGS))
          if (isString(fields.struct.byName.get(name))) at[name] ??= text;
    }
  });
  return body;
}

const isString = (field: Field | undefined): boolean => field?.type.kind === 'string' && field.name !== 'kind';

export function inner(type: FieldType | undefined, step: string): FieldType | undefined {
  if (type?.kind === 'list') return type.items;
  if (type?.kind === 'map') return type.values;
  return type?.kind === 'struct' ? type.struct.byName.get(step)?.type : undefined;
}

function rowsOf(target: Target, seen: Set<string>, next: (n: number) => number): Row[] {
  const type = target.entry.schema.fields.struct;
  const rows: Row[] = [];
  for (const path of textFields(type)) {
    // The same field of the same struct in another kind goes the same way: every kind gets its own fields, not all.
    const owner = path.slice(0, -1).reduce<FieldType | undefined>(inner, { kind: 'struct', struct: type });
    const id = owner?.kind === 'struct' ? `${owner.struct.name}.${path.at(-1)}` : `${target.name} ${path.join('.')}`;
    if (seen.has(id)) continue;
    seen.add(id);
    const way = WAYS[next(WAYS.length)] ?? 'create';
    rows.push({
      name: `${target.name} ${path.join('.')} (${way})`,
      prepare: text => target.prepare(way, place(target.example(), type, path, text)),
    });
  }
  return rows;
}

/** Every text field of every kind, on one of the ways that the seed chooses. */
export async function rows(next: (n: number) => number): Promise<Rows> {
  const { targets, close } = await openTargets();
  const seen = new Set<string>();
  return { rows: targets.flatMap(target => rowsOf(target, seen, next)), close };
}
