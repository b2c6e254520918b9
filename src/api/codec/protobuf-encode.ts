import type { ProtobufWriter } from '../../machinery/protobuf-wire.js';
import type { Field, FieldType, StructType } from '../../machinery/schema.js';
import type { JsonObject } from '../../machinery/types.js';
import { isNamedList, unionOf, writeUnion } from './schema-unions.js';

/** Fields in the order they are written: highest number first, embedded structs as nested plans. */
interface Plan {
  readonly number: number;
  readonly field?: Field;
  readonly nested?: readonly Plan[];
}

const plans = new WeakMap<StructType, readonly Plan[]>();

function planOf(struct: StructType): readonly Plan[] {
  const known = plans.get(struct);
  if (known !== undefined) return known;
  const plan = makePlan(
    struct.fields.filter(field => field.protobuf !== undefined),
    0,
  );
  plans.set(struct, plan);
  return plan;
}

function makePlan(fields: readonly Field[], depth: number): Plan[] {
  const plan: Plan[] = [];
  const embedded = new Map<number, Field[]>();
  for (const field of fields) {
    const outer = field.protobufEmbedded?.[depth];
    if (outer === undefined) plan.push({ number: field.protobuf as number, field });
    else embedded.set(outer, [...(embedded.get(outer) ?? []), field]);
  }
  for (const [number, inner] of embedded) plan.push({ number, nested: makePlan(inner, depth + 1) });
  return plan.sort((a, b) => b.number - a.number);
}

/**
 * Writes an object as a message: what is no pointer in Go is written even when it is zero or absent.
 * The object must be canonical (see decode).
 */
export function writeMessage(writer: ProtobufWriter, struct: StructType, object: JsonObject): void {
  writePlan(writer, struct, planOf(struct), object);
}

function writePlan(writer: ProtobufWriter, struct: StructType, plan: readonly Plan[], object: JsonObject): void {
  for (const { number, field, nested } of plan) {
    if (nested !== undefined) {
      const mark = writer.mark;
      writePlan(writer, struct, nested, object);
      writer.tagged(number, mark);
    } else if (field !== undefined) writeField(writer, number, struct, field, object[field.name]);
  }
}

function writeField(writer: ProtobufWriter, number: number, struct: StructType, field: Field, value: unknown): void {
  const { type } = field;
  const union = unionOf(field);
  const absent = value === undefined || value === null;
  if (union !== undefined) {
    if (type.kind === 'map')
      writeEntries(writer, number, (value ?? {}) as JsonObject, v =>
        writeUnion(writer, 2, union, struct, v, writeMessage),
      );
    else if (!absent) writeUnion(writer, number, union, struct, value, writeMessage);
  } else if (type.kind === 'list' && isNamedList(field)) {
    if (!absent) writeValue(writer, number, type, value);
  } else if (type.kind === 'list') {
    const list = absent ? [] : (value as unknown[]);
    for (let i = list.length - 1; i >= 0; i--) writeValue(writer, number, type.items, list[i]);
  } else if (type.kind === 'map')
    writeEntries(writer, number, (value ?? {}) as JsonObject, item => writeValue(writer, 2, type.values, item));
  else if (!absent || (!field.pointer && type.kind !== 'bytes')) writeValue(writer, number, type, value);
}

/** Entries are sorted by key and read back in that order; so the last goes first. */
function writeEntries(
  writer: ProtobufWriter,
  number: number,
  map: JsonObject,
  writeItem: (value: unknown) => void,
): void {
  for (const key of Object.keys(map).sort().reverse()) {
    const mark = writer.mark;
    writeItem(map[key]);
    writer.stringField(1, key);
    writer.tagged(number, mark);
  }
}

function writeValue(writer: ProtobufWriter, number: number, type: FieldType, value: unknown): void {
  switch (type.kind) {
    case 'string':
      return writer.stringField(number, (value as string | undefined | null) ?? '');
    case 'boolean':
      writer.varint(value === true ? 1 : 0);
      return writer.tag(number, 0);
    case 'integer':
      writer.varint((value as number | undefined | null) ?? 0);
      return writer.tag(number, 0);
    case 'number':
      writer.double((value as number | undefined | null) ?? 0);
      return writer.tag(number, 1);
    case 'bytes':
      return writer.dataField(number, Buffer.from((value as string | undefined | null) ?? '', 'base64'));
    default: {
      const mark = writer.mark;
      writeBody(writer, type, value);
      return writer.tagged(number, mark);
    }
  }
}

type MessageType = Exclude<FieldType, { kind: 'string' | 'boolean' | 'integer' | 'number' | 'bytes' }>;

function writeBody(writer: ProtobufWriter, type: MessageType, value: unknown): void {
  const absent = value === undefined || value === null;
  switch (type.kind) {
    case 'quantity':
      return writer.stringField(1, absent ? '0' : (value as string));
    case 'intOrString':
      writer.stringField(3, typeof value === 'string' ? value : '');
      writer.varint(typeof value === 'number' ? value : 0);
      writer.tag(2, 0);
      writer.varint(typeof value === 'string' ? 1 : 0);
      return writer.tag(1, 0);
    case 'time':
    case 'microTime':
      return absent ? undefined : writeTime(writer, value as string);
    case 'any':
      return absent ? undefined : writer.stringField(1, JSON.stringify(value));
    case 'struct':
      return writeMessage(writer, type.struct, (value ?? {}) as JsonObject);
    case 'list': {
      const list = (value ?? []) as unknown[];
      for (let i = list.length - 1; i >= 0; i--) writeValue(writer, 1, type.items, list[i]);
      return;
    }
    case 'map':
      throw new Error('the API has no maps inside lists or maps');
  }
}

function writeTime(writer: ProtobufWriter, text: string): void {
  const micros = /\.(\d{6})Z$/.exec(text)?.[1] ?? '0';
  writer.varint(Number(micros) * 1000);
  writer.tag(2, 0);
  writer.varint(Math.floor(Date.parse(text) / 1000));
  writer.tag(1, 0);
}
