import type { Field, FieldType, StructType } from '../schema.js';
import { quote } from '../go-text.js';
import { ownMember, setMember } from '../json-equal.js';
import { isDue, type Pace } from '../pace.js';
import type { Steps } from '../steps.js';
import { fieldElement, keyElement, valueElement } from './path-element.js';

/**
 * How server-side apply sees a field: what is one value, what is merged, how list items are told apart.
 * Source: kube-openapi pkg/schemaconv, structured-merge-diff typed/helpers.go and value/reflectcache.go.
 */

export type Shape =
  | 'scalar'
  /** A list, map or struct that is one value. */
  | 'atomic'
  | 'struct'
  | 'map'
  /** A list whose items are known by some of their fields. */
  | 'keyed'
  /** A list whose items are known by their value. */
  | 'set'
  /** Any JSON, whose maps are merged member by member. */
  | 'deduced';

/** It has no paths below its own. */
export const isOneValue = (shape: Shape): boolean => shape === 'scalar' || shape === 'atomic';

export function shapeOf(type: FieldType, field: Field | undefined): Shape {
  switch (type.kind) {
    case 'struct':
      return (field?.mapType ?? type.struct.mapType) === 'atomic' ? 'atomic' : 'struct';
    case 'map':
      return field?.mapType === 'atomic' ? 'atomic' : 'map';
    case 'list':
      return listShape(field);
    case 'any':
      return (field?.mapType ?? type.mapType) === 'granular' ? 'deduced' : 'atomic';
    default:
      return 'scalar';
  }
}

/** Without a list type the patch strategy decides. */
function listShape(field: Field | undefined): Shape {
  switch (field?.listType) {
    case 'map':
      return 'keyed';
    case 'set':
      return 'set';
    case 'atomic':
      return 'atomic';
    case undefined:
      if (field?.patchStrategy !== 'merge' && field?.patchStrategy !== 'merge,retainKeys') return 'atomic';
      return field.patchMergeKey === undefined ? 'set' : 'keyed';
  }
}

const listKeys = (field: Field): readonly string[] =>
  field.listMapKeys ?? (field.patchMergeKey === undefined ? [] : [field.patchMergeKey]);

/** What a member that the schema does not name is, where such members are kept. */
export const DEDUCED: Field = {
  name: '',
  type: { kind: 'any' },
  mapType: 'granular',
  pointer: true,
  omit: 'empty',
  required: false,
};

const keepsUnknown = (struct: StructType): boolean =>
  struct.preserveUnknownFields === true || struct.fields.length === 0;

/** The field of a struct; undefined: not declared in the schema. */
export const fieldOf = (struct: StructType, name: string): Field | undefined =>
  struct.byName.get(name) ?? (keepsUnknown(struct) ? DEDUCED : undefined);

export type JsonMap = Readonly<Record<string, unknown>>;

export const asMap = (value: unknown): JsonMap | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : undefined;
export const asList = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

/**
 * Where a value comes from, which decides what its absent members are.
 * typed: an object as the server keeps it, a Go struct upstream: members that Go always has are there.
 * raw: as a client sent it, a custom resource, or `materialize`d.
 */
export type Origin = 'typed' | 'raw';

const NOTHING: JsonMap = Object.freeze({});

/** What Go's zero value of a field is when written: undefined when it is left out. */
function zeroOf(field: Field): unknown {
  if (field.pointer) return field.omit === 'never' ? null : undefined;
  // A Go struct is written though it is empty; "omitempty" has no effect on it, "omitzero" has.
  switch (field.type.kind) {
    case 'struct':
      return field.omit === 'zero' ? undefined : NOTHING;
    case 'quantity':
      return field.omit === 'zero' ? undefined : '0';
    case 'intOrString':
      return field.omit === 'zero' ? undefined : 0;
    case 'time':
    case 'microTime':
    case 'any':
      return field.omit === 'zero' ? undefined : null;
    case 'list':
    case 'map':
    case 'bytes':
      return field.omit === 'never' ? null : undefined;
    case 'string':
      return field.omit === 'never' ? '' : undefined;
    case 'integer':
    case 'number':
      return field.omit === 'never' ? 0 : undefined;
    case 'boolean':
      return field.omit === 'never' ? false : undefined;
  }
}

const isEmptyValue = (value: unknown, type: FieldType): boolean => {
  switch (type.kind) {
    case 'list':
      return Array.isArray(value) && value.length === 0;
    case 'map':
      return asMap(value) !== undefined && Object.keys(value as JsonMap).length === 0;
    default:
      return value === '' || value === 0 || value === false;
  }
};

/** Kinds that Go leaves out when empty. */
const omitsEmpty = (field: Field): boolean => {
  if (field.pointer || field.omit !== 'empty') return false;
  switch (field.type.kind) {
    case 'struct':
    case 'quantity':
    case 'intOrString':
    case 'time':
    case 'microTime':
    case 'any':
      return false;
    default:
      return true;
  }
};

