import { formatGo, formatGoString, goTypeName, quote } from './go-text.js';
import { cloneJson, setMember } from './json-equal.js';
import type { Field, FieldType, StructType } from './schema.js';
import { badRequestError, reasonlessError, StatusError } from './status.js';
import { deduplicate, normalizeOrder, partition, type ItemKey } from './strategic-order.js';

/**
 * Strategic merge patch. Source: apimachinery pkg/util/strategicpatch/patch.go and the error mapping of apiserver
 * pkg/endpoints/handlers/patch.go. Directives:
 * `$patch: replace|delete` in maps and list items, `$retainKeys`, `$deleteFromPrimitiveList/<list>`,
 * `$setElementOrder/<list>`.
 */

type Obj = Record<string, unknown>;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM_LIST = '$deleteFromPrimitiveList';
const SET_ORDER = '$setElementOrder';

const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);

const BAD_PRIMITIVE_LIST = (): StatusError => badRequestError('invalid patch format of primitive list');
const BAD_RETAIN_KEYS = (): StatusError => badRequestError('invalid patch format of retainKeys');
const BAD_SET_ORDER = (): StatusError => badRequestError('invalid patch format of setElementOrder list');
const noMergeKey = (map: Obj, key: string): StatusError =>
  reasonlessError(`map: ${formatGo(map)} does not contain declared merge key: ${key}`);
const badArgument = (expected: string, actual: unknown): StatusError =>
  reasonlessError(`expected a ${expected}, but received a ${actual === null ? '%!s(<nil>)' : goTypeName(actual)}`);
const badDirective = (directive: unknown, map: Obj): StatusError =>
  reasonlessError(`unknown patch type: ${formatGoString(directive)} in map: ${formatGo(map)}`);
/** Too deep to say more: upstream answers a bare 422. */
const listOfLists = (): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

/** Where in the schema a map is merged: a struct, or something below which there is none. */
type Schema = FieldType | undefined;

interface ListRules {
  readonly items: Schema;
  readonly merges: boolean;
  /** "" for lists of primitives. */
  readonly mergeKey: string;
}

const KINDS: Record<FieldType['kind'], string> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int32',
  number: 'float64',
  bytes: 'slice',
  quantity: 'struct',
  intOrString: 'struct',
  time: 'struct',
  microTime: 'struct',
  any: 'struct',
  struct: 'struct',
  list: 'slice',
  map: 'map',
};

function lookup(schema: Schema, name: string): Field {
  if (schema?.kind !== 'struct') {
    const kind = schema === undefined ? 'invalid' : KINDS[schema.kind];
    throw reasonlessError(`merging an object in json but data type is not struct, instead is: ${kind}`);
  }
  const { struct } = schema;
  const field = struct.byName.get(name) ?? struct.fields.find(f => f.name.toLowerCase() === name.toLowerCase());
  if (field === undefined) {
    throw reasonlessError(`unable to find api field in struct ${struct.goName} for the json field ${quote(name)}`);
  }
  return field;
}

/** The strategy beside retainKeys, which patches state by a directive. */
const strategyOf = (field: Field): string =>
  (field.patchStrategy ?? '').split(',').find(strategy => strategy !== 'retainKeys') ?? '';

function lookupList(schema: Schema, name: string): ListRules {
  const field = lookup(schema, name);
  if (field.type.kind !== 'list' && field.type.kind !== 'bytes') {
    throw reasonlessError('expected slice or array type, but got: struct');
  }
  return {
    items: field.type.kind === 'list' ? field.type.items : undefined,
    merges: strategyOf(field) === 'merge',
    mergeKey: field.patchMergeKey ?? '',
  };
}

/** What stands for a new value: without directives and what they mark. */
function withoutDirectives(value: unknown): { value: unknown; keep: boolean } {
  if (Array.isArray(value)) {
    const list = value.map(withoutDirectives).filter(item => item.keep);
    return { value: list.map(item => item.value), keep: true };
  }
  if (!isObject(value)) return { value, keep: true };
  if (DIRECTIVE in value) return { value: undefined, keep: false };
  const out: Obj = {};
  for (const key in value) {
    const member = withoutDirectives(value[key]);
    if (member.keep) setMember(out, key, member.value);
  }
  return { value: out, keep: true };
}

