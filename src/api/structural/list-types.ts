import { isDue, type Pace } from '../../machinery/pace.js';
import { duplicate, invalid, type FieldError } from '../../machinery/field-error.js';
import type { Steps } from '../../machinery/steps.js';
import { memberSchema, type Structural } from './structural-schema.js';
import { fieldPath, isMap, type Place } from './walk.js';

/**
 * What sets and lists with keys repeat. Source: apiextensions-apiserver pkg/apiserver/schema/listtype/validation.go.
 */
export function* checkListTypes(
  value: unknown,
  schema: Structural | undefined,
  place: Place | undefined,
  errors: FieldError[],
  pace: Pace,
): Steps<void> {
  if (schema?.hasListTypes !== true) return;
  if (Array.isArray(value)) {
    if (schema.listType === 'set') checkSet(value, value, place, errors);
    else if (schema.listType === 'map') checkKeyed(value, schema, place, errors);
    for (const [i, item] of value.entries()) {
      if (isDue(pace)) yield;
      yield* checkListTypes(item, schema.items, { step: i, within: place }, errors, pace);
    }
  } else if (isMap(value)) {
    for (const key in value) {
      const inner = memberSchema(schema, key);
      if (inner === undefined || inner === 'anything') continue;
      if (isDue(pace)) yield;
      const keyed = !schema.properties.has(key);
      yield* checkListTypes(value[key], inner, { step: key, keyed, within: place }, errors, pace);
    }
  }
}

/** `keys` tell items apart, `shown` is what the errors print. A third one of the same is not mentioned. */
function checkSet(
  keys: readonly unknown[],
  shown: readonly unknown[],
  place: Place | undefined,
  errors: FieldError[],
): void {
  const times = new Map<unknown, number>();
  for (const [i, item] of keys.entries()) {
    const key =
      typeof item === 'object' && item !== null ? sortedJson(item) : typeof item === 'string' ? `"${item}` : item;
    const seen = times.get(key) ?? 0;
    times.set(key, seen + 1);
    if (seen === 1) errors.push(duplicate(fieldPath({ step: i, within: place }), shown[i]));
  }
}

/** Members in one order: maps are the same whatever order they were sent in. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isMap(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}

function checkKeyed(
  list: readonly unknown[],
  { listMapKeys }: Structural,
  place: Place | undefined,
  errors: FieldError[],
): void {
  const strange = list.findIndex(item => item !== null && !isMap(item));
  if (strange >= 0) {
    const at = fieldPath({ step: strange, within: place });
    errors.push(invalid(at, list[strange], 'must be an object for an array of list-type map'));
    return;
  }
  const keys = list.map(item =>
    Object.fromEntries(
      listMapKeys.flatMap(name => (isMap(item) && item[name] !== undefined ? [[name, item[name]] as const] : [])),
    ),
  );
  checkSet(keys, keys, place, errors);
}
