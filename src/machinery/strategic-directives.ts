import { formatGo, formatGoString, goTypeName } from './go-text.js';
import { badRequestError, reasonlessError, StatusError } from './status.js';

export type Obj = Record<string, unknown>;

export const DIRECTIVE = '$patch';
export const RETAIN_KEYS = '$retainKeys';
export const DELETE_FROM_LIST = '$deleteFromPrimitiveList';
export const SET_ORDER = '$setElementOrder';

export const isObject = (value: unknown): value is Obj =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const BAD_PRIMITIVE_LIST = (): StatusError => badRequestError('invalid patch format of primitive list');
export const BAD_RETAIN_KEYS = (): StatusError => badRequestError('invalid patch format of retainKeys');
export const BAD_SET_ORDER = (): StatusError => badRequestError('invalid patch format of setElementOrder list');
export const noMergeKey = (map: Obj, key: string): StatusError =>
  reasonlessError(`map: ${formatGo(map)} does not contain declared merge key: ${key}`);
export const badArgument = (expected: string, actual: unknown): StatusError =>
  reasonlessError(`expected a ${expected}, but received a ${actual === null ? '%!s(<nil>)' : goTypeName(actual)}`);
export const badDirective = (directive: unknown, map: Obj): StatusError =>
  reasonlessError(`unknown patch type: ${formatGoString(directive)} in map: ${formatGo(map)}`);
/** Too deep to say more: upstream answers a bare 422. */
export const listOfLists = (): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
