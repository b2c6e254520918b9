import { setMember } from './json-equal.js';
import { badRequestError } from './status.js';

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

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(target)) return withoutNulls(patch);
  if (!isObject(patch)) return patch;
  const out: Obj = { ...target };
  for (const key in patch) {
    if (patch[key] === null) {
      delete out[key];
      continue;
    }
    const old = Object.hasOwn(target, key) ? target[key] : undefined;
    setMember(out, key, old === undefined || old === null ? withoutNulls(patch[key]) : merge(old, patch[key]));
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
export const applyMergePatch = (document: unknown, patch: unknown): unknown =>
  isObject(patch) ? merge(document, patch) : withoutNulls(patch);
