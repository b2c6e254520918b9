import type { Range } from '../declarations.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  struct,
  TIMESTAMP,
  type Type,
} from '../types.js';
import { escapeName } from './names.js';
import type { Format } from './formats.js';

/** A structural schema, as far as expressions see it. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** What is declared of a schema: its type, what is in it, and how large it may be. */
export interface Declared {
  readonly type: Type;
  readonly fields?: ReadonlyMap<string, Declared>;
  readonly items?: Declared;
  readonly isMap: boolean;
  /** Items, entries or characters at most; 0 where there is no such thing. */
  readonly maxElements: number;
  /** Bytes of JSON at least. */
  readonly minSize: number;
}

/** Sizes in bytes of JSON. Source: apiserver pkg/cel/limits.go, pkg/apis/cel/config.go. */
const MAX_REQUEST = 3 * 1024 * 1024;
const MAX_TEXT = MAX_REQUEST - 2;
const STRING_SIZE = 2;
const FORMATS: ReadonlyMap<string, { readonly type: Type; readonly minSize: number; readonly maxElements: number }> =
  new Map([
    ['duration', { type: DURATION, minSize: 3, maxElements: 32 }],
    ['date', { type: TIMESTAMP, minSize: 12, maxElements: 12 }],
    ['date-time', { type: TIMESTAMP, minSize: 21, maxElements: 32 }],
  ]);

export const TYPED_FORMATS: ReadonlySet<string> = new Set<Format>(['duration', 'date', 'date-time', 'byte']);

const simple = (type: Type, minSize: number, maxElements = 0): Declared => ({
  type,
  minSize,
  maxElements,
  isMap: false,
});

const positive = (count: number): number => Math.max(0, count);
/** A character may be four bytes. */
const charactersIn = ({ maxLength }: JsonSchema): number =>
  maxLength === undefined ? MAX_TEXT : positive(maxLength) * 4;

const TEXT: JsonSchema = { type: 'string' };

/** What every resource has, and what its metadata has for expressions. */
export function withMetadata(schema: JsonSchema): JsonSchema {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const isWhole =
    kind?.type === 'string' &&
    apiVersion?.type === 'string' &&
    metadata?.type === 'object' &&
    metadata.properties?.['name']?.type === 'string' &&
    metadata.properties['generateName']?.type === 'string';
  if (isWhole) return schema;
  const properties = {
    ...schema.properties,
    kind: TEXT,
    apiVersion: TEXT,
    metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
  };
  return { ...schema, properties };
}

const isResource = (schema: JsonSchema): boolean => schema['x-kubernetes-embedded-resource'] === true;

/**
 * The type of a schema; undefined: expressions do not see it. `name` is that of its struct, if it is one.
 * Source: apiserver pkg/cel/common/schemas.go.
 */
export function declare(schema: JsonSchema, name: string, isRoot: boolean): Declared | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return simple(DYN, 1, charactersIn(schema));
  switch (schema.type) {
    case 'array':
      return declareList(schema, name);
    case 'object':
      return declareObject(isRoot ? withMetadata(schema) : schema, name);
    case 'string':
      return declareText(schema);
    case 'boolean':
      return simple(BOOL, 4);
    case 'number':
      return simple(DOUBLE, 1);
    case 'integer':
      return simple(INT, 1);
    default:
      return undefined;
  }
}

function declareList({ items, maxItems }: JsonSchema, name: string): Declared | undefined {
  const declared = items === undefined ? undefined : declare(items, `${name}.@idx`, isResource(items));
  if (declared === undefined) return undefined;
  const maxElements =
    maxItems === undefined ? Math.floor((MAX_REQUEST - 2) / (declared.minSize + 1)) : positive(maxItems);
  return { type: listOf(declared.type), items: declared, isMap: false, maxElements, minSize: 2 };
}

function declareObject(schema: JsonSchema, name: string): Declared | undefined {
  const { additionalProperties: more } = schema;
  if (typeof more === 'object') {
    const declared = declare(more, `${name}.@elem`, isResource(more));
    if (declared === undefined) return undefined;
    const { maxProperties } = schema;
    const maxElements =
      maxProperties === undefined ? Math.floor((MAX_REQUEST - 2) / (declared.minSize + 6)) : positive(maxProperties);
    return { type: mapOf(STRING, declared.type), items: declared, isMap: true, maxElements, minSize: 2 };
  }
  const fields = new Map<string, Declared>();
  const required = new Set(schema.required);
  let minSize = 2;
  for (const [property, of] of Object.entries(schema.properties ?? {})) {
    const field = escapeName(property);
    const declared = declare(of, `${name}.${field ?? property}`, isResource(of));
    if (declared === undefined) continue;
    if (field !== undefined) fields.set(field, declared);
    if (required.has(property) && of.default === undefined)
      minSize += Buffer.byteLength(property) + declared.minSize + 4;
  }
  return { type: struct(name), fields, isMap: false, maxElements: 0, minSize };
}

function declareText(schema: JsonSchema): Declared {
  if (schema.format === 'byte')
    return simple(BYTES, STRING_SIZE, schema.maxLength === undefined ? MAX_TEXT : positive(schema.maxLength));
  const format = FORMATS.get(schema.format ?? '');
  if (format !== undefined) return simple(format.type, format.minSize, format.maxElements);
  if (schema.maxLength !== undefined || (schema.enum ?? []).length === 0)
    return simple(STRING, STRING_SIZE, charactersIn(schema));
  const longest = (schema.enum ?? []).reduce<number>(
    (most, value) => (typeof value === 'string' ? Math.max(most, Buffer.byteLength(value)) : most),
    0,
  );
  return simple(STRING, STRING_SIZE, longest);
}

/** How large what is at a path may be: its first name is the variable's. */
export function sizeAt(root: Declared, path: readonly string[]): Range | undefined {
  let at: Declared | undefined = root;
  for (const name of path.slice(1)) {
    if (name === '@items' || name === '@values') at = at.items;
    else if (name === '@keys') at = at.isMap ? KEY : undefined;
    else at = at.fields?.get(name);
    if (at === undefined) return undefined;
  }
  return { min: 0, max: at.maxElements };
}

/** Keys are of the type string, of which nothing more is declared. */
const KEY = simple(STRING, STRING_SIZE);

/** How often data of a schema may be in a request, at most. */
export const maxCardinality = ({ minSize }: Declared): number => Math.floor(MAX_REQUEST / (minSize + 1));
