import { goTypeName } from './go-text.js';
import { cloneSteps } from './clone-steps.js';
import { setMember } from './json-equal.js';
import type { StructType } from './schema.js';
import { badRequestError, reasonlessError, type StatusError } from './status.js';
import type { Steps } from './steps.js';
import {
  BAD_PRIMITIVE_LIST,
  BAD_RETAIN_KEYS,
  BAD_SET_ORDER,
  badArgument,
  badDirective,
  DELETE_FROM_LIST,
  DIRECTIVE,
  isObject,
  noMergeKey,
  RETAIN_KEYS,
  SET_ORDER,
  type Obj,
} from './strategic-directives.js';
import { asItems, checkOrder, isMapList, keyOf } from './strategic-items.js';
import { deduplicate, ITEMS_PER_STEP, normalizeOrder, partition, type ItemKey } from './strategic-order.js';
import { lookup, lookupList, strategyOf, type ListRules, type Schema } from './strategic-schema.js';
import { discardNulls, setNew, withoutDirectives } from './strategic-values.js';

/**
 * Strategic merge patch. Source: apimachinery pkg/util/strategicpatch/patch.go and the error mapping of apiserver
 * pkg/endpoints/handlers/patch.go. Directives:
 * `$patch: replace|delete` in maps and list items, `$retainKeys`, `$deleteFromPrimitiveList/<list>`,
 * `$setElementOrder/<list>`.
 */

function* applyRetainKeys(original: Obj, patch: Obj): Steps<void> {
  const retain = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(retain)) throw BAD_RETAIN_KEYS();
  const kept = new Set<unknown>(retain);
  yield;
  for (const key in patch) {
    if (patch[key] === null || key.startsWith(DELETE_FROM_LIST) || key.startsWith(SET_ORDER)) continue;
    if (!kept.has(key)) throw BAD_RETAIN_KEYS();
  }
  yield;
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key];
  yield;
}

/** The name behind "$directive/name". */
function nameBehind(key: string, prefix: string, bad: () => StatusError): string {
  const slash = key.indexOf('/');
  if (slash < 0 || key.slice(0, slash) !== prefix) throw bad();
  return key.slice(slash + 1);
}

/** Merges the lists that have a $setElementOrder and takes both out of the patch. */
function* applySetOrder(original: Obj, patch: Obj, schema: Schema): Steps<void> {
  for (const directive in patch) {
    if (!directive.startsWith(SET_ORDER)) continue;
    const wantedOrder = patch[directive];
    delete patch[directive];
    if (!Array.isArray(wantedOrder)) throw badArgument('[]interface {}', wantedOrder);
    const name = nameBehind(directive, SET_ORDER, BAD_SET_ORDER);
    const hasOriginal = Object.hasOwn(original, name);
    const hasPatch = Object.hasOwn(patch, name);
    const before = hasOriginal ? original[name] : [];
    const wanted = hasPatch ? patch[name] : [];
    if (!Array.isArray(before)) throw badArgument('[]interface {}', before);
    if (!Array.isArray(wanted)) throw badArgument('[]interface {}', wanted);
    const rules = lookupList(schema, name);
    checkOrder(wanted, wantedOrder, rules.mergeKey);
    yield;
    if (!hasOriginal && !hasPatch) continue;
    const live = [...(before as unknown[])];
    const merged = !hasPatch
      ? live
      : hasOriginal
        ? rules.merges
          ? yield* mergeLists(before, wanted, rules)
          : (wanted as unknown[])
        : (withoutDirectives(wanted) as unknown[]);
    const maps = isMapList(live, wanted);
    const first: unknown = [merged, live, wantedOrder as unknown[]].find(list => list.length > 0)?.[0];
    if (maps && rules.mergeKey === '' && isObject(first)) throw noMergeKey(first, '');
    setMember(original, name, yield* order(merged, wantedOrder, live, rules.mergeKey));
    delete patch[name];
  }
}

/** Primitives are their own keys. */
const itemKey =
  (mergeKey: string): ItemKey =>
  item =>
    mergeKey === '' ? item : (item as Obj)[mergeKey];

/** Orders a merged list. Where keys count, every item of every list must have one. */
function* order(
  merged: readonly unknown[],
  by: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): Steps<unknown[]> {
  if (mergeKey !== '') for (const list of [merged, by, live]) for (const item of list) keyOf(item, mergeKey);
  yield;
  return yield* normalizeOrder(yield* partition(merged, by, itemKey(mergeKey)), by, live, mergeKey);
}

/** Applies the items that carry a directive; gives what is then merged. */
function applyItemDirectives(
  original: unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): { original: unknown[]; patch: unknown[] } {
  const deleted = new Set<unknown>();
  let replace = false;
  const plain: unknown[] = [];
  for (const item of patch as Obj[]) {
    if (!(DIRECTIVE in item)) {
      plain.push(item);
      continue;
    }
    const directive = item[DIRECTIVE];
    if (directive === 'replace') {
      replace = true;
    } else if (directive === 'delete') {
      if (!(mergeKey in item)) throw noMergeKey(item, mergeKey);
      deleted.add(item[mergeKey]);
    } else if (directive === 'merge') {
      throw reasonlessError('merging lists cannot yet be specified in the patch');
    } else {
      throw badDirective(directive, item);
    }
  }
  const kept =
    deleted.size === 0 ? original : asItems(original).filter(old => !(mergeKey in old) || !deleted.has(old[mergeKey]));
  return replace ? { original: plain, patch: [] } : { original: kept, patch: plain };
}

