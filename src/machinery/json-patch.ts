import { cloneSteps } from './clone-steps.js';
import { cloneJson, jsonEqual, setMember } from './json-equal.js';
import { badRequestError, StatusError, tooLargeError } from './status.js';
import type { Steps } from './steps.js';

/**
 * RFC 6902 as the API server applies it: the semantics of gopkg.in/evanphx/json-patch.v4, which differ from the RFC in
 * that "replace" may add a member, negative indexes count from the end and a test for null passes on a missing member.
 */

export const MAX_JSON_PATCH_OPERATIONS = 10_000;
/** What "copy" operations of one patch may add together, in bytes of JSON. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

export interface JsonPatchOperation {
  readonly op?: string;
  readonly path?: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** Whatever goes wrong while applying, the client is told only this. */
const rejected = (): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

const goKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

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

type Container = unknown[] | Record<string, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** strconv.Atoi; undefined when it is no integer. */
const parseIndex = (key: string): number | undefined => (/^[+-]?[0-9]{1,15}$/.test(key) ? Number(key) : undefined);

/** An index in [0, length), negative ones counted from the end. */
function indexIn(key: string, length: number): number {
  const index = parseIndex(key);
  if (index === undefined || index >= length || index < -length) throw rejected();
  return index < 0 ? index + length : index;
}

const get = (container: Container, key: string): unknown => {
  if (Array.isArray(container)) return container[indexIn(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
};

function add(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) setMember(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(indexIn(key, container.length + 1), 0, value);
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(indexIn(key, container.length), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw rejected();
}

function replace(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) container[indexIn(key, container.length)] = value;
  else setMember(container, key, value);
}

const unescape = (token: string): string =>
  token.includes('~') ? token.replace(/~[01]/g, escaped => (escaped === '~1' ? '/' : '~')) : token;

/** The container that a pointer names a member of. */
function locate(document: Container, pointer: unknown): { container: Container; key: string } {
  if (typeof pointer !== 'string') throw rejected();
  const tokens = pointer.split('/');
  if (tokens.length < 2) throw rejected();
  let container = document;
  for (let i = 1; i < tokens.length - 1; i++) {
    const next = get(container, unescape(tokens[i] ?? ''));
    if (!isContainer(next)) throw rejected();
    container = next;
  }
  return { container, key: unescape(tokens[tokens.length - 1] ?? '') };
}

/**
 * The patched document; the given one is not changed.
 * @throws StatusError 422 without details when an operation fails
 */
export function* applyJsonPatch(document: unknown, operations: readonly (JsonPatchOperation | null)[]): Steps<unknown> {
  try {
    return yield* applyOperations(document, operations);
  } catch (error) {
    // Operations that nest one value in another can make what is deeper than the stack.
    if (error instanceof RangeError) throw rejected();
    throw error;
  }
}

function* applyOperations(document: unknown, operations: readonly (JsonPatchOperation | null)[]): Steps<unknown> {
  const copy: unknown = yield* cloneSteps(document);
  if (!isContainer(copy)) throw rejected();
  let root: Container = copy;
  let copied = 0;
  for (const operation of operations) {
    // One operation may compare or move the whole of the object.
    yield;
    const { op, path, from } = operation ?? {};
    const value: unknown = operation?.value;
    switch (op) {
      case 'add': {
        const { container, key } = locate(root, path);
        add(container, key, yield* cloneSteps(value ?? null));
        break;
      }
      case 'remove': {
        const { container, key } = locate(root, path);
        remove(container, key);
        break;
      }
      case 'replace': {
        if (path === '') {
          if (!isContainer(value)) throw rejected();
          root = yield* cloneSteps(value);
          break;
        }
        const { container, key } = locate(root, path);
        replace(container, key, yield* cloneSteps(value ?? null));
        break;
      }
      case 'move': {
        const source = locate(root, from);
        const moved = get(source.container, source.key);
        remove(source.container, source.key);
        const { container, key } = locate(root, path);
        add(container, key, moved);
        break;
      }
      case 'copy': {
        const source = locate(root, from);
        const original = get(source.container, source.key) ?? null;
        const { container, key } = locate(root, path);
        copied += original === null ? 0 : Buffer.byteLength(JSON.stringify(original));
        if (copied > MAX_COPIED_BYTES) throw rejected();
        add(container, key, cloneJson(original));
        break;
      }
      case 'test': {
        const actual = path === '' ? root : at(root, path);
        if (!jsonEqual(actual ?? null, value ?? null)) throw rejected();
        break;
      }
      default:
        throw rejected();
    }
  }
  return root;
}

const at = (root: Container, path: unknown): unknown => {
  const { container, key } = locate(root, path);
  return get(container, key);
};
