import {
  forbidden,
  invalid,
  notSupported,
  path,
  required,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.js';
import { internalItems, jsonString, printed } from '../internal-json.js';
import type { Schema } from '../types.js';
import { itemsOf } from '../walk-schema.js';

const LIST_TYPES = ['atomic', 'set', 'map'];

/** x-kubernetes-list-type and x-kubernetes-list-map-keys. */
export function checkListKeywords(out: FieldError[], at: FieldPath, schema: Schema, setsOfMaps: boolean): void {
  const { type = '', 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  const where = at.child('x-kubernetes-list-type');
  if (listType !== undefined && type !== 'array') {
    const why = 'must be array if x-kubernetes-list-type is specified';
    out.push(type === '' ? required(at.child('type'), why) : invalid(at.child('type'), type, why));
  } else if (listType === 'set' && !setsOfMaps) checkSetItems(out, at.child('items'), itemsOf(schema));
  if (listType !== undefined && !LIST_TYPES.includes(listType)) out.push(notSupported(where, listType, LIST_TYPES));
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    out.push(listType === undefined ? required(where, why) : invalid(where, listType, why));
  }
  if (listType === 'map') checkMap(out, at, schema, keys);
}

/** What is in a set must not change within. */
function checkSetItems(out: FieldError[], at: FieldPath, items: Schema | undefined): void {
  if (items === undefined) return;
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-map-type': mapType } = items;
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  if (items.type === 'array' && (listType ?? 'atomic') !== 'atomic')
    out.push(invalid(at.child('x-kubernetes-list-type'), jsonString(listType), why));
  // Upstream shows the other one of the two.
  if (items.type === 'object' && mapType !== 'atomic')
    out.push(invalid(at.child('x-kubernetes-map-type'), jsonString(listType), why));
}

function checkMap(out: FieldError[], at: FieldPath, schema: Schema, keys: readonly string[]): void {
  const where = at.child('x-kubernetes-list-map-keys');
  const items = itemsOf(schema);
  if (keys.length === 0) out.push(required(where, 'must not be empty if x-kubernetes-list-type is map'));
  if (schema.items === undefined) {
    out.push(required(at.child('items'), 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (items === undefined) {
    const shown = printed(() => internalItems(schema.items));
    out.push(invalid(at.child('items'), shown, 'must only have a single schema if x-kubernetes-list-type is map'));
    return;
  }
  const { type = '', properties = {} } = items;
  if (type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    out.push(invalid(at.child('items', 'type'), type, why));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const member = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (member === undefined) out.push(invalid(where, keys, 'entries must all be names of item properties'));
    else if (member.type === 'array' || member.type === 'object') {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      // Upstream shows the type of the item.
      out.push(invalid(at.child('items', 'properties').key(key).child('type'), type, why));
    }
    if (seen.has(key)) out.push(invalid(where, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
}

/** Keys must have a value; what is in a set or a list with keys may not be null. */
export function checkMapKeys(out: FieldError[], at: FieldPath, schema: Schema): void {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  const items = itemsOf(schema);
  if (items === undefined || (listType !== 'set' && listType !== 'map')) return;
  const where = at.child('items');
  if (items.nullable === true)
    out.push(forbidden(where.child('nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === 'set') return;
  const needed = new Set(items.required ?? []);
  const { properties = {} } = items;
  for (const key of keys) {
    const member = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (member === undefined) continue;
    const here = where.child('properties').key(key);
    const what = 'this property is in x-kubernetes-list-map-keys, so it';
    if (!needed.has(key) && member.default === undefined)
      out.push(required(here.child('default'), `${what} must have a default or be a required property`));
    if (member.nullable === true) out.push(forbidden(here.child('nullable'), `${what} cannot be nullable`));
  }
}

export function mapKeyErrors(schema: Schema): FieldError[] {
  const out: FieldError[] = [];
  checkMapKeys(out, path(), schema);
  return out;
}
