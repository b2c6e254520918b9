/**
 * Types of the Common Expression Language, as the checker sees them. Values forget parameters: a value knows only that it
 * is a list, and `runtimeName` is what `type()` says of it.
 */
export type TypeKind =
  | 'dyn'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'type'
  | 'opaque'
  | 'struct'
  | 'param'
  | 'wrapper';

export interface Type {
  readonly kind: TypeKind;
  /** What `type()` says; the name of a parameter. */
  readonly name: string;
  /** A list has one, a map two, an opaque type what it was declared with; a wrapper what it wraps. */
  readonly params: readonly Type[];
}

const NONE: readonly Type[] = [];
const simple = (kind: TypeKind, name: string = kind): Type => ({ kind, name, params: NONE });

export const DYN = simple('dyn');
export const ERROR = simple('error', '*error*');
export const NULL = simple('null', 'null_type');
export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const TIMESTAMP = simple('timestamp', 'google.protobuf.Timestamp');
export const DURATION = simple('duration', 'google.protobuf.Duration');

export const listOf = (item: Type): Type => ({ kind: 'list', name: 'list', params: [item] });
export const mapOf = (key: Type, value: Type): Type => ({ kind: 'map', name: 'map', params: [key, value] });
export const typeOf = (of?: Type): Type => ({ kind: 'type', name: 'type', params: of === undefined ? NONE : [of] });
/** A parameter of one overload: it stands for the same type everywhere in it. */
export const param = (name: string): Type => simple('param', name);
/** A type without fields, whose values only functions look into; cel-go's "abstract" types. */
export const opaque = (name: string, ...params: readonly Type[]): Type => ({ kind: 'opaque', name, params });
/** A type with fields that a provider declares (`TypeProvider`). */
export const struct = (name: string): Type => simple('struct', name);
/** The same or null, as google.protobuf.Int64Value. */
export const wrapper = (of: Type): Type => ({ kind: 'wrapper', name: of.name, params: [of] });
export const optionalOf = (of: Type): Type => opaque('optional_type', of);
export const isOptional = (type: Type): boolean => type.kind === 'opaque' && type.name === 'optional_type';

/** As cel-go writes it in messages of its checker: "map(string, dyn)". */
export function formatType(type: Type): string {
  switch (type.kind) {
    case 'wrapper':
      return `wrapper(${type.name})`;
    case 'error':
      return '!error!';
    case 'null':
      return 'null';
    case 'timestamp':
    case 'duration':
      return type.kind;
    default:
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(', ')})`;
  }
}

/** As cel-go prints a type elsewhere, such as what an expression came out as: "google.protobuf.Timestamp". */
export function printType(type: Type): string {
  if (type.kind === 'wrapper') return `wrapper(${type.name})`;
  if (type.kind === 'param') return `<${type.name}>`;
  return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(printType).join(', ')})`;
}
