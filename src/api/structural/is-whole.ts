import type { StructType } from '../../machinery/schema.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { isCanonicalStruct } from '../codec/is-canonical.js';
import { memberSchema, type Structural } from './structural-schema.js';

/**
 * Nearly every object is what its schema makes of it: nothing to prune, no null to drop, in what the server has written
 * no default to fill in. One look at each member finds that out and makes nothing. All of this may say no of an object
 * that reading would leave as it is.
 */
interface Look {
  readonly objectMeta: StructType;
  /** Defaults are filled in, too. */
  readonly defaults: boolean;
  /** So many members and items may still be looked at in one go. */
  left: number;
}

type Members = Readonly<Record<string, unknown>>;

/** Of more than this the answer is no: reading does it in steps. */
const MAX_MEMBERS = 10_000;

/** Whether what is stored is already what reading makes of it. */
export function isRestored(object: DeepReadonly<KubeObject>, schema: Structural, objectMeta: StructType): boolean {
  const { metadata } = object;
  // Very old objects have no generation: they get one.
  if ((metadata.generation ?? 0) === 0 || !isCanonicalStruct(metadata, objectMeta)) return false;
  const look: Look = { objectMeta, defaults: true, left: Infinity };
  return isMapWhole(object, schema, schema.preservesUnknown, look, true);
}

/** Whether nothing but the metadata of an object differs from what the schema knows. */
export const isPruned = (object: Members, schema: Structural, objectMeta: StructType): boolean =>
  isMapWhole(object, schema, schema.preservesUnknown, { objectMeta, defaults: false, left: MAX_MEMBERS }, true);

/** `keeps`: members without a schema stay. */
function isWhole(value: object, schema: Structural | undefined, keeps: boolean, look: Look): boolean {
  if (!Array.isArray(value)) return isMapWhole(value as Members, schema, keeps, look, false);
  const items = schema?.items;
  if (keeps && items === undefined) return true;
  if ((look.left -= value.length) < 0) return false;
  for (const item of value as readonly unknown[]) {
    if (typeof item !== 'object') continue;
    if (item === null) {
      // Nulls in lists stay, unless there is a default to take their place.
      if (items?.nullable === false && items.default !== undefined) return false;
    } else if (!isWhole(item, items, keeps || items?.preservesUnknown === true, look)) return false;
  }
  return true;
}

function isMapWhole(
  map: Members,
  schema: Structural | undefined,
  keeps: boolean,
  look: Look,
  isRoot: boolean,
): boolean {
  const isObject = isRoot || schema?.embedded === true;
  for (const key in map) {
    const value = map[key];
    if (value === undefined) continue;
    if (--look.left < 0) return false;
    if (isObject && TYPE_AND_META.has(key)) {
      if (!isRoot && !isOwnMember(key, value, schema, look)) return false;
      continue;
    }
    const member = schema === undefined ? undefined : memberSchema(schema, key);
    if (member === undefined) {
      if (!keeps) return false;
      continue;
    }
    if (typeof value !== 'object') continue;
    const inner = member === 'anything' ? undefined : member;
    if (value === null) {
      if (inner?.nullable === false) return false;
    } else if (!isWhole(value, inner, inner?.preservesUnknown === true, look)) return false;
  }
  return !look.defaults || schema?.hasDefaults !== true || hasDefaultedMembers(map, schema, isRoot);
}

const TYPE_AND_META: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** What every object of the API has, in an embedded one. */
function isOwnMember(key: string, value: unknown, schema: Structural | undefined, look: Look): boolean {
  if (key !== 'metadata') return typeof value === 'string';
  // What a schema says of such metadata comes on top of Go's form: whoever reads it looks at that.
  return schema?.properties.has('metadata') !== true && isCanonicalStruct(value, look.objectMeta);
}

function hasDefaultedMembers(map: Members, schema: Structural, isRoot: boolean): boolean {
  for (const [name, member] of schema.properties) {
    if (member.default === undefined || (Object.hasOwn(map, name) && map[name] !== undefined)) continue;
    // The root says itself what it is, and its metadata is not the schema's.
    if (!(isRoot && TYPE_AND_META.has(name))) return false;
  }
  return true;
}
