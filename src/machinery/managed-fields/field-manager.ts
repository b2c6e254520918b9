import { cloneSteps } from '../clone-steps.js';
import { newPace } from '../pace.js';
import type { StructType } from '../schema.js';
import { badRequestError, reasonlessError } from '../status.js';
import type { Steps } from '../steps.js';
import type { DeepReadonly, KubeObject, ManagedFieldsEntry } from '../types.js';
import { conflictError } from './conflict-error.js';
import { capUpdaters, ownerId, readEntries, timeOf, writeEntries, type Owner, type Owners } from './entries.js';
import { difference, EMPTY_SET, isEmptySet, pathElements, setOfPaths, union, type FieldSet } from './field-set.js';
import { refreshLastApplied, setByClientSideApply } from './last-applied.js';
import { SchemaError, type JsonMap } from './shape.js';
import { NO_OBJECT, SYSTEM_FIELDS, tracked, withoutManagedFields } from './tracked-object.js';
import { apply, ConflictError, conflictsWithout, update, type Versions } from './updater.js';
import { validateConfiguration } from './validate.js';

/**
 * Server-side apply and ownership tracking: the field manager of one kind in one version.
 * Source: apimachinery pkg/util/managedfields and sigs.k8s.io/structured-merge-diff.
 *
 * Both operations expect objects as the server keeps them (decoded, defaulted), with apiVersion and kind set.
 */
export interface FieldManager {
  /**
   * For create (live undefined), update and the non-apply patches: sets object.metadata.managedFields so that `manager`
   * owns what it changed. Call it after decoding and defaulting, before admission. Never throws for bad
   * managedFields: what cannot be understood is dropped.
   */
  update(live: DeepReadonly<KubeObject> | undefined, object: KubeObject, write: FieldWrite): Steps<void>;
  /**
   * Merges `applied` (as the client sent it, undefaulted) into `live`; returns a new object with managedFields set,
   * to be decoded, defaulted and validated by the caller: it may have null where a field went. `live` undefined: the
   * object is being created.
   * @throws StatusError 409 with FieldManagerConflict causes, 400, or a reasonless 500 for schema errors
   */
  apply(
    live: DeepReadonly<KubeObject> | undefined,
    applied: DeepReadonly<KubeObject>,
    write: FieldWrite & { readonly force: boolean },
  ): Steps<KubeObject>;
}

export interface FieldWrite {
  readonly manager: string;
  /** "" for the main resource, "status", "scale", ... */
  readonly subresource: string;
  /** Clock.now() */
  readonly nowMs: number;
}

export interface Converted {
  readonly object: JsonMap;
  readonly struct: StructType;
}

export interface FieldManagerOptions {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Paths ("spec", "metadata.annotations") that a write through '' or a subresource cannot own; see ResourceInfo. */
  readonly resetFields: Readonly<Record<string, readonly string[]>>;
  /** Custom resources: an absent member is absent, whatever its type. */
  readonly unstructured?: boolean;
  /**
   * Converts an object between versions of the kind, for entries recorded in another one; undefined: that version is no
   * longer served. The object may be without kind, apiVersion and system metadata. Needed only for kinds with several
   * versions; the default knows this version only.
   */
  readonly convert?: (object: JsonMap, to: string, from: string) => Converted | undefined;
}

const BEFORE_FIRST_APPLY = 'before-first-apply';
const KUBECTL = 'kubectl';

/** [] and [{}] ask for ownership to be forgotten. */
const asksForReset = (entries: readonly DeepReadonly<ManagedFieldsEntry>[] | undefined | null): boolean => {
  if (entries === undefined || entries === null) return false;
  const first = entries[0];
  return first === undefined || (entries.length === 1 && Object.values(first).every(v => v === undefined));
};

