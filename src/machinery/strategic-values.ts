import { setMember } from './json-equal.js';
import { DIRECTIVE, isObject, type Obj } from './strategic-directives.js';

/** In place of a value that a directive takes away. */
export const GONE = Symbol('gone');

/** What stands for a new value: without directives and what they mark, which is GONE. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value as unknown[]) {
      const kept = typeof item === 'object' ? withoutDirectives(item) : item;
      if (kept !== GONE) list.push(kept);
    }
    return list;
  }
  if (!isObject(value)) return value;
  if (DIRECTIVE in value) return GONE;
  const out: Obj = {};
  for (const key in value) {
    const member = withoutDirectives(value[key]);
    if (member !== GONE) setMember(out, key, member);
  }
  return out;
}

export function discardNulls(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (typeof item === 'object') discardNulls(item);
  } else if (isObject(value)) {
    for (const key in value) {
      const member = value[key];
      if (member === null) delete value[key];
      else if (typeof member === 'object') discardNulls(member);
    }
  }
}

export function setNew(original: Obj, key: string, patch: unknown): void {
  const value = withoutDirectives(patch);
  if (value === GONE) delete original[key];
  else setMember(original, key, value);
}
