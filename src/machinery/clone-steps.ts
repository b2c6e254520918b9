import { setMember } from './json-equal.js';
import type { Steps } from './steps.js';

/** How many members and items between two rests. */
const PER_STEP = 1000;

type Container = unknown[] | Record<string, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

function isEmpty(value: Container): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/**
 * As cloneJson. What is still to be copied waits in a list instead of on the stack, so that the work can rest anywhere
 * in it and a small value pays for nothing but that.
 */
export const cloneSteps = <T>(value: T): Steps<T> => copySteps(value);

/**
 * A copy in which half a pair of surrogates, which JSON can write and UTF-8 cannot, is U+FFFD, as encoding/json reads it:
 * in strings and in keys.
 */
export const wellFormedSteps = (value: unknown): Steps<unknown> => copySteps(value, text => text.toWellFormed());

function* copySteps<T>(value: T, textOf?: (text: string) => string): Steps<T> {
  if (!isContainer(value)) return copyOf(value, [], [], textOf) as T;
  const root: Container = Array.isArray(value) ? [] : {};
  const sources: Container[] = [value];
  const copies: Container[] = [root];
  let done = 0;
  for (
    let source = sources.pop(), copy = copies.pop();
    source !== undefined;
    source = sources.pop(), copy = copies.pop()
  ) {
    if (Array.isArray(source)) {
      const list = copy as unknown[];
      for (const item of source) {
        if (++done % PER_STEP === 0) yield;
        list.push(copyOf(item, sources, copies, textOf));
      }
      continue;
    }
    for (const key in source) {
      if (++done % PER_STEP === 0) yield;
      const member = source[key];
      if (member === undefined) continue;
      const name = textOf === undefined ? key : textOf(key);
      setMember(copy as Record<string, unknown>, name, copyOf(member, sources, copies, textOf));
    }
  }
  return root as T;
}

/** A scalar, or a container that is filled later. An empty one is whole at once: a client may send 300,000 of them. */
function copyOf(
  value: unknown,
  sources: Container[],
  copies: Container[],
  textOf: ((text: string) => string) | undefined,
): unknown {
  if (typeof value === 'string' && textOf !== undefined) return textOf(value);
  if (!isContainer(value)) return value;
  const copy: Container = Array.isArray(value) ? [] : {};
  if (!isEmpty(value)) {
    sources.push(value);
    copies.push(copy);
  }
  return copy;
}