function discardNulls(value: unknown): void {
  if (Array.isArray(value)) {
    value.forEach(discardNulls);
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else discardNulls(value[key]);
    }
  }
}

function setNew(original: Obj, key: string, patch: unknown): void {
  const { value, keep } = withoutDirectives(patch);
  if (keep) setMember(original, key, value);
  else delete original[key];
}

function applyRetainKeys(original: Obj, patch: Obj): void {
  const retain = patch[RETAIN_KEYS];
  if (!(RETAIN_KEYS in patch)) return;
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(retain)) throw BAD_RETAIN_KEYS();
  const kept = new Set<unknown>(retain);
  for (const key in patch) {
    if (patch[key] === null || key.startsWith(DELETE_FROM_LIST) || key.startsWith(SET_ORDER)) continue;
    if (!kept.has(key)) throw BAD_RETAIN_KEYS();
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key];
}

/** The name behind "$directive/name". */
function nameBehind(key: string, prefix: string, bad: () => StatusError): string {
  const slash = key.indexOf('/');
  if (slash < 0 || key.slice(0, slash) !== prefix) throw bad();
  return key.slice(slash + 1);
}

const isMapList = (...lists: readonly (readonly unknown[])[]): boolean => {
  let kind: string | undefined;
  for (const list of lists) {
    for (const item of list) {
      const type = goTypeName(item);
      if (kind === undefined && Array.isArray(item)) throw listOfLists();
      if (kind !== undefined && type !== kind) {
        throw reasonlessError(`list element types are not identical: ${formatGo(lists)}`);
      }
      kind = type;
    }
  }
  if (kind === undefined) throw reasonlessError('no elements in any of the given slices');
  return kind === 'map[string]interface {}';
};

const asItems = (list: readonly unknown[]): Obj[] =>
  list.map((item, i) => {
    if (!isObject(item)) throw reasonlessError(`value for key ${i} is not a map`);
    return item;
  });

const keyOf = (item: unknown, mergeKey: string): unknown => {
  if (!isObject(item)) throw badArgument('map[string]interface {}', item);
  if (!(mergeKey in item)) throw noMergeKey(item, mergeKey);
  return item[mergeKey];
};

/** The items of the patch must come in the order that $setElementOrder states. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (order.length === 0 || patch.length === 0) return;
  const items =
    mergeKey === ''
      ? patch
      : patch.filter(item => {
          if (!isObject(item)) throw badArgument('map[string]interface {}', item);
          return item[DIRECTIVE] !== 'delete';
        });
  let at = 0;
  let inOrder = 0;
  while (at < items.length && inOrder < order.length) {
    const item = items[at];
    if (isObject(item) && DIRECTIVE in item) {
      at++;
      continue;
    }
    const same = mergeKey === '' ? item === order[inOrder] : keyOf(item, mergeKey) === keyOf(order[inOrder], mergeKey);
    if (same) at++;
    inOrder++;
  }
  if (at < items.length && inOrder >= order.length) {
    throw reasonlessError(
      `The order in patch list:\n${formatGo(patch)}\n doesn't match ${SET_ORDER} list:\n${formatGo(order)}\n`,
    );
  }
}

/** Merges the lists that have a $setElementOrder and takes both out of the patch. */
function applySetOrder(original: Obj, patch: Obj, schema: Schema): void {
  for (const directive of Object.keys(patch)) {
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
    if (!hasOriginal && !hasPatch) continue;
    const live = [...(before as unknown[])];
    const merged = !hasPatch
      ? live
      : hasOriginal
        ? rules.merges
          ? mergeLists(before, wanted, rules)
          : (wanted as unknown[])
        : (withoutDirectives(wanted).value as unknown[]);
    const maps = isMapList(live, wanted);
    const first: unknown = [...merged, ...live, ...(wantedOrder as unknown[])][0];
    if (maps && rules.mergeKey === '' && isObject(first)) throw noMergeKey(first, '');
    setMember(original, name, order(merged, wantedOrder, live, rules.mergeKey));
    delete patch[name];
  }
}

