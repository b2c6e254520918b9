import { isDue, type Pace } from '../../machinery/pace.js';
import { setMember } from '../../machinery/json-equal.js';
import type { Steps } from '../../machinery/steps.js';
import { isMap } from './walk.js';

/** More members than these are copied in steps. */
const MAX_SCALARS = 100;

/** The same value with the members of all maps in order, as Go writes maps. */
export function* sortedCopy(value: unknown, pace: Pace): Steps<unknown> {
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value as readonly unknown[]) {
      if (typeof item !== 'object' || item === null) list.push(item);
      else {
        if (isDue(pace)) yield;
        list.push(sortedScalars(item) ?? (yield* sortedCopy(item, pace)));
      }
    }
    return list;
  }
  if (!isMap(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of keysInOrder(value)) {
    const member = value[key];
    if (typeof member !== 'object' || member === null) {
      if (member !== undefined) setMember(copy, key, member);
      continue;
    }
    if (isDue(pace)) yield;
    setMember(copy, key, sortedScalars(member) ?? (yield* sortedCopy(member, pace)));
  }
  return copy;
}

/** Most maps come in order, and to see that takes less than to sort them. */
function keysInOrder(map: object): string[] {
  const keys = Object.keys(map);
  for (let i = 1; i < keys.length; i++) if ((keys[i] as string) < (keys[i - 1] as string)) return keys.sort();
  return keys;
}

/** Few maps have maps in them: those that have not need no steps. undefined: no map, or not that simple. */
function sortedScalars(map: object): Record<string, unknown> | undefined {
  if (!isMap(map)) return undefined;
  const keys = keysInOrder(map);
  if (keys.length > MAX_SCALARS) return undefined;
  const copy: Record<string, unknown> = {};
  for (const key of keys) {
    const member = map[key];
    if (typeof member === 'object' && member !== null) return undefined;
    if (member !== undefined) setMember(copy, key, member);
  }
  return copy;
}
