import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  ERROR,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
  type Type,
} from './types.js';
import { Bytes, keyOf, type MapValue, type Value } from './values.js';

/** What is known of types at run time: no parameters. */
const LIST = listOf(DYN);
const MAP = mapOf(DYN, DYN);
const TYPE = typeOf();
const OPTIONAL = optionalOf(DYN);

export function runtimeType(value: Value): Type {
  switch (typeof value) {
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
    case 'boolean':
      return BOOL;
    default:
  }
  if (value === null) return NULL;
  switch (value.kind) {
    case 'uint':
      return UINT;
    case 'bytes':
      return BYTES;
    case 'timestamp':
      return TIMESTAMP;
    case 'duration':
      return DURATION;
    case 'type':
      return TYPE;
    case 'list':
      return LIST;
    case 'map':
      return MAP;
    case 'optional':
      return OPTIONAL;
    case 'error':
      return ERROR;
    default:
      return value.type;
  }
}

/** Whether a value may be an argument that is declared so; `deep`: with what is in it first. */
export function fits(value: Value, type: Type, deep = true): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
      return true;
    case 'int':
      return typeof value === 'bigint';
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'bytes':
      return value instanceof Bytes;
    case 'wrapper':
      return value === null || fits(value, type.params[0] as Type);
    case 'opaque':
    case 'struct':
      return runtimeType(value).name === type.name;
    case 'list':
      return isKind(value, 'list') && (!deep || value.size === 0 || fits(value.at(0), itemType(type, 0)));
    case 'map':
      return isKind(value, 'map') && (!deep || fitsFirstEntry(value, type));
    default:
      return isKind(value, type.kind as 'type');
  }
}

type Kinded = Extract<Value, { readonly kind: string }>;

const isKind = <K extends Kinded['kind']>(value: Value, kind: K): value is Extract<Kinded, { readonly kind: K }> =>
  value !== null && typeof value === 'object' && value.kind === kind;

const itemType = ({ params }: Type, index: number): Type => params[index] ?? DYN;

/** cel-go looks at the first thing in a list or map, and takes the rest for the same. */
function fitsFirstEntry(map: MapValue, type: Type): boolean {
  for (const key of map.keys()) {
    const by = keyOf(key);
    const value = by === undefined ? undefined : map.find(by);
    return fits(key, itemType(type, 0)) && (value === undefined || fits(value, itemType(type, 1)));
  }
  return true;
}

/** Go's name of a value's type, which some of cel-go's messages tell. */
export function goTypeName(value: Value): string {
  const { kind, name } = runtimeType(value);
  const simple = ['int', 'double', 'string', 'bool', 'uint', 'bytes', 'timestamp', 'duration'];
  if (simple.includes(kind)) return `types.${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  if (kind === 'null') return 'types.Null';
  if (kind === 'opaque' && name === 'optional_type') return '*types.Optional';
  return kind === 'type' ? '*types.Type' : name;
}
