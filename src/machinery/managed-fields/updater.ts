import type { StructType } from '../schema.js';
import { jsonEqual } from '../json-equal.js';
import type { Steps } from '../steps.js';
import { compareObjects, type Comparison } from './compare.js';
import { ownerId, type Owner, type Owners } from './entries.js';
import {
  difference,
  EMPTY_SET,
  intersection,
  isEmptySet,
  recursiveDifference,
  union,
  type FieldSet,
  type MutableFieldSet,
} from './field-set.js';
import { mergeObjects, removeItems } from './merge.js';
import { fieldOf, materialize, shapeOf, type JsonMap, type Origin } from './shape.js';
import { toFieldSet, withNamedFields } from './to-field-set.js';
import type { Field, FieldType } from '../schema.js';

/**
 * Who owns what after a write: structured-merge-diff merge/update.go, on objects without managedFields.
 */

/** The kind in one version, as the updater needs it. */
export interface Versions {
  readonly apiVersion: string;
  readonly struct: StructType;
  /** Paths that this write can neither own nor take from others. */
  readonly ignored: FieldSet;
  /** Custom resources: nothing is implied, and the schema may have changed since entries were written. */
  readonly unstructured: boolean;
  /** The object in another version, with that version's schema; undefined when it is no longer served. */
  convert(object: JsonMap, to: string, from: string): { object: JsonMap; struct: StructType } | undefined;
}

export interface Conflict {
  readonly owner: Owner;
  readonly set: FieldSet;
}

/** Another manager owns what the configuration changes. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  constructor(readonly conflicts: readonly Conflict[]) {
    super('apply conflict');
  }
}

const compareAt = (
  live: JsonMap,
  object: JsonMap,
  struct: StructType,
  origin: Origin,
  versions: Versions,
): Comparison => {
  const comparison = compareObjects(live, object, struct, { left: origin, right: origin });
  if (isEmptySet(versions.ignored)) return comparison;
  return {
    removed: recursiveDifference(comparison.removed, versions.ignored),
    modified: recursiveDifference(comparison.modified, versions.ignored),
    added: recursiveDifference(comparison.added, versions.ignored),
  };
};

const isUnchanged = ({ removed, modified, added }: Comparison): boolean =>
  isEmptySet(removed) && isEmptySet(modified) && isEmptySet(added);

/** Takes from every owner but `workflow` what changed. Mutates owners. @throws ConflictError unless forced */
function* takeChanges(
  live: JsonMap,
  object: JsonMap,
  origin: Origin,
  owners: Owners,
  workflow: string | undefined,
  force: boolean,
  versions: Versions,
): Steps<Comparison> {
  const own = compareAt(live, object, versions.struct, origin, versions);
  const known = new Map<string, Comparison | undefined>([[versions.apiVersion, own]]);
  const comparisonAt = (apiVersion: string): Comparison | undefined => {
    if (known.has(apiVersion)) return known.get(apiVersion);
    const before = versions.convert(live, apiVersion, versions.apiVersion);
    const after = before === undefined ? undefined : versions.convert(object, apiVersion, versions.apiVersion);
    const comparison =
      before === undefined || after === undefined
        ? undefined
        : compareAt(before.object, after.object, before.struct, origin, versions);
    known.set(apiVersion, comparison);
    return comparison;
  };
  const conflicts = new Map<string, Conflict>();
  const taken = new Map<string, FieldSet>();
  for (const [id, owner] of owners) {
    if (id === workflow) continue;
    const comparison = comparisonAt(owner.apiVersion);
    if (comparison === undefined) {
      owners.delete(id);
      continue;
    }
    if (isUnchanged(comparison)) continue;
    yield;
    const conflict = intersection(owner.set, union(comparison.modified, comparison.added));
    if (!isEmptySet(conflict)) conflicts.set(id, { owner, set: conflict });
    taken.set(id, union(conflict, comparison.removed));
  }
  if (!force && conflicts.size > 0) throw new ConflictError([...conflicts.values()]);
  for (const [id, set] of taken) {
    yield;
    const owner = owners.get(id);
    if (owner !== undefined) owners.set(id, withSet(owner, difference(owner.set, set)));
  }
  for (const [id, owner] of owners) {
    if (isEmptySet(owner.set)) owners.delete(id);
  }
  return own;
}

