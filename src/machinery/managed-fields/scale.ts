import type { DeepReadonly, ManagedFieldsEntry } from '../types.js';
import { newPace } from '../pace.js';
import { atOnce } from '../steps.js';
import { readEntries, writeEntries, type Owner, type Owners } from './entries.js';
import { difference, hasPath, isEmptySet, pathElements, setOfPaths } from './field-set.js';

/**
 * managedFields of a view of an object (the scale subresource), and back: the one field they share has another path and
 * version in each. Source: apimachinery pkg/util/managedfields/scalehandler.go.
 */

export interface ScaleMapping {
  /** Version of the parent that the write goes through, e.g. "apps/v1". */
  readonly apiVersion: string;
  /** Path of the replicas in the parent, by its versions, e.g. {"apps/v1": "spec.replicas"}; '' in one without a scale. */
  readonly replicasPaths: Readonly<Record<string, string>>;
}

const SCALE_VERSION = 'autoscaling/v1';
const SCALE_REPLICAS = pathElements('spec.replicas');

/** Entries are a client's: their versions may be called anything. */
const pathIn = ({ replicasPaths }: ScaleMapping, apiVersion: string): string | undefined =>
  Object.hasOwn(replicasPaths, apiVersion) ? replicasPaths[apiVersion] : undefined;

type Entries = readonly DeepReadonly<ManagedFieldsEntry>[] | undefined;

const read = (entries: Entries): Owners => atOnce(readEntries(entries)) ?? new Map<string, Owner>();

/** The entries that own the replicas, as entries of the Scale. */
export function scaleEntries(parent: Entries, mapping: ScaleMapping): ManagedFieldsEntry[] | undefined {
  const scale: Owners = new Map();
  for (const [id, owner] of read(parent)) {
    const path = pathIn(mapping, owner.apiVersion);
    if (path === undefined || path === '' || !hasPath(owner.set, pathElements(path))) continue;
    scale.set(id, { ...owner, apiVersion: SCALE_VERSION, set: setOfPaths([SCALE_REPLICAS]) });
  }
  return atOnce(writeEntries(scale));
}

/** The parent's entries after a write to its Scale. New owners have no time, as upstream. */
export function parentEntries(
  parent: Entries,
  scale: Entries,
  mapping: ScaleMapping,
): ManagedFieldsEntry[] | undefined {
  const owners: Owners = new Map();
  const parents = read(parent);
  const scales = read(scale);
  for (const [id, owner] of parents) {
    const path = pathIn(mapping, owner.apiVersion);
    if (path === undefined) continue;
    const elements = pathElements(path);
    if (path === '' || !hasPath(owner.set, elements)) {
      owners.set(id, owner);
    } else if (scales.has(id)) {
      owners.set(id, owner);
      scales.delete(id);
    } else {
      const rest = atOnce(difference(owner.set, setOfPaths([elements]), newPace()));
      if (!isEmptySet(rest)) owners.set(id, { ...owner, set: rest });
    }
  }
  const path = pathIn(mapping, mapping.apiVersion);
  for (const [id, owner] of scales) {
    if (path === undefined || !hasPath(owner.set, SCALE_REPLICAS)) continue;
    const { time: _t, entry: _e, ...rest } = owner;
    const time = parents.get(id)?.time;
    owners.set(id, {
      ...rest,
      apiVersion: mapping.apiVersion,
      set: setOfPaths([pathElements(path)]),
      ...(time === undefined ? {} : { time }),
    });
  }
  return atOnce(writeEntries(owners));
}
