import type { ProtobufReader, ProtobufWriter } from '../../machinery/protobuf-wire.js';
import type { Field, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';
import { GoDecodeError, JsonCursor } from './json-cursor.js';
import type { Reader, StructReader } from './reader.js';

/**
 * The three types of JSON Schema that are one thing or another: Go decodes them by hand, without strictness.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/v1/marshal.go. They occur in JSONSchemaProps alone.
 */
export type Union = 'OrArray' | 'OrBool' | 'OrStringArray';

const UNIONS: Readonly<Record<string, Union>> = {
  'v1.JSONSchemaPropsOrArray': 'OrArray',
  'v1.JSONSchemaPropsOrBool': 'OrBool',
  'v1.JSONSchemaPropsOrStringArray': 'OrStringArray',
  'v1.JSONSchemaDependencies': 'OrStringArray',
};

export const unionOf = (field: Field): Union | undefined => UNIONS[field.goType ?? ''];

/** A list of strings whose type has a name of its own is a message: repeated field 1. */
export const isNamedList = ({ type, goType }: Field): boolean =>
  type.kind === 'list' && type.items.kind === 'string' && goType !== undefined && !goType.startsWith('[]');

/** The reader of such a field of the struct that `schema` reads; undefined for all other fields. */
export function unionReader(field: Field, schema: StructReader): Reader | undefined {
  const union = unionOf(field);
  if (union === undefined) return undefined;
  const one = (cursor: JsonCursor): unknown => readJsonUnion(cursor, union, schema);
  return {
    read(cursor) {
      const token = cursor.token();
      if (token === 'null') {
        cursor.at += 4;
        return undefined;
      }
      if (field.type.kind !== 'map') return one(cursor);
      if (token !== '{') return cursor.mismatch(token, field.goType ?? '');
      const map = cursor.any() as JsonObject;
      return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, one(cursorOf(value))]));
    },
  };
}

function cursorOf(value: unknown): JsonCursor {
  const text = JSON.stringify(value);
  return new JsonCursor(text, Buffer.from(text));
}

function readJsonUnion(cursor: JsonCursor, union: Union, schema: StructReader): unknown {
  const value = cursor.any();
  if (typeof value === 'boolean' && union === 'OrBool') return value;
  if (Array.isArray(value)) {
    if (union === 'OrStringArray') return value.map(stringItem);
    if (union === 'OrArray') return value.map(item => readSchema(item, schema));
  } else if (typeof value === 'object' && value !== null) return readSchema(value, schema);
  if (union === 'OrBool') throw new GoDecodeError('boolean or JSON schema expected');
  return null;
}

function stringItem(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  const cursor = cursorOf(value);
  throw cursor.foreign(cursor.token(), 'string');
}

function readSchema(value: unknown, schema: StructReader): unknown {
  const cursor = cursorOf(value);
  if (cursor.token() !== '{') throw cursor.foreign(cursor.token(), 'v1.JSONSchemaProps');
  const object = schema.read(cursor);
  if (cursor.typeError !== undefined) throw new GoDecodeError(cursor.typeError);
  return object;
}

/** `readMessage` and `writeMessage` are given, so that what reads and writes messages may ask for unions. */
export function readUnion(
  reader: ProtobufReader,
  union: Union,
  schema: StructType,
  readMessage: (reader: ProtobufReader, struct: StructType) => unknown,
): unknown {
  const list: unknown[] = [];
  let single: unknown;
  let allows = false;
  const schemaNumber = union === 'OrBool' ? 2 : 1;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === schemaNumber && wire === 2) single = readMessage(reader.message(), schema);
    else if (number === 1 && wire === 0) allows = reader.bool();
    else if (number === 2 && wire === 2)
      list.push(union === 'OrStringArray' ? reader.string() : readMessage(reader.message(), schema));
    else reader.skip(wire);
  }
  if (union === 'OrBool') return single ?? allows;
  return list.length > 0 ? list : (single ?? null);
}

export function writeUnion(
  writer: ProtobufWriter,
  number: number,
  union: Union,
  schema: StructType,
  value: unknown,
  writeMessage: (writer: ProtobufWriter, struct: StructType, object: JsonObject) => void,
): void {
  const mark = writer.mark;
  const message = (at: number, item: unknown): void => {
    const inner = writer.mark;
    writeMessage(writer, schema, item as JsonObject);
    writer.tagged(at, inner);
  };
  if (Array.isArray(value)) {
    for (const item of (value as unknown[]).toReversed()) {
      if (typeof item === 'string') writer.stringField(2, item);
      else message(2, item);
    }
  } else if (union === 'OrBool') {
    if (typeof value === 'object' && value !== null) message(2, value);
    writer.varint(value === false ? 0 : 1);
    writer.tag(1, 0);
  } else if (value !== null) message(1, value);
  writer.tagged(number, mark);
}