const withSet = (owner: Owner, set: FieldSet): Owner => (set === owner.set ? owner : { ...owner, set });

/**
 * Sets recorded when a field was still granular own the whole field once it is atomic.
 * Source: structured-merge-diff typed/reconcile_schema.go.
 */
function reconcileNode(node: FieldSet, type: FieldType | undefined, field: Field | undefined): FieldSet {
  if (type === undefined || isEmptySet(node)) return node;
  const shape = shapeOf(type, field);
  if (shape === 'scalar' || shape === 'deduced' || type.kind === 'any') return node;
  if (shape === 'atomic') return EMPTY_SET;
  let out: MutableFieldSet | undefined;
  for (const element in node) {
    const below = node[element];
    if (element === '.' || below === undefined) continue;
    const child =
      type.kind === 'struct' && element.startsWith('f:') ? fieldOf(type.struct, element.slice(2)) : undefined;
    const childType =
      child?.type ?? (type.kind === 'map' ? type.values : type.kind === 'list' ? type.items : undefined);
    const reconciled = reconcileNode(below, childType, child);
    if (reconciled !== below) (out ??= { ...node })[element] = reconciled;
  }
  return out ?? node;
}

function reconcile(owners: Owners, versions: Versions): void {
  if (!versions.unstructured) return;
  const type: FieldType = { kind: 'struct', struct: versions.struct };
  for (const [id, owner] of owners) {
    if (owner.apiVersion === versions.apiVersion) {
      owners.set(id, withSet(owner, reconcileNode(owner.set, type, undefined)));
    }
  }
}

const exclude = (set: FieldSet, ignored: FieldSet): FieldSet =>
  isEmptySet(ignored) ? set : recursiveDifference(set, ignored);

/**
 * What an update owns now, beside what its manager owned before; owners lose it. Mutates owners.
 * @throws SchemaError
 */
export function* update(live: JsonMap, object: JsonMap, owners: Owners, versions: Versions): Steps<FieldSet> {
  reconcile(owners, versions);
  const origin = versions.unstructured ? 'raw' : 'typed';
  const comparison = yield* takeChanges(live, object, origin, owners, undefined, true, versions);
  return exclude(union(comparison.modified, comparison.added), versions.ignored);
}

/**
 * The object after an apply, or undefined when it is the live one. Mutates owners, which then say what `applier`
 * owns. @throws ConflictError, SchemaError
 */
export function* apply(
  live: JsonMap,
  config: JsonMap,
  owners: Owners,
  applier: Omit<Owner, 'set' | 'entry'>,
  system: FieldSet,
  force: boolean,
  versions: Versions,
): Steps<JsonMap | undefined> {
  reconcile(owners, versions);
  const type: FieldType = { kind: 'struct', struct: versions.struct };
  const before = versions.unstructured ? live : (materialize(live, type) as JsonMap);
  yield;
  const merged = mergeObjects(before, config, versions.struct);
  yield;
  const id = ownerId(applier);
  const last = owners.get(id);
  const set = exclude(toFieldSet(config, versions.struct, 'raw'), versions.ignored);
  owners.set(id, { ...applier, ...(last?.time === undefined ? {} : { time: last.time }), set });
  // Whatever is still applied stays, so that an apply that gives nothing up has nothing to prune.
  const prunes =
    last !== undefined && (last.apiVersion !== versions.apiVersion || !isEmptySet(difference(last.set, set)));
  yield;
  const object = prunes ? yield* prune(merged, owners, last, versions) : merged;
  yield;
  yield* takeChanges(before, object, 'raw', owners, id, force, versions);
  yield;
  const owned = owners.get(id);
  if (owned !== undefined) {
    const kept = difference(owned.set, system);
    if (isEmptySet(kept)) owners.delete(id);
    else owners.set(id, unchangedEntry(last, withSet(owned, kept)));
  }
  yield;
  return jsonEqual(before, object) ? undefined : object;
}