/** The value that structured merge sees at a field: undefined when the field is not there. */
export function present({ field, zero }: Member, value: unknown, origin: Origin): unknown {
  if (origin === 'raw') return value;
  if (value === undefined || value === null) return zero;
  return omitsEmpty(field) && isEmptyValue(value, field.type) ? undefined : value;
}

/** A field of a struct, with what would otherwise be worked out at every visit. */
export interface Member {
  readonly field: Field;
  /** Its path element, one string for all objects. */
  readonly element: string;
  /** Its value where the JSON has none; undefined: it is absent. */
  readonly zero: unknown;
}

interface Members {
  readonly byName: ReadonlyMap<string, Member>;
  /** Those that are there though the JSON does not say so. */
  readonly implied: readonly Member[];
}

/** A memo: a StructType never changes, and goes with the schema it belongs to. */
const compiled = new WeakMap<StructType, Members>();

function membersOf(struct: StructType): Members {
  const known = compiled.get(struct);
  if (known !== undefined) return known;
  const members = struct.fields.map(field => ({ field, element: fieldElement(field.name), zero: zeroOf(field) }));
  const made: Members = {
    byName: new Map(members.map(member => [member.field.name, member])),
    implied: members.filter(member => member.zero !== undefined),
  };
  compiled.set(struct, made);
  return made;
}

/** The member of a value of this type; undefined: not declared in the schema, or a member of a map. */
export function memberOf(type: FieldType, name: string): Member | undefined {
  if (type.kind === 'any') return { field: DEDUCED, element: fieldElement(name), zero: undefined };
  if (type.kind !== 'struct') return undefined;
  const member = membersOf(type.struct).byName.get(name);
  if (member !== undefined || !keepsUnknown(type.struct)) return member;
  return { field: DEDUCED, element: fieldElement(name), zero: undefined };
}

const NONE: readonly Member[] = [];

/** The members that a value of this type has though its JSON may not say so. */
export const impliedMembers = (type: FieldType, origin: Origin): readonly Member[] =>
  origin === 'typed' && type.kind === 'struct' ? membersOf(type.struct).implied : NONE;

/**
 * A typed value with all its members spelled out, so that it can be merged with raw ones: a member that is taken away
 * later is then really gone.
 */
export function* materialize(whole: JsonMap, wholeType: FieldType, pace: Pace): Steps<JsonMap> {
  const top: Record<string, unknown> = {};
  // What is in a value waits in a list and has no steps of its own, which cost more than what they would cut.
  const waiting: { from: object; to: object; type: FieldType }[] = [{ from: whole, to: top, type: wholeType }];
  const copyOf = (value: unknown, type: FieldType | undefined): unknown => {
    if (typeof value !== 'object' || value === null || type === undefined) return value;
    if (Array.isArray(value) !== (type.kind === 'list')) return value;
    const to = Array.isArray(value) ? [] : {};
    waiting.push({ from: value, to, type });
    return to;
  };
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { from, to, type } = next;
    if (Array.isArray(from)) {
      for (const item of from as unknown[]) {
        if (isDue(pace)) yield;
        (to as unknown[]).push(copyOf(item, type.kind === 'list' ? type.items : undefined));
      }
      continue;
    }
    const map = from as JsonMap;
    const out = to as Record<string, unknown>;
    for (const name in map) {
      if (isDue(pace)) yield;
      const member = type.kind === 'struct' ? memberOf(type, name) : undefined;
      const child = member === undefined ? map[name] : present(member, map[name], 'typed');
      if (child === undefined) continue;
      setMember(out, name, copyOf(child, member?.field.type ?? (type.kind === 'map' ? type.values : undefined)));
    }
    for (const { field, zero } of impliedMembers(type, 'typed'))
      if (map[field.name] === undefined) out[field.name] = copyOf(zero, field.type);
  }
  return top;
}

/** An object that does not fit its schema. `message` is upstream's text, `path` where it was found. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** The path element of an item of a keyed list or a set. @throws SchemaError with upstream's text */
export function itemElement(item: unknown, shape: 'keyed' | 'set', field: Field, items: FieldType): string {
  if (shape === 'set' || listKeys(field).length === 0) return setElement(item);
  if (item === null || item === undefined) {
    throw new SchemaError('associative list with keys may not have a null element');
  }
  const map = asMap(item);
  if (map === undefined) throw new SchemaError('associative list with keys may not have non-map elements');
  const keys: [string, unknown][] = [];
  for (const name of listKeys(field)) {
    const given = ownMember(map, name);
    const value = given === undefined && items.kind === 'struct' ? items.struct.byName.get(name)?.default : given;
    if (value !== undefined) keys.push([name, value]);
  }
  if (keys.length === 0) {
    const names = listKeys(field).map(quote).join(' ');
    throw new SchemaError(
      `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    );
  }
  if (keys.length > 1) keys.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return keyElement(keys);
}

function setElement(item: unknown): string {
  if (item === null || item === undefined) {
    throw new SchemaError("associative list without keys has an element that's an explicit null");
  }
  if (Array.isArray(item)) throw new SchemaError('not supported: associative list with lists as elements');
  if (typeof item === 'object') {
    throw new SchemaError("associative list without keys has an element that's a map type");
  }
  return valueElement(item);
}
