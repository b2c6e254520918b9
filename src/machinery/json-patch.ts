import { cloneSteps } from './clone-steps.js';
import { quote } from './go-text.js';
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

/** What goes wrong while applying, in the library's words. */
export class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
}

const failed = (text: string): JsonPatchError => new JsonPatchError(text);
const MISSING = 'missing value';

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
  if (index === undefined) throw failed(`strconv.Atoi: parsing ${quote(key)}: invalid syntax`);
  if (index >= length || index < -length)
    throw failed(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

/** Does what may fail, and says on the way out where that was. */
function within<T>(what: (message: string) => string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof JsonPatchError ? failed(what(error.message)) : error;
  }
}

const get = (container: Container, key: string): unknown => {
  if (Array.isArray(container)) return container[indexIn(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
};

function add(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) setMember(container, key, value);
  else if (key === '-') container.push(value);
  else {
    if (parseIndex(key) === undefined)
      throw failed(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${quote(key)}: invalid syntax`);
    container.splice(indexIn(key, container.length + 1), 0, value);
  }
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(indexIn(key, container.length), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw failed(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
}

function replace(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) container[indexIn(key, container.length)] = value;
  else setMember(container, key, value);
}

const unescape = (token: string): string =>
  token.includes('~') ? token.replace(/~[01]/g, escaped => (escaped === '~1' ? '/' : '~')) : token;

interface Place {
  readonly container: Container;
  readonly key: string;
}

/** The container that a pointer names a member of; undefined: there is none. */
function find(document: Container, pointer: string): Place | undefined {
  const tokens = pointer.split('/');
  if (tokens.length < 2) return undefined;
  let container = document;
  for (let i = 1; i < tokens.length - 1; i++) {
    const token = unescape(tokens[i] ?? '');
    const index = Array.isArray(container) ? parseIndex(token) : undefined;
    const { length } = Array.isArray(container) ? container : { length: 0 };
    if (Array.isArray(container) && (index === undefined || index >= length || index < -length)) return undefined;
    const next = get(container, token);
    if (!isContainer(next)) return undefined;
    container = next;
  }
  return { container, key: unescape(tokens[tokens.length - 1] ?? '') };
}

/** A pointer of an operation, and where it leads. @throws JsonPatchError */
function locate(document: Container, pointer: unknown, unread: string, missing: (pointer: string) => string): Place {
  if (typeof pointer !== 'string') throw failed(unread);
  const place = find(document, pointer);
  if (place === undefined) throw failed(`${missing(pointer)}: ${MISSING}`);
  return place;
}

/** What is said of a "path" or "from" that is no text. */
const unread = (pointer: unknown, absent: string): string =>
  pointer === undefined || pointer === null
    ? absent
    : `json: cannot unmarshal ${goKind(pointer)} into Go value of type string`;

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

interface Patching {
  root: Container;
  copied: number;
}

type Apply = (state: Patching, operation: JsonPatchOperation) => Steps<void>;

const OPERATIONS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  [
    'add',
    function* ({ root }, { path, value }) {
      const { container, key } = locate(
        root,
        path,
        `add operation failed to decode path: ${MISSING}`,
        to => `add operation does not apply: doc is missing path: "${to}"`,
      );
      const copy: unknown = yield* cloneSteps(value ?? null);
      within(
        text => `error in add for path: '${path ?? ''}': ${text}`,
        () => add(container, key, copy),
      );
    },
  ],
  [
    'remove',

    function* ({ root }, { path }) {
      const { container, key } = locate(
        root,
        path,
        `remove operation failed to decode path: ${MISSING}`,
        to => `remove operation does not apply: doc is missing path: "${to}"`,
      );
      within(
        text => `error in remove for path: '${path ?? ''}': ${text}`,
        () => remove(container, key),
      );
    },
  ],
  [
    'replace',
    function* (state, { path, value }) {
      if (path === '') {
        if (!isContainer(value)) throw failed('replace operation value must be object or array: %!w(<nil>)');
        state.root = yield* cloneSteps(value);
        return;
      }
      const { container, key } = locate(
        state.root,
        path,
        `replace operation failed to decode path: ${unread(path, `operation missing path field: ${MISSING}`)}`,
        to => `replace operation does not apply: doc is missing path: ${to}`,
      );
      within(
        () => `replace operation does not apply: doc is missing key: ${path ?? ''}: ${MISSING}`,
        () => get(container, key),
      );
      replace(container, key, yield* cloneSteps(value ?? null));
    },
  ],
  [
    'move',

    function* ({ root }, { path, from }) {
      const source = locate(
        root,
        from,
        `move operation failed to decode from: ${unread(from, `operation, missing from field: ${MISSING}`)}`,
        to => `move operation does not apply: doc is missing from path: ${to}`,
      );
      const moved = within(
        text => `error in move for path: '${source.key}': ${text}`,
        () => {
          const value = get(source.container, source.key);
          remove(source.container, source.key);
          return value;
        },
      );
      const { container, key } = locate(
        root,
        path,
        `move operation failed to decode path: ${unread(path, `operation missing path field: ${MISSING}`)}`,
        to => `move operation does not apply: doc is missing destination path: ${to}`,
      );
      within(
        text => `error in move for path: '${path ?? ''}': ${text}`,
        () => add(container, key, moved),
      );
    },
  ],
  [
    'copy',

    function* (state, { path, from }) {
      const source = locate(
        state.root,
        from,
        `copy operation failed to decode from: ${unread(from, `operation, missing from field: ${MISSING}`)}`,
        to => `copy operation does not apply: doc is missing from path: ${to}`,
      );
      const original: unknown = within(
        text => `error in copy for from: '${from ?? ''}': ${text}`,
        () => get(source.container, source.key) ?? null,
      );
      const { container, key } = locate(
        state.root,
        path,
        `copy operation failed to decode path: ${MISSING}`,
        to => `copy operation does not apply: doc is missing destination path: ${to}`,
      );
      state.copied += original === null ? 0 : Buffer.byteLength(JSON.stringify(original));
      if (state.copied > MAX_COPIED_BYTES)
        throw failed(
          `Unable to complete the copy, the accumulated size increase of copy is ${state.copied}, exceeding the limit ${MAX_COPIED_BYTES}`,
        );
      within(
        text => `error while adding value during copy: ${text}`,
        () => add(container, key, cloneJson(original)),
      );
    },
  ],
  [
    'test',

    function* ({ root }, { path, value }) {
      const tested = (): unknown => {
        if (path === '') return root;
        const { container, key } = locate(
          root,
          path,
          `test operation failed to decode path: ${unread(path, `operation missing path field: ${MISSING}`)}`,
          to => `test operation does not apply: is missing path: ${to}`,
        );
        return within(
          text => `error in test for path: '${path ?? ''}': ${text}`,
          () => get(container, key),
        );
      };
      if (!jsonEqual(tested() ?? null, value ?? null)) throw failed(`testing value ${path ?? ''} failed: test failed`);
    },
  ],
]);
