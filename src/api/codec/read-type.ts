import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';
import type { JsonCursor } from './json-cursor.js';
import { readBytes, readInteger, readIntOrString, readNumber, readQuantity, readTime } from './read-scalar.js';
import { setOwn } from './own-property.js';
import type { Read, Reader, StructReader } from './reader.js';
import { unionReader } from './schema-unions.js';
import { EMPTY_MAP, finishStruct, zeroValue } from './zero.js';

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

const compiled = new WeakMap<StructType, StructReader>();

/**
 * The reader of a struct, compiled once per type. It does in one pass what Go does in several: checks types, notes
 * unknown and duplicate fields, and gives the object that Go would write back (zero values dropped or filled in as
 * the JSON tags say, scalars in canonical form, fields in Go's order).
 */
export function structReader(struct: StructType): StructReader {
  const known = compiled.get(struct);
  if (known !== undefined) return known;
  // Types are recursive: the reader exists before its fields do.
  let own: StructReader | undefined;
  const reader: StructReader = {
    read: cursor => (own ??= compileStruct(struct)).read(cursor),
    steps: cursor => (own ??= compileStruct(struct)).steps(cursor),
  };
  compiled.set(struct, reader);
  return reader;
}

/** What is known so far of a struct that is being read. */
interface StructParts {
  readonly outer: string;
  readonly values: unknown[];
  seen: boolean[] | undefined;
  extra: JsonObject | undefined;
}

function compileStruct(struct: StructType): StructReader {
  const fields = struct.fields;
  const goName = struct.goName;
  const indexOf = new Map(fields.map((field, index) => [field.name, index]));
  const own = structReader(struct);
  const readers = fields.map(field => unionReader(field, own) ?? typeReader(field.type, field.goType ?? ''));
  const steps = fields.map(field => [...(field.embeddedIn ?? []), field.name].join('.'));

  const begin = (cursor: JsonCursor): StructParts => {
    cursor.enter();
    return { outer: cursor.struct, values: new Array<unknown>(fields.length), seen: undefined, extra: undefined };
  };
  const unknown = (cursor: JsonCursor, parts: StructParts, key: string): void => {
    if (struct.preserveUnknownFields === true) setOwn((parts.extra ??= {}), key, cursor.any());
    else {
      cursor.noteStrict('unknown', key);
      cursor.any();
    }
  };
  /** @returns whether the field has been there already */
  const enter = (cursor: JsonCursor, parts: StructParts, index: number, key: string): boolean => {
    parts.seen ??= [];
    const again = parts.seen[index] === true;
    if (again) cursor.noteStrict('duplicate', key);
    parts.seen[index] = true;
    cursor.struct = goName;
    cursor.fields.push(steps[index] ?? key);
    cursor.path.push(key);
    return again;
  };
  const leave = (cursor: JsonCursor, parts: StructParts, index: number, read: unknown, again: boolean): void => {
    cursor.fields.pop();
    cursor.path.pop();
    const field = fields[index] as Field;
    const value = field.type.kind === 'map' && read !== undefined && cursor.wasEmpty() ? EMPTY_MAP : read;
    parts.values[index] = again ? decodeOver(parts.values[index], value, field) : value;
  };
  const end = (cursor: JsonCursor, { outer, values, extra }: StructParts): JsonObject => {
    cursor.struct = outer;
    const object = finishStruct(fields, values);
    return extra === undefined ? object : Object.assign(object, extra);
  };

  return {
    read(cursor) {
      const parts = begin(cursor);
      for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
        const key = cursor.key();
        const index = indexOf.get(key);
        if (index === undefined) {
          unknown(cursor, parts, key);
          continue;
        }
        const again = enter(cursor, parts, index, key);
        leave(cursor, parts, index, (readers[index] as Reader).read(cursor), again);
      }
      return end(cursor, parts);
    },
    *steps(cursor) {
      const parts = begin(cursor);
      for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
        const key = cursor.key();
        const index = indexOf.get(key);
        if (index === undefined) {
          unknown(cursor, parts, key);
          continue;
        }
        const again = enter(cursor, parts, index, key);
        const reader = readers[index] as Reader;
        const value = reader.steps !== undefined && cursor.isBig() ? yield* reader.steps(cursor) : reader.read(cursor);
        leave(cursor, parts, index, value, again);
        if (cursor.isTired()) yield;
      }
      return end(cursor, parts);
    },
  };
}

