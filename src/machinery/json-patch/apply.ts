import { cloneSteps } from '../clone-steps.js';
import { StatusError } from '../status.js';
import type { Steps } from '../steps.js';
import { isContainer } from './container.js';
import type { JsonPatchOperation } from './decode.js';
import { failed, goKind, JsonPatchError } from './errors.js';
import { OPERATIONS } from './operations.js';

/**
 * RFC 6902 as the API server applies it: the semantics of gopkg.in/evanphx/json-patch.v4, which differ from the RFC in
 * that "replace" may add a member, negative indexes count from the end and a test for null passes on a missing member.
 */

/** Whatever goes wrong while applying, the client is told only this. */
const rejected = (): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

/**
 * The patched document; the given one is not changed.
 * @throws StatusError 422 without details when an operation fails
 */
export function* applyJsonPatch(document: unknown, operations: readonly (JsonPatchOperation | null)[]): Steps<unknown> {
  try {
    return yield* jsonPatchSteps(document, operations);
  } catch (error) {
    if (error instanceof JsonPatchError) throw rejected();
    throw error;
  }
}

/** As applyJsonPatch. @throws JsonPatchError when an operation fails */
export function* jsonPatchSteps(document: unknown, operations: readonly (JsonPatchOperation | null)[]): Steps<unknown> {
  try {
    return yield* applyOperations(document, operations);
  } catch (error) {
    // Operations that nest one value in another can make what is deeper than the stack.
    if (error instanceof RangeError) throw failed('exceeded max depth');
    throw error;
  }
}

function* applyOperations(document: unknown, operations: readonly (JsonPatchOperation | null)[]): Steps<unknown> {
  const copy: unknown = yield* cloneSteps(document);
  if (!isContainer(copy))
    throw failed(`json: cannot unmarshal ${goKind(copy)} into Go value of type jsonpatch.partialDoc`);
  const state = { root: copy, copied: 0 };
  for (const operation of operations) {
    // One operation may compare or move the whole of the object.
    yield;
    const apply = OPERATIONS.get(operation?.op ?? '');
    if (apply === undefined) throw failed(`Unexpected kind: ${kindOf(operation)}`);
    yield* apply(state, operation ?? {});
  }
  return state.root;
}

const kindOf = (operation: JsonPatchOperation | null): string =>
  typeof operation?.op === 'string' ? operation.op : 'unknown';
