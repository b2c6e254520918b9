import { goTypeName } from '../../go-text.js';
import { CelError, type Value } from '../values.js';
import { TYPED_FORMATS, withMetadata, type JsonSchema } from './declared.js';
import { readFormat, type Format } from './formats.js';
import { dynValue, NameCache, numberValue, type JsonObject } from './json.js';
import { escapeName } from './names.js';
import { listMaker } from './typed-lists.js';
import { TypedMap, TypedObject, type ObjectShape, type Property, type Reader } from './typed-objects.js';

/** What reads JSON of one schema. Made once per schema; of properties when one of them is first read. */
export function createReader(schema: JsonSchema): Reader {
  const read = typedReader(schema);
  if (schema.nullable === true) return json => (json === null ? null : read(json));
  return json => (json === null ? new CelError('invalid data, got null for schema with nullable=false') : read(json));
}

const wrong = (expected: string): CelError => new CelError(`invalid data, expected ${expected}`);
const wrongType = (expected: string, json: unknown): CelError => wrong(`${expected}, got ${goTypeName(json)}`);

function typedReader(schema: JsonSchema): Reader {
  if (schema['x-kubernetes-int-or-string'] === true) return readIntOrString;
  switch (schema.type) {
    case 'object':
      return objectReader(schema);
    case 'array':
      return listReader(schema);
    case 'string':
      return textReader(schema.format);
    case 'number':
      return json => (typeof json === 'number' ? json : wrongType('float', json));
    case 'integer':
      return json => {
        const value = typeof json === 'number' ? numberValue(json) : json;
        return typeof value === 'bigint' ? value : wrongType('int', json);
      };
    case 'boolean':
      return json => (typeof json === 'boolean' ? json : wrongType('bool', json));
    default:
      return dynValue;
  }
}

function readIntOrString(json: unknown): Value {
  const value = typeof json === 'number' ? numberValue(json) : json;
  if (typeof value === 'string' || typeof value === 'bigint') return value;
  return wrong('XIntOrString value to be either a string or integer');
}

function textReader(format: string | undefined): Reader {
  if (format === undefined || !TYPED_FORMATS.has(format))
    return json => (typeof json === 'string' ? json : wrongType('string', json));
  return json => (typeof json === 'string' ? readFormat(format as Format, json) : wrongType('string', json));
}

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function objectReader(given: JsonSchema): Reader {
  const schema = given['x-kubernetes-embedded-resource'] === true ? withMetadata(given) : given;
  const { additionalProperties: more, properties } = schema;
  let shape: ObjectShape | undefined;
  if (properties === undefined && typeof more === 'object') {
    const read = lazyReader(more);
    const names = new NameCache();
    return json =>
      isObject(json) ? new TypedMap(json, read, names) : wrong('a map for the provided schema with type=object');
  }
  return json =>
    isObject(json)
      ? new TypedObject(json, (shape ??= shapeOf(properties ?? {})))
      : wrong('a map for the provided schema with type=object');
}

function lazyReader(schema: JsonSchema): Reader {
  let read: Reader | undefined;
  return json => (read ??= createReader(schema))(json);
}

function shapeOf(properties: Readonly<Record<string, JsonSchema>>): ObjectShape {
  const byField = new Map<string, Property>();
  const byName = new Map<string, Property>();
  for (const [name, schema] of Object.entries(properties)) {
    const property = { name, read: lazyReader(schema) };
    byName.set(name, property);
    const field = escapeName(name);
    if (field === undefined) continue;
    byField.set(field, property);
    // A reserved word may also be selected as it is.
    if (field !== name && field === `__${name}__` && !byField.has(name)) byField.set(name, property);
  }
  return { names: new NameCache(), byField, byName };
}

function listReader(schema: JsonSchema): Reader {
  const { items } = schema;
  if (items === undefined) return () => new CelError('invalid array type, expected Items with a non-empty Schema');
  const read = lazyReader(items);
  const make = listMaker(schema, read);
  return json =>
    Array.isArray(json) ? make(json as unknown[]) : wrong('an array for the provided schema with type=array');
}
