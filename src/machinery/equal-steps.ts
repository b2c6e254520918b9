import { isDue, type Pace } from './pace.js';
import type { Steps } from './steps.js';

type Container = readonly unknown[] | Readonly<Record<string, unknown>>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** As jsonEqual. What is still to be compared waits in lists instead of on the stack, so that the work can rest. */
export function* equalSteps(a: unknown, b: unknown, pace: Pace): Steps<boolean> {
  const lefts: unknown[] = [];
  const rights: unknown[] = [];
  /** Whether two values may yet be the same: containers are looked into later. */
  const mayEqual = (x: unknown, y: unknown): boolean => {
    if (x === y) return true;
    if (!isContainer(x) || !isContainer(y) || Array.isArray(x) !== Array.isArray(y)) return false;
    lefts.push(x);
    rights.push(y);
    return true;
  };
  if (!mayEqual(a, b)) return false;
  for (let at = lefts.length; at > 0; at = lefts.length) {
    const x = lefts.pop() as Container;
    const y = rights.pop() as Container;
    if (Array.isArray(x)) {
      const list = y as readonly unknown[];
      if (x.length !== list.length) return false;
      for (let i = 0; i < x.length; i++) {
        if (isDue(pace)) yield;
        if (!mayEqual(x[i], list[i])) return false;
      }
      continue;
    }
    const left = x as Readonly<Record<string, unknown>>;
    const right = y as Readonly<Record<string, unknown>>;
    let members = 0;
    for (const key in left) {
      if (isDue(pace)) yield;
      const value = left[key];
      if (value === undefined) continue;
      members++;
      if (!Object.hasOwn(right, key) || !mayEqual(value, right[key])) return false;
    }
    for (const key in right) {
      if (isDue(pace)) yield;
      if (right[key] !== undefined) members--;
    }
    if (members !== 0) return false;
  }
  return true;
}