/** Keeps the stored entry when the applier owns exactly what it did, so that it is written back as it is. */
function unchangedEntry(last: Owner | undefined, owner: Owner): Owner {
  if (last?.entry === undefined) return owner;
  const same = isEmptySet(difference(last.set, owner.set)) && isEmptySet(difference(owner.set, last.set));
  return same ? { ...owner, set: last.set, entry: last.entry } : owner;
}

/**
 * Takes out what the applier owned and no longer applies, unless somebody else owns it. As upstream: take out all that
 * was owned, then add back what others (or the new configuration) own, then what the applier never owned.
 */
function* prune(merged: JsonMap, owners: Owners, last: Owner, versions: Versions): Steps<JsonMap> {
  const at = (object: JsonMap, apiVersion: string): { object: JsonMap; struct: StructType } | undefined =>
    apiVersion === versions.apiVersion
      ? { object, struct: versions.struct }
      : versions.convert(object, apiVersion, versions.apiVersion);
  if (isEmptySet(last.set)) return merged;
  const converted = at(merged, last.apiVersion);
  if (converted === undefined) return merged;
  const { struct } = converted;
  const type: FieldType = { kind: 'struct', struct };
  const named = (set: FieldSet): FieldSet => withNamedFields(set, type, undefined);

  let pruned = removeItems(converted.object, named(last.set), struct);
  yield;
  pruned = yield* addBackOwned(converted.object, pruned, last.apiVersion, owners, versions, struct);
  yield;
  const prunedSet = named(toFieldSet(pruned, struct, 'raw'));
  yield;
  const mergedSet = named(toFieldSet(converted.object, struct, 'raw'));
  yield;
  const gone = intersection(difference(mergedSet, prunedSet), named(last.set));
  const kept = removeItems(converted.object, gone, struct);
  if (last.apiVersion === versions.apiVersion) return kept;
  return versions.convert(kept, versions.apiVersion, last.apiVersion)?.object ?? kept;
}

function* addBackOwned(
  merged: JsonMap,
  pruned: JsonMap,
  version: string,
  owners: Owners,
  versions: Versions,
  struct: StructType,
): Steps<JsonMap> {
  const owned = new Map<string, FieldSet>();
  for (const owner of owners.values()) {
    owned.set(owner.apiVersion, union(owned.get(owner.apiVersion) ?? EMPTY_SET, owner.set));
  }
  // The version of the pruned object first, so that what conversion needs is there again.
  const order = [version, ...[...owned.keys()].filter(v => v !== version)].filter(v => owned.has(v));
  let result = pruned;
  for (const apiVersion of order) {
    const same = apiVersion === version;
    const before = same ? { object: merged, struct } : versions.convert(merged, apiVersion, version);
    const after = same ? { object: result, struct } : versions.convert(result, apiVersion, version);
    if (before === undefined || after === undefined) continue;
    const type: FieldType = { kind: 'struct', struct: before.struct };
    const named = (set: FieldSet): FieldSet => withNamedFields(set, type, undefined);
    yield;
    const keep = union(
      named(toFieldSet(after.object, before.struct, 'raw')),
      named(owned.get(apiVersion) ?? EMPTY_SET),
    );
    yield;
    const gone = difference(named(toFieldSet(before.object, before.struct, 'raw')), keep);
    yield;
    const kept = removeItems(before.object, gone, before.struct);
    result = same ? kept : (versions.convert(kept, version, apiVersion)?.object ?? result);
  }
  return result;
}

/** Paths of a conflict that `allowed` does not have. */
export const conflictsWithout = (conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] =>
  conflicts
    .map(conflict => ({ ...conflict, set: difference(conflict.set, allowed) }))
    .filter(conflict => !isEmptySet(conflict.set));
