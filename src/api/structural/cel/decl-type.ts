import { goLength } from '../../../machinery/go-text.js';
import * as cel from '../../../machinery/cel/types.js';
import type { TypeProvider } from '../../../machinery/cel/provider.js';
import type { JsonSchemaProps } from '../json-schema-props.js';
import { escapeName, isReserved } from './escape-names.js';
import { withMeta } from './object-schema.js';

/**
 * What rules know of the values of a schema: their type, and how many or how large they may be, which costs are estimated
 * by. Source: apiserver pkg/cel/common/schemas.go and pkg/cel/types.go.
 */
export interface DeclType {
  readonly type: cel.Type;
  /** Of an object, by escaped name. */
  readonly fields?: ReadonlyMap<string, DeclType>;
  /** Of a list or a map. */
  readonly items?: DeclType;
  /** Of a map. */
  readonly keys?: DeclType;
  readonly maxElements: number;
  /** Bytes of JSON. */
  readonly minSize: number;
}

export const MAX_REQUEST = 3 * 1024 * 1024;
const MAX_TEXT = MAX_REQUEST - 2;
const EMPTY = 2;
/** By format: the type, the longest and the shortest text. */
const FORMATS: ReadonlyMap<string, readonly [cel.Type, number, number]> = new Map([
  ['duration', [cel.DURATION, 32, 3]],
  ['date', [cel.TIMESTAMP, 12, 12]],
  ['date-time', [cel.TIMESTAMP, 32, 21]],
]);
const STRING: DeclType = { type: cel.STRING, maxElements: 0, minSize: EMPTY };
const SCALARS: ReadonlyMap<string, DeclType> = new Map([
  ['boolean', { type: cel.BOOL, maxElements: 0, minSize: 4 }],
  ['number', { type: cel.DOUBLE, maxElements: 0, minSize: 1 }],
  ['integer', { type: cel.INT, maxElements: 0, minSize: 1 }],
]);

const notNegative = (count: number): number => Math.max(count, 0);
const isEmbedded = (schema: JsonSchemaProps): boolean => schema['x-kubernetes-embedded-resource'] === true;

/** Types of one schema; objects are structs that are named for their place. */
export interface DeclTypes {
  readonly root: DeclType | undefined;
  readonly provider: TypeProvider;
}

/** `isObject`: the schema is that of an object of the API. undefined: rules know nothing of such values. */
export function declTypes(schema: JsonSchemaProps, isObject: boolean): DeclTypes {
  const structs = new Map<string, DeclType>();
  return {
    root: typeOf(schema, isObject, 'selfType', structs),
    provider: {
      has: name => structs.has(name),
      field(struct, field) {
        const fields = structs.get(struct)?.fields;
        return (fields?.get(field) ?? (isReserved(field) ? fields?.get(`__${field}__`) : undefined))?.type;
      },
    },
  };
}

type Structs = Map<string, DeclType>;

function typeOf(given: JsonSchemaProps, isObject: boolean, name: string, structs: Structs): DeclType | undefined {
  if (given['x-kubernetes-int-or-string'] === true) {
    const { maxLength } = given;
    return { type: cel.DYN, maxElements: maxLength === undefined ? MAX_TEXT : notNegative(maxLength) * 4, minSize: 1 };
  }
  const schema = isObject ? withMeta(given) : given;
  switch (schema.type) {
    case 'array':
      return listType(schema, name, structs);
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? mapType(schema, schema.additionalProperties, name, structs)
        : structType(schema, name, structs);
    case 'string':
      return textType(schema);
    default:
      return SCALARS.get(schema.type ?? '');
  }
}

function listType(schema: JsonSchemaProps, name: string, structs: Structs): DeclType | undefined {
  if (!schema.items) return undefined;
  const items = typeOf(schema.items, isEmbedded(schema.items), `${name}.@idx`, structs);
  if (items === undefined) return undefined;
  const most = Math.floor((MAX_REQUEST - 2) / (items.minSize + 1));
  const maxElements = schema.maxItems === undefined ? most : notNegative(schema.maxItems);
  return { type: cel.listOf(items.type), items, maxElements, minSize: EMPTY };
}

function mapType(
  schema: JsonSchemaProps,
  values: JsonSchemaProps,
  name: string,
  structs: Structs,
): DeclType | undefined {
  const items = typeOf(values, isEmbedded(values), `${name}.@elem`, structs);
  if (items === undefined) return undefined;
  const most = Math.floor((MAX_REQUEST - 2) / (items.minSize + 6));
  const maxElements = schema.maxProperties === undefined ? most : notNegative(schema.maxProperties);
  return { type: cel.mapOf(cel.STRING, items.type), keys: STRING, items, maxElements, minSize: EMPTY };
}

function structType(schema: JsonSchemaProps, name: string, structs: Structs): DeclType {
  const required = new Set(schema.required ?? []);
  const fields = new Map<string, DeclType>();
  let minSize = EMPTY;
  for (const [member, props] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeName(member);
    const type = typeOf(props, isEmbedded(props), `${name}.${escaped ?? member}`, structs);
    if (type === undefined) continue;
    if (escaped !== undefined) fields.set(escaped, type);
    if (required.has(member) && props.default === undefined) minSize += goLength(member) + type.minSize + 4;
  }
  const type = { type: cel.struct(name), fields, maxElements: 0, minSize };
  structs.set(name, type);
  return type;
}

function textType({ format = '', maxLength, enum: allowed = [] }: JsonSchemaProps): DeclType {
  const known = FORMATS.get(format);
  if (known !== undefined) return { type: known[0], maxElements: known[1], minSize: known[2] };
  if (format === 'byte')
    return { type: cel.BYTES, maxElements: maxLength === undefined ? MAX_TEXT : notNegative(maxLength), minSize: EMPTY };
  if (maxLength !== undefined) return { ...STRING, maxElements: notNegative(maxLength) * 4 };
  if (allowed.length === 0) return { ...STRING, maxElements: MAX_TEXT };
  let longest = 0;
  for (const one of allowed) if (typeof one === 'string') longest = Math.max(longest, goLength(one));
  return { ...STRING, maxElements: longest };
}

/** What a path from a rule's variable on leads to; undefined: nothing that is known. */
export function declTypeAt(root: DeclType, path: readonly string[]): DeclType | undefined {
  let here: DeclType | undefined = root;
  for (const step of path.slice(1)) {
    if (here === undefined) return undefined;
    if (step === '@items' || step === '@values') here = here.items;
    else here = step === '@keys' ? here.keys : here.fields?.get(step);
  }
  return here;
}
