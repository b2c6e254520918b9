import { isDue, type Pace } from '../../machinery/pace.js';
import { setMember } from '../../machinery/json-equal.js';
import type { Steps } from '../../machinery/steps.js';
import { isMap } from './walk.js';

/** The same value with the members of all maps in order, as Go writes maps. */
export function* sortedCopy(value: unknown, pace: Pace): Steps<unknown> {
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value) {
      if (typeof item !== 'object' || item === null) list.push(item);
      else {
        if (isDue(pace)) yield;
        list.push(yield* sortedCopy(item, pace));
      }
    }
    return list;
  }
  if (!isMap(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (typeof member !== 'object' || member === null) {
      if (member !== undefined) setMember(copy, key, member);
      continue;
    }
    if (isDue(pace)) yield;
    setMember(copy, key, yield* sortedCopy(member, pace));
  }
  return copy;
}