function* mergeLists(before: readonly unknown[], patch: readonly unknown[], rules: ListRules): Steps<unknown[]> {
  if (before.length === 0 && patch.length === 0) return [];
  const { mergeKey } = rules;
  if (!isMapList(before, patch)) {
    const merged = yield* deduplicate([...before, ...patch]);
    if (mergeKey !== '') throw badArgument('map[string]interface {}', merged[0]);
    return yield* order(merged, patch, before, '');
  }
  if (mergeKey === '') throw reasonlessError('cannot merge lists without merge key for struct');
  yield;
  const applied = applyItemDirectives([...before], patch, mergeKey);
  const server = applied.original;
  const merged = [...applied.original];
  const places = new Map<unknown, number>();
  for (const [i, old] of asItems(merged).entries()) {
    if (mergeKey in old && !places.has(old[mergeKey])) places.set(old[mergeKey], i);
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
  }
  for (const [i, item] of (applied.patch as Obj[]).entries()) {
    if (i % ITEMS_PER_STEP === ITEMS_PER_STEP - 1) yield;
    if (!(mergeKey in item)) throw noMergeKey(item, mergeKey);
    const index = places.get(item[mergeKey]);
    if (index === undefined) {
      places.set(item[mergeKey], merged.length);
      merged.push(item);
    } else merged[index] = yield* mergeMap(merged[index] as Obj, item, rules.items);
  }
  return yield* order(merged, applied.patch, server, mergeKey);
}

function* mergeMember(original: Obj, patch: Obj, directive: string, schema: Schema): Steps<void> {
  let name = directive;
  const value = patch[directive];
  const deletes = directive.startsWith(DELETE_FROM_LIST);
  if (deletes) name = nameBehind(directive, DELETE_FROM_LIST, BAD_PRIMITIVE_LIST);
  if (value === null) {
    delete original[name];
    return;
  }
  const old = Object.hasOwn(original, name) ? original[name] : undefined;
  if (old === undefined || goTypeKind(old) !== goTypeKind(value)) {
    if (deletes) return;
    discardNulls(value);
    yield;
    setNew(original, name, value);
  } else if (Array.isArray(old) && Array.isArray(value)) {
    const rules = lookupList(schema, name);
    setMember(original, name, yield* mergeListMember(old, value, rules, deletes));
  } else if (isObject(old) && isObject(value)) {
    const field = lookup(schema, name);
    const merged = strategyOf(field) === 'replace' ? value : yield* mergeMap(old, value, field.type);
    setMember(original, name, merged);
  } else {
    setNew(original, name, value);
  }
}

function* mergeListMember(
  old: readonly unknown[],
  value: readonly unknown[],
  rules: ListRules,
  deletes: boolean,
): Steps<readonly unknown[]> {
  if (!deletes) return rules.merges ? yield* mergeLists(old, value, rules) : value;
  if (old.length === 0 && value.length === 0) return old;
  if (isMapList(old, value)) return yield* mergeLists(old, value, rules);
  const gone = new Set(value);
  return old.filter(item => !gone.has(item));
}

const goTypeKind = (value: unknown): string => {
  const name = goTypeName(value);
  return name === 'int64' ? 'float64' : name;
};

/** May change both arguments. */
function* mergeMap(original: Obj, patch: Obj, schema: Schema): Steps<Obj> {
  if (DIRECTIVE in patch) {
    const directive = patch[DIRECTIVE];
    if (directive === 'replace') {
      const { [DIRECTIVE]: _, ...rest } = patch;
      return rest;
    }
    if (directive === 'delete') return {};
    throw badDirective(directive, patch);
  }
  if (RETAIN_KEYS in patch) yield* applyRetainKeys(original, patch);
  yield* applySetOrder(original, patch, schema);
  let done = 0;
  for (const key of Object.keys(patch)) {
    if (++done % ITEMS_PER_STEP === 0) yield;
    yield* mergeMember(original, patch, key, schema);
  }
  return original;
}

/** The patch as an object; null is an empty one. @throws StatusError 400 */
export function asStrategicMergePatch(patch: unknown): Obj {
  if (patch === null) return {};
  if (isObject(patch)) return patch;
  const kind = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch;
  throw badRequestError(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`);
}

export interface StrategicMerge {
  readonly merged: Obj;
  /** What is left of the patch: upstream takes directives and nulls out of it on the way, and prints the rest. */
  readonly consumed: Obj;
}

/**
 * The patched object; neither argument is changed.
 * @throws StatusError 400 for malformed directives, a bare 422, or a reasonless 500 with upstream's text
 */
export function* applyStrategicMergePatch(object: Obj, patch: Obj, struct: StructType): Steps<StrategicMerge> {
  const consumed = yield* cloneSteps(patch);
  const copy = yield* cloneSteps(object);
  return { merged: yield* mergeMap(copy, consumed, { kind: 'struct', struct }), consumed };
}
