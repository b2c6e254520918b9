import type { ProtobufReader } from '../../machinery/protobuf-wire.js';
import { ProtobufError } from '../../machinery/protobuf-wire.js';
import { canonicalQuantity } from '../../machinery/quantity-format.js';
import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import { setOwn } from './own-property.js';
import { isNamedList, readUnion, unionOf } from './schema-unions.js';
import { finishStruct, zeroValue } from './zero.js';
import { isTooDeep } from '../../machinery/json-depth.js';

/** Which field of a struct a number means; embedded structs nest. */
type Numbers = Map<number, number | Numbers>;

const numbersOf = new WeakMap<StructType, Numbers>();

function numbers(struct: StructType): Numbers {
  const known = numbersOf.get(struct);
  if (known !== undefined) return known;
  const root: Numbers = new Map();
  struct.fields.forEach((field, index) => {
    if (field.protobuf === undefined) return;
    let level = root;
    for (const outer of field.protobufEmbedded ?? []) {
      const nested = level.get(outer);
      if (nested instanceof Map) level = nested;
      else level.set(outer, (level = new Map()));
    }
    level.set(field.protobuf, index);
  });
  numbersOf.set(struct, root);
  return root;
}

/** Messages of this many bytes or more are read in steps, of about half as many each. */
const BIG = 32_768;

/**
 * Reads a message of a struct's type into the canonical object, the same that decoding JSON gives.
 * @throws ProtobufError with the texts of gogo/protobuf
 */
export function readMessage(reader: ProtobufReader, struct: StructType): JsonObject {
  const values = new Array<unknown>(struct.fields.length);
  readInto(reader, struct, numbers(struct), values);
  return finishStruct(struct.fields, values);
}

/** As readMessage. @throws ProtobufError */
export function* messageSteps(reader: ProtobufReader, struct: StructType): Steps<JsonObject> {
  if (reader.left < BIG) return readMessage(reader, struct);
  const values = new Array<unknown>(struct.fields.length);
  yield* intoSteps(reader, struct, numbers(struct), values);
  return finishStruct(struct.fields, values);
}

/** The field that comes next; undefined: one that is not known, which has been skipped. */
function nextField(
  reader: ProtobufReader,
  struct: StructType,
  known: Numbers,
): { target: number | Numbers; wire: number } | undefined {
  const { number, wire } = reader.tag();
  if (wire === 4) throw new ProtobufError(`proto: ${struct.goName}: wiretype end group for non-group`);
  if (number === 0) throw new ProtobufError(`proto: ${struct.goName}: illegal tag ${number} (wire type ${wire})`);
  const target = known.get(number);
  if (target === undefined) reader.skip(wire);
  return target === undefined ? undefined : { target, wire };
}

function readInto(reader: ProtobufReader, struct: StructType, known: Numbers, values: unknown[]): void {
  while (!reader.done) {
    const next = nextField(reader, struct, known);
    if (next === undefined) continue;
    const { target, wire } = next;
    if (target instanceof Map) readInto(reader.message(), struct, target, values);
    else values[target] = readField(reader, wire, struct, struct.fields[target] as Field, values[target]);
  }
}

function* intoSteps(reader: ProtobufReader, struct: StructType, known: Numbers, values: unknown[]): Steps<void> {
  let rested = reader.left;
  while (!reader.done) {
    const next = nextField(reader, struct, known);
    if (next === undefined) continue;
    const { target, wire } = next;
    if (target instanceof Map) yield* intoSteps(reader.message(), struct, target, values);
    else {
      const field = struct.fields[target] as Field;
      const big = wire === 2 && unionOf(field) === undefined && reader.peekLength() >= BIG;
      values[target] = big
        ? yield* fieldSteps(reader, struct, field, values[target])
        : readField(reader, wire, struct, field, values[target]);
    }
    if (rested - reader.left < BIG / 2) continue;
    rested = reader.left;
    yield;
  }
}

/** A field whose next message is big. */
function* fieldSteps(reader: ProtobufReader, struct: StructType, field: Field, old: unknown): Steps<unknown> {
  const { type } = field;
  if (type.kind === 'struct') return yield* messageSteps(reader.message(), type.struct);
  if (type.kind === 'list' && type.items.kind === 'struct') {
    const list = (old ?? []) as unknown[];
    list.push(yield* messageSteps(reader.message(), type.items.struct));
    return list;
  }
  if (type.kind === 'map' && type.values.kind === 'struct') {
    const map = (old ?? {}) as JsonObject;
    const entry = reader.message();
    let key = '';
    let value: unknown;
    while (!entry.done) {
      const tag = entry.tag();
      if (tag.number === 1) key = entry.string();
      else if (tag.number === 2) value = yield* messageSteps(entry.message(), type.values.struct);
      else entry.skip(tag.wire);
    }
    setOwn(map, key, value ?? zeroValue(type.values));
    return map;
  }
  return readField(reader, 2, struct, field, old);
}

