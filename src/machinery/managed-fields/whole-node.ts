import { isDue, type Pace } from '../pace.js';
import type { Field, FieldType } from '../schema.js';
import type { Steps } from '../steps.js';
import { LEAF, type FieldSet, type MutableFieldSet } from './field-set.js';
import { fieldElement } from './path-element.js';
import { impliedMembers, isOneValue, itemElement, memberOf, present, shapeOf } from './shape.js';
import type { JsonMap, Origin } from './shape.js';

/** A value whose node is still to be filled, and the place of that. */
interface Waiting {
  readonly value: object;
  readonly type: FieldType;
  readonly field: Field | undefined;
  readonly into: MutableFieldSet;
  readonly element: string;
}

const SELF = '.';
const LIST_ITEM: undefined = undefined;
/** A repeated item is owned as such, without its members. */
const REPEATED: FieldSet = Object.freeze({});

/** Puts the node of a value in its place; what may be below it comes when its turn does. */
function place(
  into: MutableFieldSet,
  element: string,
  value: unknown,
  type: FieldType,
  field: Field | undefined,
  waiting: Waiting[],
): void {
  into[element] = LEAF;
  if (typeof value === 'object' && value !== null && !isOneValue(shapeOf(type, field)))
    waiting.push({ value, type, field, into, element });
}

/** Whether there was anything in the list. */
function* fillList(
  list: readonly unknown[],
  out: MutableFieldSet,
  of: Waiting,
  waiting: Waiting[],
  pace: Pace,
): Steps<boolean> {
  const { type, field } = of;
  const shape = shapeOf(type, field);
  if (field === undefined || type.kind !== 'list' || (shape !== 'keyed' && shape !== 'set')) return false;
  for (const item of list) {
    if (isDue(pace)) yield;
    const element = itemElement(item, shape, field, type.items);
    if (element in out) out[element] = REPEATED;
    else place(out, element, item, type.items, LIST_ITEM, waiting);
  }
  return list.length > 0;
}

/**
 * The node of a value that only one object has: it, and everything in it. What is in it waits in a list and has no steps
 * of its own: most objects are new and small, and steps cost more than what they would cut. @throws SchemaError
 */
export function* wholeNode(
  whole: unknown,
  wholeType: FieldType,
  wholeField: Field | undefined,
  origin: Origin,
  pace: Pace,
): Steps<FieldSet> {
  const top: MutableFieldSet = {};
  const waiting: Waiting[] = [];
  place(top, SELF, whole, wholeType, wholeField, waiting);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, type, into, element } = next;
    const out: MutableFieldSet = { [SELF]: LEAF };
    let any = false;
    if (Array.isArray(value)) any = yield* fillList(value, out, next, waiting, pace);
    else if (type.kind !== 'list') {
      const map = value as JsonMap;
      const values = type.kind === 'map' ? type.values : undefined;
      for (const name in map) {
        if (isDue(pace)) yield;
        const member = values === undefined ? memberOf(type, name) : undefined;
        const child = member === undefined ? map[name] : present(member, map[name], origin);
        const childType = member?.field.type ?? values;
        if (child === undefined || childType === undefined) continue;
        place(out, member?.element ?? fieldElement(name), child, childType, member?.field, waiting);
        any = true;
      }
      for (const { field: child, element: name, zero } of impliedMembers(type, origin)) {
        if (map[child.name] !== undefined) continue;
        place(out, name, zero, child.type, child, waiting);
        any = true;
      }
    }
    // Not where the item came again meanwhile.
    if (any && into[element] === LEAF) into[element] = out;
  }
  return top[SELF] ?? LEAF;
}
