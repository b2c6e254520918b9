import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';
import type { JsonCursor } from './json-cursor.js';
import { readBytes, readInteger, readIntOrString, readNumber, readQuantity, readTime } from './read-scalar.js';
import { setOwn } from './own-property.js';
import { unionReader } from './schema-unions.js';
import { finishStruct, zeroValue } from './zero.js';

/** Reads one value in its canonical form. undefined: null, or of the wrong type (noted in the cursor). */
export type Reader = (cursor: JsonCursor) => unknown;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

const compiled = new WeakMap<StructType, Reader>();

/**
 * The reader of a struct, compiled once per type. It does in one pass what Go does in several: checks types, notes
 * unknown and duplicate fields, and gives the object that Go would write back (zero values dropped or filled in as
 * the JSON tags say, scalars in canonical form, fields in Go's order).
 */
export function structReader(struct: StructType): Reader {
  const known = compiled.get(struct);
  if (known !== undefined) return known;
  // Types are recursive: the reader exists before its fields do.
  let read: Reader | undefined;
  const reader: Reader = cursor => (read ??= compileStruct(struct))(cursor);
  compiled.set(struct, reader);
  return reader;
}

function compileStruct(struct: StructType): Reader {
  const fields = struct.fields;
  const goName = struct.goName;
  const indexOf = new Map(fields.map((field, index) => [field.name, index]));
  const readers = fields.map(field => unionReader(field, struct) ?? typeReader(field.type, field.goType ?? ''));
  const paths = fields.map(field => `.${field.name}`);
  const steps = fields.map(field => [...(field.embeddedIn ?? []), field.name].join('.'));
  return cursor => {
    const outer = cursor.struct;
    const values = new Array<unknown>(fields.length);
    let seen: boolean[] | undefined;
    let extra: JsonObject | undefined;
    cursor.enter();
    for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
      const key = cursor.key();
      const index = indexOf.get(key);
      if (index === undefined) {
        if (struct.preserveUnknownFields === true) setOwn((extra ??= {}), key, cursor.any());
        else {
          cursor.noteStrict('unknown', key);
          cursor.any();
        }
        continue;
      }
      seen ??= [];
      const again = seen[index] === true;
      if (again) cursor.noteStrict('duplicate', key);
      seen[index] = true;
      cursor.struct = goName;
      cursor.fields.push(steps[index] ?? key);
      cursor.path.push(paths[index] ?? '');
      const value = (readers[index] as Reader)(cursor);
      cursor.fields.pop();
      cursor.path.pop();
      values[index] = again ? decodeOver(values[index], value, fields[index] as Field) : value;
    }
    cursor.struct = outer;
    const object = finishStruct(fields, values);
    return extra === undefined ? object : Object.assign(object, extra);
  };
}

/** Go decodes a repeated field over what it has: structs and maps are merged, null into a plain value does nothing. */
function decodeOver(old: unknown, value: unknown, field: Field): unknown {
  if (value === undefined)
    return field.pointer || field.type.kind === 'list' || field.type.kind === 'map' ? undefined : old;
  if ((field.type.kind === 'struct' || field.type.kind === 'map') && old !== undefined)
    return { ...(old as object), ...(value as object) };
  return value;
}

/** The reader of a value of any type. */
export function typeReader(type: FieldType, goType: string): Reader {
  switch (type.kind) {
    case 'string':
      return cursor => {
        const token = cursor.token();
        if (token === '"') return cursor.string();
        return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
      };
    case 'boolean':
      return cursor => {
        const token = cursor.token();
        if (token !== 'true' && token !== 'false')
          return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
        cursor.at += token.length;
        return token === 'true';
      };
    case 'integer':
      return nullable(cursor => readInteger(cursor, type.bits, goType));
    case 'number':
      return nullable(cursor => readNumber(cursor, goType));
    case 'bytes':
      return nullable(cursor => readBytes(cursor, goType));
    case 'quantity':
      return nullable(readQuantity);
    case 'intOrString':
      return nullable(readIntOrString);
    case 'time':
      return nullable(cursor => readTime(cursor, 'seconds'));
    case 'microTime':
      return nullable(cursor => readTime(cursor, 'micros'));
    case 'any':
      return nullable(cursor => cursor.any());
    case 'struct': {
      const read = structReader(type.struct);
      return cursor => {
        if (cursor.skipSpace() === OPEN_BRACE) return read(cursor);
        const token = cursor.token();
        return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
      };
    }
    case 'list':
      return listReader(type.items, goType);
    case 'map':
      return mapReader(type.values, goType);
  }
}

const skipNull = (cursor: JsonCursor): undefined => {
  cursor.at += 4;
  return undefined;
};

const nullable =
  (read: Reader): Reader =>
  cursor =>
    cursor.token() === 'null' ? skipNull(cursor) : read(cursor);

/** "[]v1.Container" → "v1.Container". Named list types ("v1.Verbs") do not tell: their items are strings or structs. */
const itemGoType = (goType: string, items: FieldType): string => {
  if (goType.startsWith('[]')) return goType.slice(2);
  return items.kind === 'struct' ? items.struct.name.split('.').slice(-2).join('.') : 'string';
};
const valueGoType = (goType: string): string => {
  const end = goType.startsWith('map[') ? goType.indexOf(']') : -1;
  return end < 0 ? 'string' : goType.slice(end + 1);
};

function listReader(items: FieldType, goType: string): Reader {
  const read = typeReader(items, itemGoType(goType, items));
  return cursor => {
    const token = cursor.token();
    if (token !== '[') return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
    const list: unknown[] = [];
    cursor.enter();
    for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET)) {
      cursor.path.push(`[${list.length}]`);
      const value = read(cursor);
      cursor.path.pop();
      list.push(value === undefined ? zeroValue(items) : value);
    }
    return list;
  };
}

function mapReader(values: FieldType, goType: string): Reader {
  const read = typeReader(values, valueGoType(goType));
  return cursor => {
    const token = cursor.token();
    if (token !== '{') return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
    const map: JsonObject = {};
    cursor.enter();
    for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
      const key = cursor.key();
      if (Object.hasOwn(map, key)) cursor.noteStrict('duplicate', key);
      cursor.path.push(`.${key}`);
      const value = read(cursor);
      cursor.path.pop();
      setOwn(map, key, value === undefined ? zeroValue(values) : value);
    }
    return map;
  };
}
