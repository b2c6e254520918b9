import { ownMember } from '../../machinery/json-equal.js';
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
    if (schema.listType === 'set') checkRepeats(value, memberKey, item => item, place, errors);
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

/** `keyOf` tells items apart, `shown` is what the errors print. A third one of the same is not mentioned. */
function checkRepeats(
  items: readonly unknown[],
  keyOf: (item: unknown) => unknown,
  shown: (item: unknown) => unknown,
  place: Place | undefined,
  errors: FieldError[],
): void {
  const times = new Map<unknown, number>();
  for (const [i, item] of items.entries()) {
    const key = keyOf(item);
    const seen = times.get(key) ?? 0;
    times.set(key, seen + 1);
    if (seen === 1) errors.push(duplicate(fieldPath({ step: i, within: place }), shown(item)));
  }
}

const memberKey = (member: unknown): unknown =>
  typeof member === 'string'
    ? `"${member}"`
    : typeof member === 'object' && member !== null
      ? sortedJson(member)
      : member;

/** Several members as one text, which no others have. */
const memberText = (member: unknown): string =>
  typeof member === 'string' ? JSON.stringify(member) : member === undefined ? '' : String(memberKey(member));

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
  const [first = ''] = listMapKeys;
  const member = (item: unknown, name: string): unknown => (isMap(item) ? ownMember(item, name) : undefined);
  const keyOf =
    listMapKeys.length === 1
      ? (item: unknown) => memberKey(member(item, first))
      : (item: unknown) => listMapKeys.map(name => memberText(member(item, name))).join();
  const shown = (item: unknown): object =>
    Object.fromEntries(
      listMapKeys.flatMap(name => {
        const value = member(item, name);
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
  checkRepeats(list, keyOf, shown, place, errors);
}
