import { formatTime } from '../clock.js';
import { jsonEqual } from '../json-equal.js';
import type { DeepReadonly, JsonObject, ManagedFieldsEntry } from '../types.js';
import { EMPTY_SET, parseSet, sortSet, type FieldSet } from './field-set.js';

/**
 * metadata.managedFields as the updater works on it: who owns what, by manager identifier.
 * Source: apimachinery pkg/util/managedfields/internal/managedfields.go.
 */

export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly set: FieldSet;
  readonly time?: string;
  /** The entry it was read from; written back as it is while nothing changed. */
  readonly entry?: DeepReadonly<ManagedFieldsEntry>;
}

/** In insertion order, by ownerId. */
export type Owners = Map<string, Owner>;

type OwnerName = Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

/** Appliers are one owner whatever version they apply; updaters are one per version. */
export const ownerId = ({ manager, operation, apiVersion, subresource }: OwnerName): string =>
  JSON.stringify({
    ...(manager === '' ? {} : { manager }),
    operation,
    ...(operation === 'Apply' || apiVersion === '' ? {} : { apiVersion }),
    ...(subresource === '' ? {} : { subresource }),
  });

type Entries = readonly DeepReadonly<ManagedFieldsEntry>[];

/** `trusted` entries were written by this server: their sets are taken as they are. */
function readEntry(entry: DeepReadonly<ManagedFieldsEntry>, trusted: boolean): Owner | undefined {
  const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsType, fieldsV1 } = entry;
  if ((operation !== 'Apply' && operation !== 'Update') || apiVersion === '' || fieldsType !== 'FieldsV1') {
    return undefined;
  }
  const set = fieldsV1 === undefined ? EMPTY_SET : trusted ? (fieldsV1 as FieldSet) : parseSet(fieldsV1);
  if (set === undefined) return undefined;
  const owner = { manager, operation, apiVersion, subresource, set, ...(time === undefined ? {} : { time }) };
  return trusted ? { ...owner, entry } : owner;
}

/**
 * undefined when an entry is not understood: upstream then ignores all of them.
 * `known` are entries already stored, which need no checking when they come back unchanged.
 */
export function readEntries(entries: Entries | null | undefined, known?: Entries | null): Owners | undefined {
  const owners: Owners = new Map();
  for (const [i, entry] of (entries ?? []).entries()) {
    const stored = known === undefined || jsonEqual(entry, known?.[i]);
    const owner = readEntry(entry, stored);
    if (owner === undefined) return undefined;
    owners.set(ownerId(owner), owner);
  }
  return owners;
}

const seconds = (time: string | undefined): number => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1000));
const compareText = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);

const compareEntries = (a: ManagedFieldsEntry, b: ManagedFieldsEntry): number =>
  compareText(a.operation, b.operation) ||
  seconds(a.time) - seconds(b.time) ||
  compareText(a.manager, b.manager) ||
  compareText(a.apiVersion, b.apiVersion) ||
  compareText(a.subresource, b.subresource);

function writeEntry(owner: Owner): ManagedFieldsEntry {
  const { manager, operation, apiVersion, subresource, set, time, entry } = owner;
  if (entry !== undefined && entry.time === time && entry.apiVersion === apiVersion) {
    if (entry.fieldsV1 === set) return entry;
  }
  return {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: sortSet(set),
    ...(subresource === '' ? {} : { subresource }),
  };
}

/** Sorted by operation, time, manager, version; undefined when nobody owns anything. */
export function writeEntries(owners: Owners): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  return [...owners.values()].map(writeEntry).sort(compareEntries);
}

export const timeOf = (nowMs: number): string => formatTime(nowMs);

/** How many updaters are kept apart before the oldest are merged. */
const MAX_UPDATERS = 10;
const OLD_UPDATES_MANAGER = 'ancient-changes';

/**
 * Merges the oldest updaters, per version, once there are more than ten.
 * Source: apimachinery pkg/util/managedfields/internal/capmanagers.go.
 */
export function capUpdaters(owners: Owners, union: (a: FieldSet, b: FieldSet) => FieldSet): void {
  const updaters = [...owners].filter(([, owner]) => owner.operation === 'Update');
  let count = updaters.length;
  if (count <= MAX_UPDATERS) return;
  updaters.sort(([idA, a], [idB, b]) => seconds(a.time) - seconds(b.time) || compareText(idA, idB));
  const firstOf = new Map<string, string>();
  for (const [id, owner] of updaters) {
    if (count <= MAX_UPDATERS) return;
    const { apiVersion } = owner;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, id);
      continue;
    }
    const bucket: OwnerName = { manager: OLD_UPDATES_MANAGER, operation: 'Update', apiVersion, subresource: '' };
    const bucketId = ownerId(bucket);
    let merged = owners.get(bucketId)?.set;
    if (merged === undefined) {
      merged = owners.get(first)?.set ?? EMPTY_SET;
      owners.delete(first);
    }
    // The time of the one merged last, which is the most recent.
    const time = owner.time === undefined ? {} : { time: owner.time };
    owners.set(bucketId, { ...bucket, set: union(owner.set, merged), ...time });
    owners.delete(id);
    count--;
  }
}

/**
 * Puts back the times of `old` when nothing but times differs, so that a write that changes nothing is seen as one.
 * Call it last before storing. Mutates `object`.
 * Source: apiserver pkg/endpoints/handlers/fieldmanager/equality.go.
 */
export function keepTimesIfUnchanged(
  object: { metadata: { managedFields?: ManagedFieldsEntry[] } } & JsonObject,
  old: DeepReadonly<{ metadata: { managedFields?: ManagedFieldsEntry[] } } & JsonObject>,
): void {
  const entries = object.metadata.managedFields ?? [];
  const before = old.metadata.managedFields ?? [];
  if (entries.length !== before.length || entries.every((entry, i) => entry.time === before[i]?.time)) return;
  const sameEntries = entries.every((entry, i) =>
    jsonEqual({ ...entry, time: undefined }, { ...before[i], time: undefined }),
  );
  if (!sameEntries) return;
  const bare = (o: typeof object | typeof old): unknown => ({
    ...o,
    metadata: { ...o.metadata, managedFields: undefined },
  });
  if (jsonEqual(bare(object), bare(old))) object.metadata.managedFields = [...before] as ManagedFieldsEntry[];
}
