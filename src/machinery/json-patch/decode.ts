import { badRequestError, tooLargeError } from '../status.js';
import { goKind } from './errors.js';

export const MAX_JSON_PATCH_OPERATIONS = 10_000;

export interface JsonPatchOperation {
  readonly op?: string;
  readonly path?: string;
  readonly from?: string;
  readonly value?: unknown;
}

const TEXT_MEMBERS = ['op', 'path', 'from'] as const;
const MEMBERS: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);

/**
 * Checks the shape of a parsed patch. With `checked` (field validation Warn and Strict) it is decoded strictly first,
 * which shows in the texts. `problems` are what Strict refuses and Warn warns of.
 * @throws StatusError 400, 413
 */
export function decodeJsonPatch(
  patch: unknown,
  checked: boolean,
): { operations: readonly (JsonPatchOperation | null)[]; problems: string[] } {
  const type = checked ? 'handlers.jsonPatchOp' : 'jsonpatch.Operation';
  const fail = (text: string): never => {
    throw badRequestError(checked ? `error decoding patch: ${text}` : text);
  };
  if (patch === null) return { operations: [], problems: [] };
  if (!Array.isArray(patch)) {
    return fail(
      `json: cannot unmarshal ${goKind(patch)} into Go value of type ${checked ? `[]${type}` : 'jsonpatch.Patch'}`,
    );
  }
  const problems: string[] = [];
  for (const [i, operation] of (patch as unknown[]).entries()) {
    if (operation === null) continue;
    if (typeof operation !== 'object' || Array.isArray(operation)) {
      return fail(`json: cannot unmarshal ${goKind(operation)} into Go value of type ${type}`);
    }
    if (!checked) continue;
    const members = operation as Record<string, unknown>;
    for (const name of TEXT_MEMBERS) {
      const value = members[name];
      if (value !== undefined && value !== null && typeof value !== 'string') {
        fail(`json: cannot unmarshal ${goKind(value)} into Go struct field jsonPatchOp.${name} of type string`);
      }
    }
    for (const name in members) {
      if (!MEMBERS.has(name)) problems.push(`json patch unknown field "[${i}].${name}"`);
    }
  }
  if (patch.length > MAX_JSON_PATCH_OPERATIONS) {
    throw tooLargeError(
      `The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${patch.length}`,
    );
  }
  return { operations: patch as (JsonPatchOperation | null)[], problems };
}
