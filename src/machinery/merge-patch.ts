import { setMember } from './json-equal.js';
import { badRequestError } from './status.js';
import type { Steps } from './steps.js';

/** RFC 7386, as the API server applies it (gopkg.in/evanphx/json-patch.v4 merge.go). */

type Obj = Record<string, unknown>;

const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value that is new in the document: null members go, null items stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const out: Obj = {};
  for (const key in value) {
    if (value[key] !== null) setMember(out, key, withoutNulls(value[key]));
  }
  return out;
}

/** Members between two rests. */
const MEMBERS_PER_STEP = 500;

function* merge(target: unknown, patch: unknown): Steps<unknown> {
  if (!isObject(target)) return withoutNulls(patch);
  if (!isObject(patch)) return patch;
  const out: Obj = {};
  let done = 0;
  // Not by a spread, which takes a map of 40,000 keys in one piece.
  for (const key in target) {
    if (++done % MEMBERS_PER_STEP === 0) yield;
    setMember(out, key, target[key]);
  }
  for (const key in patch) {
    if (++done % MEMBERS_PER_STEP === 0) yield;
    const value = patch[key];
    if (value === null) {
      delete out[key];
      continue;
    }
    const old = Object.hasOwn(target, key) ? target[key] : undefined;
    // Most values are texts: nothing in them is merged.
    if (typeof value !== 'object') setMember(out, key, value);
    else setMember(out, key, old === undefined || old === null ? withoutNulls(value) : yield* merge(old, value));
  }
  return out;
}

const goKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

/**
 * Refuses what is not an object. With `checked` (field validation Warn and Strict) it is decoded first, which shows in
 * the text. @throws StatusError 400
 */
export function checkMergePatch(patch: unknown, checked: boolean): void {
  if (isObject(patch)) return;
  if (checked && patch !== null) {
    throw badRequestError(
      `error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  if (!Array.isArray(patch)) throw badRequestError('Invalid JSON Patch');
}

/** The merged document. It shares unchanged parts with both arguments, which are not changed. */
export function* applyMergePatch(document: unknown, patch: unknown): Steps<unknown> {
  return isObject(patch) ? yield* merge(document, patch) : withoutNulls(patch);
}