function readField(reader: ProtobufReader, wire: number, struct: StructType, field: Field, old: unknown): unknown {
  const { type } = field;
  const union = unionOf(field);
  if (type.kind === 'list' && isNamedList(field)) return readList(reader.message(), type.items, field);
  if (type.kind === 'list') {
    const list = (old ?? []) as unknown[];
    const packed = wire === 2 && (type.items.kind === 'integer' || type.items.kind === 'boolean');
    if (packed) for (const inner = reader.message(); !inner.done;) list.push(readValue(inner, 0, type.items, field));
    else list.push(readValue(reader, wire, type.items, field) ?? zeroValue(type.items));
    return list;
  }
  if (type.kind === 'map') {
    const map = (old ?? {}) as JsonObject;
    const entry = reader.message();
    let key = '';
    let value: unknown;
    while (!entry.done) {
      const tag = entry.tag();
      if (tag.number === 1) key = entry.string();
      else if (tag.number === 2 && union !== undefined) value = readUnion(entry.message(), union, struct, readMessage);
      else if (tag.number === 2) value = readValue(entry, tag.wire, type.values, field);
      else entry.skip(tag.wire);
    }
    setOwn(map, key, value ?? zeroValue(type.values));
    return map;
  }
  if (union !== undefined) return readUnion(reader.message(), union, struct, readMessage);
  return readValue(reader, wire, type, field);
}

const WIRES: Partial<Record<FieldType['kind'], number>> = { boolean: 0, integer: 0, number: 1 };

/** undefined: Go's zero of a type that is a struct there (a time that is not set). */
function readValue(reader: ProtobufReader, wire: number, type: FieldType, field: Field): unknown {
  if (wire !== (WIRES[type.kind] ?? 2))
    throw new ProtobufError(`proto: wrong wireType = ${wire} for field ${goFieldName(field.name)}`);
  switch (type.kind) {
    case 'string':
      return reader.string();
    case 'boolean':
      return reader.bool();
    case 'integer':
      return type.bits === 32 ? reader.int32() : reader.int64();
    case 'number':
      return reader.double();
    case 'bytes':
      return reader.data().toString('base64');
    case 'quantity':
      return readQuantity(reader.message());
    case 'intOrString':
      return readIntOrString(reader.message());
    case 'time':
    case 'microTime':
      return readTime(reader.message(), type.kind);
    case 'any':
      return readRaw(reader.message());
    case 'struct':
      return readMessage(reader.message(), type.struct);
    case 'list':
      return readList(reader.message(), type.items, field);
    case 'map':
      throw new ProtobufError(`proto: map inside a map in field ${goFieldName(field.name)}`);
  }
}

const goFieldName = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Named list types are messages of their own: repeated field 1. */
function readList(reader: ProtobufReader, items: FieldType, field: Field): unknown[] {
  const list: unknown[] = [];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) list.push(readValue(reader, wire, items, field));
    else reader.skip(wire);
  }
  return list;
}

function readQuantity(reader: ProtobufReader): string {
  let text = '';
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) text = reader.string();
    else reader.skip(wire);
  }
  if (text === '') return '0';
  const canonical = canonicalQuantity(text);
  if (canonical === undefined) throw new ProtobufError(`cannot read the quantity ${JSON.stringify(text)}`);
  return canonical;
}

function readIntOrString(reader: ProtobufReader): number | string {
  let type = 0;
  let int = 0;
  let string = '';
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 0) type = reader.int64();
    else if (number === 2 && wire === 0) int = reader.int32();
    else if (number === 3 && wire === 2) string = reader.string();
    else reader.skip(wire);
  }
  return type === 1 ? string : int;
}

function readTime(reader: ProtobufReader, kind: 'time' | 'microTime'): string | undefined {
  if (reader.done) return undefined;
  let seconds = 0;
  let nanos = 0;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 0) seconds = reader.int64();
    else if (number === 2 && wire === 0) nanos = reader.int32();
    else reader.skip(wire);
  }
  const ms = seconds * 1000;
  if (Math.abs(ms) > 8.64e15) throw new ProtobufError('Time.MarshalJSON: year outside of range [0,9999]');
  const text = new Date(ms).toISOString().slice(0, 19);
  // Upstream reads seconds only into a Time: nanoseconds would not survive JSON.
  return kind === 'time' ? `${text}Z` : `${text}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`;
}

/** RawExtension, FieldsV1 and JSON: field 1 holds JSON text. */
function readRaw(reader: ProtobufReader): unknown {
  let raw: Buffer | undefined;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) raw = reader.data();
    else reader.skip(wire);
  }
  if (raw === undefined || raw.length === 0) return undefined;
  if (isTooDeep(raw)) throw new ProtobufError('exceeded max depth');
  try {
    return JSON.parse(raw.toString()) as unknown;
  } catch (error) {
    throw new ProtobufError('the raw bytes of an embedded object are not JSON', { cause: error });
  }
}
