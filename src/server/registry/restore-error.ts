import type { FieldType, StructType } from '../../machinery/schema.js';

/**
 * Why a strategic merge result does not fit the type, in the words of apimachinery
 * pkg/runtime/converter.go (FromUnstructured), which are not those of encoding/json. undefined: nothing it would name.
 */
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

const isMap = (value: unknown): value is Record<string, unknown> => goKind(value) === 'map';

export function restoreError(value: unknown, struct: StructType): string | undefined {
  if (!isMap(value)) return `cannot restore struct from: ${goKind(value)}`;
  for (const field of struct.fields) {
    const member = value[field.name];
    const problem = member === undefined || member === null ? undefined : valueError(member, field.type, field.goType);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function valueError(value: unknown, type: FieldType, goType: string | undefined): string | undefined {
  switch (type.kind) {
    case 'struct':
      return restoreError(value, type.struct);
    case 'list':
      if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
      return first(value, item => valueError(item, type.items, undefined));
    case 'map':
      if (!isMap(value)) return `cannot restore map from ${goKind(value)}`;
      return first(Object.values(value), item => valueError(item, type.values, undefined));
    case 'bytes':
      return typeof value === 'string' ? undefined : `cannot restore slice from ${goKind(value)}`;
    case 'string':
      return typeof value === 'string' ? undefined : scalarError(value, 'string', goType);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : scalarError(value, 'bool', goType);
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : scalarError(value, `int${type.bits}`, goType);
    case 'number':
      return typeof value === 'number' ? undefined : scalarError(value, 'float64', goType);
    // Those have a decoder of their own, whose text is the caller's.
    case 'quantity':
    case 'intOrString':
    case 'time':
    case 'microTime':
    case 'any':
      return undefined;
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
function scalarError(value: unknown, kind: string, goType: string | undefined): string {
  const from = goKind(value);
  const convertible = typeof value === 'number' && kind !== 'bool' && (kind !== 'string' || from === 'int64');
  return convertible
    ? `cannot convert ${from} to ${(goType ?? kind).replace(/^\*/, '')}`
    : `unrecognized type: ${kind}`;
}