/** Go decodes a repeated field over what it has: structs and maps are merged, null into a plain value does nothing. */
function decodeOver(old: unknown, value: unknown, field: Field): unknown {
  if (value === undefined)
    return field.pointer || field.type.kind === 'list' || field.type.kind === 'map' ? undefined : old;
  if ((field.type.kind === 'struct' || field.type.kind === 'map') && old !== undefined)
    return value === EMPTY_MAP ? old : { ...(old as object), ...(value as object) };
  return value;
}

/** The reader of a value of any type. */
export function typeReader(type: FieldType, goType: string): Reader {
  switch (type.kind) {
    case 'string':
      return {
        read(cursor) {
          const token = cursor.token();
          if (token === '"') return cursor.string();
          return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
        },
      };
    case 'boolean':
      return {
        read(cursor) {
          const token = cursor.token();
          if (token !== 'true' && token !== 'false')
            return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
          cursor.at += token.length;
          return token === 'true';
        },
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
      const own = structReader(type.struct);
      return {
        read(cursor) {
          if (cursor.skipSpace() === OPEN_BRACE) return own.read(cursor);
          const token = cursor.token();
          return token === 'null' ? skipNull(cursor) : cursor.mismatch(token, goType);
        },
        *steps(cursor) {
          return opens(cursor, '{', goType) ? yield* own.steps(cursor) : undefined;
        },
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

const nullable = (read: Read): Reader => ({
  read: cursor => (cursor.token() === 'null' ? skipNull(cursor) : read(cursor)),
});

/** Whether the value opens so. What is null, or something else and noted, has been skipped. */
function opens(cursor: JsonCursor, bracket: '{' | '[', goType: string): boolean {
  const token = cursor.token();
  if (token === bracket) return true;
  if (token === 'null') skipNull(cursor);
  else cursor.mismatch(token, goType);
  return false;
}

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
  const item = typeReader(items, itemGoType(goType, items));
  const add = (cursor: JsonCursor, list: unknown[], value: unknown): void => {
    cursor.path.pop();
    list.push(value === undefined ? zeroValue(items) : value);
  };
  return {
    read(cursor) {
      if (!opens(cursor, '[', goType)) return undefined;
      const list: unknown[] = [];
      cursor.enter();
      for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET)) {
        cursor.path.push(list.length);
        add(cursor, list, item.read(cursor));
      }
      return list;
    },
    *steps(cursor) {
      if (!opens(cursor, '[', goType)) return undefined;
      const list: unknown[] = [];
      cursor.enter();
      for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET)) {
        cursor.path.push(list.length);
        add(cursor, list, item.steps !== undefined && cursor.isBig() ? yield* item.steps(cursor) : item.read(cursor));
        if (cursor.isTired()) yield;
      }
      return list;
    },
  };
}

function mapReader(values: FieldType, goType: string): Reader {
  const member = typeReader(values, valueGoType(goType));
  const key = (cursor: JsonCursor, map: JsonObject): string => {
    const name = cursor.key();
    if (Object.hasOwn(map, name)) cursor.noteStrict('duplicate', name);
    cursor.path.push(name);
    return name;
  };
  const add = (cursor: JsonCursor, map: JsonObject, name: string, value: unknown): void => {
    cursor.path.pop();
    setOwn(map, name, value === undefined ? zeroValue(values) : value);
  };
  return {
    read(cursor) {
      if (!opens(cursor, '{', goType)) return undefined;
      const map: JsonObject = {};
      cursor.enter();
      for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE))
        add(cursor, map, key(cursor, map), member.read(cursor));
      return map;
    },
    *steps(cursor) {
      if (!opens(cursor, '{', goType)) return undefined;
      const map: JsonObject = {};
      cursor.enter();
      for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
        const name = key(cursor, map);
        const big = member.steps !== undefined && cursor.isBig();
        add(cursor, map, name, big ? yield* member.steps(cursor) : member.read(cursor));
        if (cursor.isTired()) yield;
      }
      return map;
    },
  };
}
