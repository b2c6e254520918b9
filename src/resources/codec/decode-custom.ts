import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { badRequestError, type StatusError } from '../../machinery/status.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import type { Api } from '../load.js';
import { apiVersionOf, type ResourceInfo } from '../resource-info.js';
import type { DecodedBody } from './decode.js';
import { GoDecodeError, JsonCursor, NotJson } from './json-cursor.js';
import { setOwn } from './own-property.js';
import { structReader } from './read-type.js';
import { summarize } from './resolve-kind.js';

/**
 * Decodes the body of a custom resource: any JSON, with typed metadata. Duplicate keys are strict problems; unknown
 * fields are found by pruning, which is not done here.
 * @throws StatusError 400
 */
export function decodeCustom(json: Buffer, body: Buffer, info: ResourceInfo, api: Api): DecodedBody {
  const unrecognized = (error: string): StatusError =>
    badRequestError(
      `the object provided is unrecognized (must be of type ${info.kind}): ${error} (${summarize(body)})`,
    );
  const cursor = new JsonCursor(json.toString(), json);
  const object = parseObject(cursor);
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
  const metadata = typedMetadata(object['metadata'] ?? {}, info, api);
  return { object: { ...object, metadata }, strictProblems: cursor.strictProblems };
}

function typedMetadata(metadata: unknown, info: ResourceInfo, api: Api): KubeObject['metadata'] {
  const type = api.type('meta.v1.ObjectMeta');
  if (type === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  const text = JSON.stringify(metadata);
  const cursor = new JsonCursor(text, Buffer.from(text));
  const refuse = (error: string): StatusError =>
    badRequestError(`${info.kind} in version "${info.version}" cannot be handled as a ${info.kind}: ${error}`);
  try {
    const token = cursor.token();
    if (token !== '{') throw cursor.foreign(token, 'v1.ObjectMeta');
    const object = structReader(type)(cursor);
    if (cursor.typeError !== undefined) throw refuse(cursor.typeError);
    return object as KubeObject['metadata'];
  } catch (error) {
    if (error instanceof GoDecodeError) throw refuse(error.message);
    throw error;
  }
}

/** undefined: not JSON, nested too deep, or not an object. */
function parseObject(cursor: JsonCursor): JsonObject | undefined {
  try {
    if (cursor.token() !== '{') return undefined;
    const object = readAny(cursor) as JsonObject;
    cursor.end();
    return object;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

function readAny(cursor: JsonCursor): unknown {
  const token = cursor.token();
  if (token === '[') {
    const list: unknown[] = [];
    cursor.enter();
    for (let more = cursor.first(0x5d); more; more = cursor.next(0x5d)) {
      cursor.path.push(`[${list.length}]`);
      list.push(readAny(cursor));
      cursor.path.pop();
    }
    return list;
  }
  if (token !== '{') return cursor.any();
  const object: JsonObject = {};
  cursor.enter();
  for (let more = cursor.first(0x7d); more; more = cursor.next(0x7d)) {
    const key = cursor.key();
    if (Object.hasOwn(object, key)) cursor.noteStrict('duplicate', key);
    cursor.path.push(`.${key}`);
    setOwn(object, key, readAny(cursor));
    cursor.path.pop();
  }
  return object;
}
