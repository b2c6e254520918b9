import { formatTime } from '../clock.js';
import { equalSteps } from '../equal-steps.js';
import { jsonEqual } from '../json-equal.js';
import { newPace } from '../pace.js';
import type { Steps } from '../steps.js';
import type { DeepReadonly, JsonObject, ManagedFieldsEntry } from '../types.js';
import { EMPTY_SET, parseSet, sortSet, union, type FieldSet } from './field-set.js';

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
function* readEntry(entry: DeepReadonly<ManagedFieldsEntry>, trusted: boolean): Steps<Owner | undefined> {
  const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsType, fieldsV1 } = entry;
  if ((operation !== 'Apply' && operation !== 'Update') || apiVersion === '' || fieldsType !== 'FieldsV1') {
    return undefined;
  }
  const set =
    fieldsV1 === undefined ? EMPTY_SET : trusted ? (fieldsV1 as FieldSet) : yield* parseSet(fieldsV1, newPace());
  if (set === undefined) return undefined;
  const owner = { manager, operation, apiVersion, subresource, set, ...(time === undefined ? {} : { time }) };
  return trusted ? { ...owner, entry } : owner;
}

/**
 * undefined when an entry is not understood: upstream then ignores all of them.
 * `known` are entries already stored, which need no checking when they come back unchanged.
 */
export function* readEntries(entries: Entries | null | undefined, known?: Entries | null): Steps<Owners | undefined> {
  const owners: Owners = new Map();
  for (const [i, entry] of (entries ?? []).entries()) {
    const stored = known === undefined || (yield* equalSteps(entry, known?.[i], newPace()));
    const owner = yield* readEntry(entry, stored);
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

/** The entry it was read from, when nothing about it changed. */
function storedEntry({ entry, time, apiVersion, set }: Owner): ManagedFieldsEntry | undefined {
  const same = entry !== undefined && entry.time === time && entry.apiVersion === apiVersion;
  return same && entry.fieldsV1 === set ? entry : undefined;
}

function* writeEntry({ manager, operation, apiVersion, subresource, set, time }: Owner): Steps<ManagedFieldsEntry> {
  return {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: yield* sortSet(set, newPace()),
    ...(subresource === '' ? {} : { subresource }),
  };
}

/** Sorted by operation, time, manager, version; undefined when nobody owns anything. */
export function* writeEntries(owners: Owners): Steps<ManagedFieldsEntry[] | undefined> {
  if (owners.size === 0) return undefined;
  const entries: ManagedFieldsEntry[] = [];
  for (const owner of owners.values()) entries.push(storedEntry(owner) ?? (yield* writeEntry(owner)));
  return entries.sort(compareEntries);
}

export const timeOf = (nowMs: number): string => formatTime(nowMs);

/** How many updaters are kept apart before the oldest are merged. */
const MAX_UPDATERS = 10;
const OLD_UPDATES_MANAGER = 'ancient-changes';

/**
 * Merges the oldest updaters, per version, once there are more than ten.
 * Source: apimachinery pkg/util/managedfields/internal/capmanagers.go.
 */
export function* capUpdaters(owners: Owners): Steps<void> {
  if (owners.size <= MAX_UPDATERS) return;
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
    owners.set(bucketId, { ...bucket, set: yield* union(owner.set, merged, newPace()), ...time });
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
