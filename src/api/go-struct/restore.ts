import type { FieldType, StructType } from '../../machinery/schema.js';
import { GoDecodeError, JsonCursor } from '../codec/json-cursor.js';
import { base64Problem } from '../codec/read-scalar.js';
import { typeReader } from '../codec/read-type.js';

const goKind = (value: unknown): string => {
  if (Array.isArray(value)) return 'slice';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isSafeInteger(value) ? 'int64' : 'float64';
    default:
      return 'map';
  }
};

/**
 * What apimachinery pkg/runtime/converter.go (FromUnstructured) makes of a merged document, which is not what
 * encoding/json would: other words, fields in the order of the type, and whole numbers that do not fit wrap around.
 * Mutates the document. undefined: it fits the type.
 */
export function restoreProblem(value: unknown, struct: StructType): string | undefined {
  if (!isMap(value)) return `cannot restore struct from: ${goKind(value)}`;
  for (const field of struct.fields) {
    const member = value[field.name];
    if (member === undefined || member === null) continue;
    if (typeof member === 'number' && field.type.kind === 'integer')
      value[field.name] = wrapped(member, field.type.bits);
    const problem = valueProblem(member, field.type, field.goType);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const isMap = (value: unknown): value is Record<string, unknown> => goKind(value) === 'map';

/** Go's conversion of a whole number; one that no int64 has becomes the smallest, as on amd64. */
function wrapped(value: number, bits: 32 | 64): number {
  if (!Number.isInteger(value)) return value;
  const fits = Math.abs(value) < 2 ** 63;
  return Number(BigInt.asIntN(bits, fits ? BigInt(value) : -(2n ** 63n)));
}

function valueProblem(value: unknown, type: FieldType, goType: string | undefined): string | undefined {
  switch (type.kind) {
    case 'struct':
      return restoreProblem(value, type.struct);
    case 'list':
      if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
      return first(value, item => valueProblem(item, type.items, undefined));
    case 'map':
      if (!isMap(value)) return `cannot restore map from ${goKind(value)}`;
      return first(Object.values(value), item => valueProblem(item, type.values, undefined));
    case 'bytes':
      if (typeof value !== 'string') return `cannot restore slice from ${goKind(value)}`;
      return decodingProblem(base64Problem(value));
    case 'string':
      return typeof value === 'string' ? undefined : scalarProblem(value, 'string', goType);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : scalarProblem(value, 'bool', goType);
    case 'integer':
      return Number.isInteger(value) ? undefined : scalarProblem(value, `int${type.bits}`, goType);
    case 'number':
      return typeof value === 'number' ? undefined : scalarProblem(value, 'float64', goType);
    case 'quantity':
    case 'intOrString':
    case 'time':
    case 'microTime':
      return ownDecoderProblem(value, type);
    case 'any':
      return undefined;
  }
}

const decodingProblem = (problem: string | undefined): string | undefined =>
  problem === undefined ? undefined : `error decoding from json: ${problem}`;

/** Types with an UnmarshalJSON are decoded by it, on their own. */
function ownDecoderProblem(value: unknown, type: FieldType): string | undefined {
  const text = JSON.stringify(value);
  try {
    typeReader(type, '').read(new JsonCursor(text, Buffer.from(text)));
    return undefined;
  } catch (error) {
    if (error instanceof GoDecodeError) return error.message;
    throw error;
  }
}

const first = (items: readonly unknown[], check: (item: unknown) => string | undefined): string | undefined => {
  for (const item of items) {
    const problem = item === null ? undefined : check(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

/** Go converts between numbers, and from integers to strings; where it would, the converter refuses by name. */
function scalarProblem(value: unknown, kind: string, goType: string | undefined): string {
  const from = goKind(value);
  const convertible = typeof value === 'number' && kind !== 'bool' && (kind !== 'string' || from === 'int64');
  return convertible
    ? `cannot convert ${from} to ${(goType ?? kind).replace(/^\*/, '')}`
    : `unrecognized type: ${kind}`;
}
