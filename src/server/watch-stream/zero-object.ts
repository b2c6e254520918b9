import type { Field, StructType } from '../../machinery/schema.js';

function zeroValue(field: Field): unknown {
  if (field.pointer) return null;
  switch (field.type.kind) {
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return 0;
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'struct':
      return zeroStruct(field.type.struct, []);
    default:
      return null;
  }
}

/**
 * Go's zero value of a type as encoding/json writes it: fields without omitempty, and structs, whose omitempty has no
 * effect in Go.
 */
export function zeroStruct(type: StructType, except: readonly string[]): Record<string, unknown> {
  const zero: Record<string, unknown> = {};
  for (const field of type.fields) {
    if (except.includes(field.name)) continue;
    const plainStruct = field.type.kind === 'struct' && !field.pointer && field.omit !== 'zero';
    if (field.omit === 'never' || plainStruct) zero[field.name] = zeroValue(field);
  }
  return zero;
}