/** Unstructured accessors see no value of another type. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A group, version and kind as Go prints it; nothing of it when the version has too many parts. */
function describeType(apiVersion: string, kind: string): string {
  const parts = apiVersion.split('/').length;
  if (parts > 2) return '/, Kind=';
  return `${parts === 2 ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

function* setEntries(object: KubeObject, owners: Owners): Steps<void> {
  const entries = yield* writeEntries(owners);
  if (entries === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}

export function createFieldManager(struct: StructType, options: FieldManagerOptions): FieldManager {
  const { group, version, kind, unstructured = false, convert } = options;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const ignored = new Map<string, FieldSet>(
    Object.entries(options.resetFields).map(([subresource, paths]) => [
      subresource,
      setOfPaths(paths.map(pathElements)),
    ]),
  );
  const versionsFor = (subresource: string): Versions => ({
    apiVersion,
    struct,
    ignored: ignored.get(subresource) ?? EMPTY_SET,
    unstructured,
    convert: (object, to, from) => (to === from ? { object, struct } : convert?.(object, to, from)),
  });

  /** Gives `manager` what changed from live to object. @throws SchemaError */
  function* track(live: JsonMap, object: JsonMap, owners: Owners, write: FieldWrite, manager: string): Steps<void> {
    const pace = newPace();
    const all = yield* update(live, object, owners, versionsFor(write.subresource));
    const set = yield* difference(all, SYSTEM_FIELDS, pace);
    if (!isEmptySet(set)) {
      const owner = { manager, operation: 'Update', apiVersion, subresource: write.subresource } as const;
      const id = ownerId(owner);
      const before = owners.get(id)?.set ?? EMPTY_SET;
      owners.set(id, { ...owner, set: yield* union(before, set, pace), time: timeOf(write.nowMs) });
    }
    yield* capUpdaters(owners);
  }

  function* readOwners(
    live: DeepReadonly<KubeObject> | undefined,
    object: KubeObject,
    subresource: string,
  ): Steps<Owners> {
    const stored = live?.metadata.managedFields;
    const fromLive = function* (): Steps<Owners> {
      return (yield* readEntries(stored)) ?? new Map<string, Owner>();
    };
    // A subresource cannot change who owns what.
    if (subresource !== '') return yield* fromLive();
    const sent = object.metadata.managedFields;
    if (asksForReset(sent)) return new Map();
    const owners = yield* readEntries(sent, stored ?? []);
    return owners === undefined || owners.size === 0 ? yield* fromLive() : owners;
  }

  function* updateObject(
    live: DeepReadonly<KubeObject> | undefined,
    object: KubeObject,
    write: FieldWrite,
  ): Steps<void> {
    const owners = yield* readOwners(live, object, write.subresource);
    delete object.metadata.managedFields;
    // Objects that nobody applied and that have lost their entries stay untracked until an apply.
    if (owners.size === 0 && live?.metadata.uid !== undefined && live.metadata.uid !== '') return;
    try {
      yield* track(live === undefined ? NO_OBJECT : tracked(live), tracked(object), owners, write, write.manager);
      yield* setEntries(object, owners);
    } catch (error) {
      // As upstream's UpdateNoErrors: an object whose lists have no keys is stored untracked.
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  function* checkApplied(applied: DeepReadonly<KubeObject>): Steps<JsonMap> {
    const given = textOf(applied.apiVersion);
    if (given !== apiVersion || applied.kind !== kind) {
      throw badRequestError(`invalid object type: ${describeType(given, textOf(applied.kind))}`);
    }
    const { metadata } = applied;
    // Anything but a list is for the schema to refuse.
    if (Array.isArray(metadata.managedFields)) throw badRequestError('metadata.managedFields must be nil');
    try {
      yield* validateConfiguration(applied, struct);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      const name = `${textOf(metadata.namespace)}/${textOf(metadata.name)}`;
      const type = `${group}/${version}, Kind=${kind}`;
      throw reasonlessError(`failed to create typed patch object (${name}; ${type}): ${error.message}`);
    }
    return applied;
  }

  function* applyObject(
    live: DeepReadonly<KubeObject> | undefined,
    applied: DeepReadonly<KubeObject>,
    write: FieldWrite & { readonly force: boolean },
  ): Steps<KubeObject> {
    const stored = yield* readEntries(live?.metadata.managedFields);
    if (stored === undefined) throw reasonlessError('failed to decode managed fields: invalid entry');
    const config = yield* checkApplied(applied);
    yield;
    const current: JsonMap = live === undefined ? { apiVersion, kind, metadata: {} } : withoutManagedFields(live);
    const base: Owners = new Map(stored);
    if (base.size === 0 && live !== undefined) yield* track(NO_OBJECT, tracked(live), base, write, BEFORE_FIRST_APPLY);

    const applier = { manager: write.manager, operation: 'Apply', apiVersion, subresource: write.subresource } as const;
    const attempt = function* (force: boolean): Steps<{ object: JsonMap | undefined; owners: Owners }> {
      const owners: Owners = new Map(base);
      const versions = versionsFor(write.subresource);
      return { object: yield* apply(current, config, owners, applier, SYSTEM_FIELDS, force, versions), owners };
    };
    let result: { object: JsonMap | undefined; owners: Owners };
    try {
      result = yield* attempt(write.force);
    } catch (error) {
      if (!(error instanceof ConflictError) || write.manager !== KUBECTL) throw error;
      const allowed = yield* setByClientSideApply(live, { apiVersion, struct, unstructured });
      const rest = allowed === undefined ? error.conflicts : yield* conflictsWithout(error.conflicts, allowed);
      if (rest.length > 0) throw new ConflictError(rest);
      result = yield* attempt(true);
    }
    const { owners } = result;
    const id = ownerId(applier);
    const owner = owners.get(id);
    // Time moves only when the object does.
    if (result.object !== undefined && owner !== undefined) owners.set(id, { ...owner, time: timeOf(write.nowMs) });
    const object = (yield* cloneSteps(result.object ?? current)) as KubeObject;
    yield* setEntries(object, owners);
    yield;
    if (write.manager === KUBECTL) refreshLastApplied(object, applied);
    return object;
  }

  return {
    update: updateObject,
    *apply(live, applied, write) {
      try {
        return yield* applyObject(live, applied, write);
      } catch (error) {
        if (error instanceof ConflictError) throw yield* conflictError(error.conflicts);
        if (error instanceof SchemaError) throw reasonlessError(error.message);
        throw error;
      }
    },
  };
}
