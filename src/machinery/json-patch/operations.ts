import { cloneSteps } from '../clone-steps.js';
import { cloneJson, jsonEqual } from '../json-equal.js';
import type { Steps } from '../steps.js';
import { add, get, isContainer, remove, replace, type Container } from './container.js';
import type { JsonPatchOperation } from './decode.js';
import { failed, MISSING, within } from './errors.js';
import { locate, unread } from './pointer.js';

/** What "copy" operations of one patch may add together, in bytes of JSON. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** What a patch has made of a document so far. */
interface Patching {
  root: Container;
  copied: number;
}

type Apply = (state: Patching, operation: JsonPatchOperation) => Steps<void>;

export const OPERATIONS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
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
