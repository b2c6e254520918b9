import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { badRequestError, type StatusError } from '../../machinery/status.js';
import type { Steps } from '../../machinery/steps.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import { apiVersionOf, type ResourceInfo } from '../resource-info.js';
import type { DecodedBody } from './decode.js';
import { GoDecodeError, JsonCursor, NotJson } from './json-cursor.js';
import { bigValues } from './json-outline.js';
import { setOwn } from './own-property.js';
import { structReader } from './read-type.js';
import { summarize } from './resolve-kind.js';
import { utf8Steps } from './utf8-steps.js';

const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/**
 * Decodes the body of a custom resource: any JSON, with typed metadata. Duplicate keys are strict problems; unknown
 * fields are found by pruning, which is not done here.
 * @throws StatusError 400
 */
export function* decodeCustom(json: Buffer, body: Buffer, info: ResourceInfo, api: Api): Steps<DecodedBody> {
  const unrecognized = (error: string): StatusError =>
    badRequestError(
      `the object provided is unrecognized (must be of type ${info.kind}): ${error} (${summarize(body)})`,
    );
  const text = yield* utf8Steps(json);
  const cursor = new JsonCursor(text, json, yield* bigValues(text));
  const object = yield* parseObject(cursor);
  if (object === undefined) {
    const syntax = goJsonSyntaxError(json) ?? 'exceeded max depth';
    throw unrecognized(`couldn't get version/kind; json parse error: ${syntax}`);
  }
  for (const [key, what] of [
    ['kind', 'Kind'],
    ['apiVersion', 'apiVersion'],
  ] as const)
    if (object[key] === undefined || object[key] === '')
      throw unrecognized(`Object '${what}' is missing in '${json.toString()}'`);
  if (object['apiVersion'] !== apiVersionOf(info))
    throw badRequestError(
      `the API version in the data (${String(object['apiVersion'])}) does not match the expected API version (${apiVersionOf(info)})`,
    );
  yield;
  const metadata = yield* typedMetadata(object['metadata'] ?? {}, info, api);
  return { object: { ...object, metadata }, strictProblems: cursor.strictProblems };
}

function* typedMetadata(metadata: unknown, info: ResourceInfo, api: Api): Steps<KubeObject['metadata']> {
  const type = api.type('meta.v1.ObjectMeta');
  if (type === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  const text = JSON.stringify(metadata);
  const cursor = new JsonCursor(text, Buffer.from(text), yield* bigValues(text));
  const refuse = (error: string): StatusError =>
    badRequestError(`${info.kind} in version "${info.version}" cannot be handled as a ${info.kind}: ${error}`);
  try {
    const token = cursor.token();
    if (token !== '{') throw cursor.foreign(token, 'v1.ObjectMeta');
    const object = yield* structReader(type).steps(cursor);
    if (cursor.typeError !== undefined) throw refuse(cursor.typeError);
    return object;
  } catch (error) {
    if (error instanceof GoDecodeError) throw refuse(error.message);
    throw error;
  }
}

/** undefined: not JSON, nested too deep, or not an object. */
function* parseObject(cursor: JsonCursor): Steps<JsonObject | undefined> {
  try {
    if (cursor.token() !== '{') return undefined;
    const object = yield* objectSteps(cursor);
    cursor.end();
    return object;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
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

function readAny(cursor: JsonCursor): unknown {
  const token = cursor.token();
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
