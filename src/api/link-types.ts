import type { Field, FieldType, StructType } from '../machinery/schema.js';
import type { RawField, RawType, SchemaFile } from './api-schemas.js';

const SCALARS: Readonly<Record<string, FieldType>> = {
  string: { kind: 'string' },
  boolean: { kind: 'boolean' },
  int32: { kind: 'integer', bits: 32 },
  int64: { kind: 'integer', bits: 64 },
  double: { kind: 'number' },
  bytes: { kind: 'bytes' },
  quantity: { kind: 'quantity' },
  intOrString: { kind: 'intOrString' },
  time: { kind: 'time' },
  microTime: { kind: 'microTime' },
  any: { kind: 'any' },
};

/** What Go's reflect prints for the scalars; decode errors show it. */
const GO_SCALARS: Readonly<Record<string, string>> = {
  boolean: 'bool',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  any: 'runtime.RawExtension',
};

/** Kinds whose Go zero value is a struct: omitempty never drops it, a pointer or omitzero does. */
const GO_STRUCTS: ReadonlySet<FieldType['kind']> = new Set([
  'any',
  'struct',
  'time',
  'microTime',
  'quantity',
  'intOrString',
]);

type Types = ReadonlyMap<string, StructType>;

/** Makes a StructType of every type, keyed "core.v1.Pod". Fields are linked when first looked at: types are recursive. */
export function linkTypes(files: ReadonlyMap<string, SchemaFile>): Types {
  const types = new Map<string, StructType>();
  for (const [fileName, file] of files)
    for (const [name, raw] of Object.entries(file.types))
      types.set(`${fileName}.${name}`, lazyStruct(`${file.package}.${name}`, name, raw, fileName, types));
  return types;
}

function lazyStruct(name: string, goName: string, raw: RawType, home: string, types: Types): StructType {
  let fields: readonly Field[] | undefined;
  let byName: ReadonlyMap<string, Field> | undefined;
  return {
    name,
    goName,
    get fields() {
      return (fields ??= Object.entries(raw.fields).map(([field, rawField]) =>
        linkField(field, rawField, raw.embeds ?? [], home, types),
      ));
    },
    get byName() {
      return (byName ??= new Map(this.fields.map(field => [field.name, field])));
    },
    ...(raw.mapType === undefined ? {} : { mapType: raw.mapType }),
  };
}

function linkField(name: string, raw: RawField, embeds: readonly string[], home: string, types: Types): Field {
  const pointer = raw.type.startsWith('*');
  const text = pointer ? raw.type.slice(1) : raw.type;
  const type = linkType(text, home, types);
  const omit = omission(raw, type, pointer);
  const numbers = typeof raw.pb === 'number' ? [raw.pb] : (raw.pb ?? []);
  const implied = raw.default === undefined && omit === 'never' && !pointer ? zeroScalar(type) : raw.default;
  return {
    name,
    type,
    pointer,
    omit,
    required: raw.required ?? false,
    ...(raw.disabled === undefined ? {} : { disabled: raw.disabled }),
    ...(implied === undefined ? {} : { default: implied }),
    ...(raw.enum === undefined ? {} : { enum: raw.enum }),
    ...(raw.listType === undefined ? {} : { listType: raw.listType }),
    ...(raw.listMapKeys === undefined ? {} : { listMapKeys: raw.listMapKeys }),
    ...(raw.mapType === undefined ? {} : { mapType: raw.mapType }),
    ...(raw.patchMergeKey === undefined ? {} : { patchMergeKey: raw.patchMergeKey }),
    ...(raw.patchStrategy === undefined ? {} : { patchStrategy: raw.patchStrategy }),
    ...(numbers.length === 0 ? {} : { protobuf: numbers.at(-1) as number }),
    ...(numbers.length < 2
      ? {}
      : { protobufEmbedded: numbers.slice(0, -1), embeddedIn: embeds.slice(0, numbers.length - 1) }),
    goType: raw.go ?? goType(text, home),
  };
}

function omission(raw: RawField, type: FieldType, pointer: boolean): Field['omit'] {
  if (raw.json === 'always') return 'never';
  if (raw.json === 'omitzero') return 'zero';
  return !pointer && GO_STRUCTS.has(type.kind) ? 'never' : 'empty';
}

/** kube-openapi gives fields that are always written their zero as the default. */
function zeroScalar(type: FieldType): unknown {
  if (type.kind === 'string') return '';
  if (type.kind === 'integer' || type.kind === 'number') return 0;
  return type.kind === 'boolean' ? false : undefined;
}

function linkType(text: string, home: string, types: Types): FieldType {
  if (text.startsWith('[]')) return { kind: 'list', items: linkType(text.slice(2), home, types) };
  if (text.startsWith('map[string]')) return { kind: 'map', values: linkType(text.slice(11), home, types) };
  const scalar = SCALARS[text];
  if (scalar !== undefined) return scalar;
  const struct = types.get(text.includes('.') ? text : `${home}.${text}`);
  if (struct === undefined) throw new Error(`api-schemas/${home}.json: no type ${text}`);
  return { kind: 'struct', struct };
}

function goType(text: string, home: string): string {
  if (text.startsWith('[]')) return `[]${goType(text.slice(2), home)}`;
  if (text.startsWith('map[string]')) return `map[string]${goType(text.slice(11), home)}`;
  if (text in SCALARS) return GO_SCALARS[text] ?? text;
  const parts = (text.includes('.') ? text : `${home}.${text}`).split('.');
  return parts.slice(-2).join('.');
}
