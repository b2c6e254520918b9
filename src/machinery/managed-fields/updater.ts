import type { StructType } from '../schema.js';
import { equalSteps } from '../equal-steps.js';
import { newPace } from '../pace.js';
import type { Steps } from '../steps.js';
import { compareObjects, type Comparison } from './compare.js';
import { ownerId, type Owner, type Owners } from './entries.js';
import {
  covers,
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

const isUnchanged = ({ removed, modified, added }: Comparison): boolean =>
  isEmptySet(removed) && isEmptySet(modified) && isEmptySet(added);

function* compareAt(
  live: JsonMap,
  object: JsonMap,
  struct: StructType,
  origin: Origin,
  versions: Versions,
): Steps<Comparison> {
  const comparison = yield* compareObjects(live, object, struct, { left: origin, right: origin });
  const { ignored } = versions;
  if (isEmptySet(ignored) || isUnchanged(comparison)) return comparison;
  return {
    removed: yield* exclude(comparison.removed, ignored),
    modified: yield* exclude(comparison.modified, ignored),
    added: yield* exclude(comparison.added, ignored),
  };
}

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
  const own = yield* compareAt(live, object, versions.struct, origin, versions);
  const known = new Map<string, Comparison | undefined>([[versions.apiVersion, own]]);
  const comparisonAt = function* (apiVersion: string): Steps<Comparison | undefined> {
    if (known.has(apiVersion)) return known.get(apiVersion);
    const before = versions.convert(live, apiVersion, versions.apiVersion);
    const after = before === undefined ? undefined : versions.convert(object, apiVersion, versions.apiVersion);
    const comparison =
      before === undefined || after === undefined
        ? undefined
        : yield* compareAt(before.object, after.object, before.struct, origin, versions);
    known.set(apiVersion, comparison);
    return comparison;
  };
  const changed = new Map<Comparison, FieldSet>();
  const pace = newPace();
  const conflicts = new Map<string, Conflict>();
  const taken = new Map<string, FieldSet>();
  for (const [id, owner] of owners) {
    if (id === workflow) continue;
    const comparison = yield* comparisonAt(owner.apiVersion);
    if (comparison === undefined) {
      owners.delete(id);
      continue;
    }
    if (isUnchanged(comparison)) continue;
    const set = changed.get(comparison) ?? (yield* union(comparison.modified, comparison.added, pace));
    changed.set(comparison, set);
    const conflict = isEmptySet(set) ? set : yield* intersection(owner.set, set, pace);
    if (!isEmptySet(conflict)) conflicts.set(id, { owner, set: conflict });
    const lost = isEmptySet(conflict) ? comparison.removed : yield* union(conflict, comparison.removed, pace);
    if (!isEmptySet(lost)) taken.set(id, lost);
  }
  if (!force && conflicts.size > 0) throw new ConflictError([...conflicts.values()]);
  for (const [id, set] of taken) {
    const owner = owners.get(id);
    if (owner !== undefined) owners.set(id, withSet(owner, yield* difference(owner.set, set, pace)));
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

function* exclude(set: FieldSet, ignored: FieldSet): Steps<FieldSet> {
  return isEmptySet(ignored) ? set : yield* recursiveDifference(set, ignored, newPace());
}

/**
 * What an update owns now, beside what its manager owned before; owners lose it. Mutates owners.
 * @throws SchemaError
 */
export function* update(live: JsonMap, object: JsonMap, owners: Owners, versions: Versions): Steps<FieldSet> {
  reconcile(owners, versions);
  const origin = versions.unstructured ? 'raw' : 'typed';
  const comparison = yield* takeChanges(live, object, origin, owners, undefined, true, versions);
  const set = yield* union(comparison.modified, comparison.added, newPace());
  return yield* exclude(set, versions.ignored);
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
  const pace = newPace();
  const before = versions.unstructured ? live : yield* materialize(live, type, pace);
  const merged = yield* mergeObjects(before, config, versions.struct);
  const id = ownerId(applier);
  const last = owners.get(id);
  const set = yield* exclude(yield* toFieldSet(config, versions.struct, 'raw'), versions.ignored);
  const kept = yield* difference(set, system, pace);
  const owner: Owner = { ...applier, ...(last?.time === undefined ? {} : { time: last.time }), set };
  owners.set(id, owner);
  // Whatever is still applied stays, so that an apply that gives nothing up has nothing to prune.
  const keptAll = last !== undefined && (yield* covers(kept, last.set, pace));
  const prunes =
    last !== undefined &&
    (last.apiVersion !== versions.apiVersion || !(keptAll || (yield* covers(set, last.set, pace))));
  const object = prunes ? yield* prune(merged, owners, last, versions) : merged;
  yield* takeChanges(before, object, 'raw', owners, id, force, versions);
  if (isEmptySet(kept)) owners.delete(id);
  // The stored entry when the applier owns exactly what it did, so that it is written back as it is.
  else if (keptAll && last.entry !== undefined && (yield* covers(last.set, kept, pace)))
    owners.set(id, { ...owner, set: last.set, entry: last.entry });
  else owners.set(id, { ...owner, set: kept });
  return (yield* equalSteps(before, object, pace)) ? undefined : object;
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
  const pace = newPace();
  const named = (set: FieldSet): Steps<FieldSet> => withNamedFields(set, type, undefined, pace);

  const lastNamed = yield* named(last.set);
  let pruned = yield* removeItems(converted.object, lastNamed, struct);
  pruned = yield* addBackOwned(converted.object, pruned, last.apiVersion, owners, versions, struct);
  const prunedSet = yield* named(yield* toFieldSet(pruned, struct, 'raw'));
  const mergedSet = yield* named(yield* toFieldSet(converted.object, struct, 'raw'));
  const gone = yield* intersection(yield* difference(mergedSet, prunedSet, pace), lastNamed, pace);
  const kept = yield* removeItems(converted.object, gone, struct);
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
  const pace = newPace();
  const owned = new Map<string, FieldSet>();
  for (const owner of owners.values()) {
    owned.set(owner.apiVersion, yield* union(owned.get(owner.apiVersion) ?? EMPTY_SET, owner.set, pace));
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
    const named = (set: FieldSet): Steps<FieldSet> => withNamedFields(set, type, undefined, pace);
    const keep = yield* union(
      yield* named(yield* toFieldSet(after.object, before.struct, 'raw')),
      yield* named(owned.get(apiVersion) ?? EMPTY_SET),
      pace,
    );
    const all = yield* named(yield* toFieldSet(before.object, before.struct, 'raw'));
    const kept = yield* removeItems(before.object, yield* difference(all, keep, pace), before.struct);
    result = same ? kept : (versions.convert(kept, version, apiVersion)?.object ?? result);
  }
  return result;
}

/** Paths of a conflict that `allowed` does not have. */
export function* conflictsWithout(conflicts: readonly Conflict[], allowed: FieldSet): Steps<Conflict[]> {
  const rest: Conflict[] = [];
  for (const conflict of conflicts) {
    const set = yield* difference(conflict.set, allowed, newPace());
    if (!isEmptySet(set)) rest.push({ ...conflict, set });
  }
  return rest;
}
