import type { Decl, Type as SpecType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import { Type_PrimitiveType, Type_WellKnownType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import type { Value as SpecValue } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { type Any, anyUnpack, DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  opaque,
  param,
  STRING,
  struct,
  TIMESTAMP,
  typeOf,
  UINT,
  wrapper,
  type Type,
} from '../../src/machinery/cel/types.js';
import {
  ArrayList,
  Bytes,
  Duration,
  EntryMap,
  NO_OPTIONAL,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from '../../src/machinery/cel/values.js';

/** What the specification's cases are written in, as ours. */

/** A protobuf message, which Kubernetes has none of. */
export class MessageError extends Error {}

const PRIMITIVES: ReadonlyMap<Type_PrimitiveType, Type> = new Map([
  [Type_PrimitiveType.BOOL, BOOL],
  [Type_PrimitiveType.INT64, INT],
  [Type_PrimitiveType.UINT64, UINT],
  [Type_PrimitiveType.DOUBLE, DOUBLE],
  [Type_PrimitiveType.STRING, STRING],
  [Type_PrimitiveType.BYTES, BYTES],
]);

export function typeOfSpec(type: SpecType | undefined): Type {
  const kind = type?.typeKind;
  switch (kind?.case) {
    case 'primitive':
      return PRIMITIVES.get(kind.value) ?? DYN;
    case 'wrapper':
      return wrapper(PRIMITIVES.get(kind.value) ?? DYN);
    case 'null':
      return NULL;
    case 'wellKnown':
      if (kind.value === Type_WellKnownType.ANY) return DYN;
      return kind.value === Type_WellKnownType.TIMESTAMP ? TIMESTAMP : DURATION;
    case 'listType':
      return listOf(typeOfSpec(kind.value.elemType));
    case 'mapType':
      return mapOf(typeOfSpec(kind.value.keyType), typeOfSpec(kind.value.valueType));
    case 'messageType':
      return struct(kind.value);
    case 'typeParam':
      return param(kind.value);
    case 'type':
      return typeOf(typeOfSpec(kind.value));
    case 'abstractType':
      return opaque(kind.value.name, ...kind.value.parameterTypes.map(typeOfSpec));
    default:
      return DYN;
  }
}

export function variablesOfSpec(decls: readonly Decl[]): ReadonlyMap<string, Type> {
  const variables = new Map<string, Type>();
  for (const { name, declKind } of decls)
    if (declKind.case === 'ident') variables.set(name, typeOfSpec(declKind.value.type));
  return variables;
}

/** Types by the names that values of the type "type" tell. */
const NAMED: ReadonlyMap<string, Type> = new Map(
  [BOOL, BYTES, DOUBLE, DURATION, INT, listOf(DYN), mapOf(DYN, DYN), NULL, STRING, TIMESTAMP, typeOf(), UINT].map(
    type => [type.name, type],
  ),
);

const NANOS = 1_000_000_000n;

/** @throws MessageError when there is a message in it */
export function valueOfSpec(value: SpecValue): Value {
  const { kind } = value;
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
      return kind.value;
    case 'uint64Value':
      return new Uint(kind.value);
    case 'bytesValue':
      return new Bytes(kind.value);
    case 'typeValue':
      return new TypeValue(NAMED.get(kind.value) ?? opaque(kind.value));
    case 'listValue':
      return new ArrayList(kind.value.values.map(valueOfSpec));
    case 'mapValue': {
      const map = new EntryMap();
      for (const entry of kind.value.entries)
        if (entry.key !== undefined && entry.value !== undefined)
          map.put(valueOfSpec(entry.key), valueOfSpec(entry.value));
      return map;
    }
    case 'objectValue':
      return timeOf(kind.value);
    default:
      throw new MessageError(`a value of kind ${String(kind.case)}`);
  }
}

function timeOf(any: Any): Value {
  const timestamp = anyUnpack(any, TimestampSchema);
  if (timestamp !== undefined) return new Timestamp(timestamp.seconds * NANOS + BigInt(timestamp.nanos));
  const duration = anyUnpack(any, DurationSchema);
  if (duration !== undefined) return new Duration(duration.seconds * NANOS + BigInt(duration.nanos));
  if (any.typeUrl.endsWith('/optional_type')) return NO_OPTIONAL;
  throw new MessageError(any.typeUrl);
}
