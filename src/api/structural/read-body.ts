import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { badRequestError, type StatusError } from '../../machinery/status.js';
import type { Steps } from '../../machinery/steps.js';
import type { GroupVersionKind, JsonObject } from '../../machinery/types.js';
import { JsonCursor, NotJson } from '../codec/json-cursor.js';
import { bigValues } from '../codec/json-outline.js';
import { setOwn } from '../codec/own-property.js';
import { summarize, typeMetaOf } from '../codec/resolve-kind.js';
import { utf8Steps } from '../codec/utf8-steps.js';
import { duplicateKeysProblem, yamlSteps } from '../codec/yaml.js';
import { apiVersionOf } from '../resource-info.js';

const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
/** The biggest float below 2^63: an int64 beyond it has no number here that would still be whole to Go. */
const MAX_WHOLE = 2 ** 63 - 1024;
const MAX_INT64 = 2n ** 63n - 1n;

export interface ReadBody {
  readonly object: JsonObject;
  /** What the body gives twice. */
  readonly strictProblems: readonly string[];
}

/** Any JSON, or YAML, that says it is of the kind. @throws StatusError 400 */
export function* readBody(
  body: Buffer,
  type: 'application/json' | 'application/yaml',
  kind: GroupVersionKind,
): Steps<ReadBody> {
  const problems: string[] = [];
  let json = body;
  if (type === 'application/yaml') {
    const converted = yield* yamlSteps(yield* utf8Steps(body));
    if (converted.error !== undefined) throw badRequestError(converted.error);
    if (converted.duplicateKeys.length > 0) problems.push(duplicateKeysProblem(converted.duplicateKeys));
    json = Buffer.from(converted.json);
    yield;
  }
  const text = yield* utf8Steps(json);
  const cursor = new JsonCursor(text, json, yield* bigValues(text));
  const value = yield* parse(cursor);
  const unrecognized = (error: string): StatusError =>
    badRequestError(
      `the object provided is unrecognized (must be of type ${kind.kind}): ${error} (${summarize(body)})`,
    );
  if (value === undefined) {
    const syntax = goJsonSyntaxError(json) ?? 'exceeded max depth';
    throw unrecognized(`couldn't get version/kind; json parse error: ${syntax}`);
  }
  const meta = typeMetaOf(value);
  if (typeof meta === 'string') throw unrecognized(meta);
  const object = (value ?? {}) as JsonObject;
  const missing = missingMeta(object, text);
  if (missing !== undefined) throw unrecognized(missing);
  if (meta.apiVersion !== apiVersionOf(kind))
    throw badRequestError(
      `the API version in the data (${meta.apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  for (const one of cursor.strictProblems) problems.push(one);
  return { object, strictProblems: problems };
}

/** What an object without a kind or a version is refused with. */
export function missingMeta(object: JsonObject, text: string): string | undefined {
  if ((object['kind'] ?? '') === '') return `Object 'Kind' is missing in '${text}'`;
  if ((object['apiVersion'] ?? '') === '') return `Object 'apiVersion' is missing in '${text}'`;
  return undefined;
}

/** undefined: not JSON, or nested too deep. */
function* parse(cursor: JsonCursor): Steps<unknown> {
  try {
    const value = cursor.token() === '{' ? yield* objectSteps(cursor) : readAny(cursor);
    cursor.end();
    return value;
  } catch (error) {
    // A RangeError is a body nested deeper than the stack.
    if (error instanceof NotJson || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The key of the next member, which is on the way from here. */
function keyOf(cursor: JsonCursor, object: JsonObject): string {
  const key = cursor.key();
  if (Object.hasOwn(object, key)) cursor.noteStrict('duplicate', key);
  cursor.path.push(key);
  return key;
}

function readNumber(cursor: JsonCursor): number {
  const literal = cursor.number();
  const value = Number(literal);
  if (value < MAX_WHOLE || !/^[0-9]+$/.test(literal)) return value;
  return BigInt(literal) <= MAX_INT64 ? MAX_WHOLE : value;
}

function readAny(cursor: JsonCursor): unknown {
  const token = cursor.token();
  if (token === 'number') return readNumber(cursor);
  if (token === '[') {
    const list: unknown[] = [];
    cursor.enter();
    for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET)) {
      cursor.path.push(list.length);
      list.push(readAny(cursor));
      cursor.path.pop();
    }
    return list;
  }
  if (token === '"') return cursor.string();
  if (token !== '{') return cursor.any();
  const object: JsonObject = {};
  cursor.enter();
  for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
    setOwn(object, keyOf(cursor, object), readAny(cursor));
    cursor.path.pop();
  }
  return object;
}

function* listSteps(cursor: JsonCursor): Steps<unknown[]> {
  const list: unknown[] = [];
  cursor.enter();
  for (let more = cursor.first(CLOSE_BRACKET); more; more = cursor.next(CLOSE_BRACKET)) {
    cursor.path.push(list.length);
    list.push(cursor.isBig() ? yield* anySteps(cursor) : readAny(cursor));
    cursor.path.pop();
    if (cursor.isTired()) yield;
  }
  return list;
}

function* objectSteps(cursor: JsonCursor): Steps<JsonObject> {
  const object: JsonObject = {};
  cursor.enter();
  for (let more = cursor.first(CLOSE_BRACE); more; more = cursor.next(CLOSE_BRACE)) {
    const key = keyOf(cursor, object);
    setOwn(object, key, cursor.isBig() ? yield* anySteps(cursor) : readAny(cursor));
    cursor.path.pop();
    if (cursor.isTired()) yield;
  }
  return object;
}

const anySteps = (cursor: JsonCursor): Steps<unknown> =>
  cursor.token() === '[' ? listSteps(cursor) : objectSteps(cursor);