/** Primitives are their own keys. */
const itemKey =
  (mergeKey: string): ItemKey =>
  item =>
    mergeKey === '' ? item : (item as Obj)[mergeKey];

/** Orders a merged list. Where keys count, every item of every list must have one. */
function order(
  merged: readonly unknown[],
  by: readonly unknown[],
  live: readonly unknown[],
  mergeKey: string,
): unknown[] {
  if (mergeKey !== '') for (const item of [...merged, ...by, ...live]) keyOf(item, mergeKey);
  return normalizeOrder(partition(merged, by, itemKey(mergeKey)), by, live, mergeKey);
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

function mergeLists(before: readonly unknown[], patch: readonly unknown[], rules: ListRules): unknown[] {
  if (before.length === 0 && patch.length === 0) return [];
  const { mergeKey } = rules;
  if (!isMapList(before, patch)) {
    const merged = deduplicate([...before, ...patch]);
    if (mergeKey !== '') throw badArgument('map[string]interface {}', merged[0]);
    return order(merged, patch, before, '');
  }
  if (mergeKey === '') throw reasonlessError('cannot merge lists without merge key for struct');
  const applied = applyItemDirectives([...before], patch, mergeKey);
  const server = [...applied.original];
  const merged = [...applied.original];
  const places = new Map<unknown, number>();
  asItems(merged).forEach((old, i) => {
    if (mergeKey in old && !places.has(old[mergeKey])) places.set(old[mergeKey], i);
  });
  for (const item of applied.patch as Obj[]) {
    if (!(mergeKey in item)) throw noMergeKey(item, mergeKey);
    const index = places.get(item[mergeKey]);
    if (index === undefined) {
      places.set(item[mergeKey], merged.length);
      merged.push(item);
    } else merged[index] = mergeMap(merged[index] as Obj, item, rules.items);
  }
  return order(merged, applied.patch, server, mergeKey);
}

function mergeMember(original: Obj, patch: Obj, directive: string, schema: Schema): void {
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
    setNew(original, name, value);
  } else if (Array.isArray(old) && Array.isArray(value)) {
    const rules = lookupList(schema, name);
    setMember(original, name, mergeListMember(old, value, rules, deletes));
  } else if (isObject(old) && isObject(value)) {
    const field = lookup(schema, name);
    const merged = strategyOf(field) === 'replace' ? value : mergeMap(old, value, field.type);
    setMember(original, name, merged);
  } else {
    setNew(original, name, value);
  }
}

function mergeListMember(
  old: readonly unknown[],
  value: readonly unknown[],
  rules: ListRules,
  deletes: boolean,
): readonly unknown[] {
  if (!deletes) return rules.merges ? mergeLists(old, value, rules) : value;
  if (old.length === 0 && value.length === 0) return old;
  if (isMapList(old, value)) return mergeLists(old, value, rules);
  const gone = new Set(value);
  return old.filter(item => !gone.has(item));
}

const goTypeKind = (value: unknown): string => {
  const name = goTypeName(value);
  return name === 'int64' ? 'float64' : name;
};

/** May change both arguments. */
function mergeMap(original: Obj, patch: Obj, schema: Schema): Obj {
  if (DIRECTIVE in patch) {
    const directive = patch[DIRECTIVE];
    if (directive === 'replace') {
      const { [DIRECTIVE]: _, ...rest } = patch;
      return rest;
    }
    if (directive === 'delete') return {};
    throw badDirective(directive, patch);
  }
  applyRetainKeys(original, patch);
  applySetOrder(original, patch, schema);
  for (const key of Object.keys(patch)) mergeMember(original, patch, key, schema);
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
export function applyStrategicMergePatch(object: Obj, patch: Obj, struct: StructType): StrategicMerge {
  const consumed = cloneJson(patch);
  return { merged: mergeMap(cloneJson(object), consumed, { kind: 'struct', struct }), consumed };
}
