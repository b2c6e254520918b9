import { badRequestError, type StatusError } from '../../machinery/status.js';
import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import { ProtobufError } from '../../machinery/protobuf-wire.js';
import type { StructType } from '../../machinery/schema.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import type { BodyType, DecodedBody } from '../kind-schema.js';
import type { Api, KindType } from '../load.js';
import { apiVersionOf } from '../resource-info.js';
import { GoDecodeError, JsonCursor, NotJson } from './json-cursor.js';
import { bigValues } from './json-outline.js';
import { openEnvelope, readRawObject } from './protobuf.js';
import { structReader } from './read-type.js';
import { resolveKind, resolveMeta, summarize, type Resolved, type Unresolved } from './resolve-kind.js';
import { utf8Steps } from './utf8-steps.js';
import { duplicateKeysProblem, yamlSteps } from './yaml.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface DecodeOptions {
  readonly fieldValidation?: FieldValidation;
}

/**
 * Decodes a request body into `target`, the kind that the endpoint takes (a resource's or a subresource's).
 * @throws StatusError 400 with the real server's text; with fieldValidation Strict also for strict problems
 */
export const decode = (
  body: Uint8Array,
  type: BodyType,
  target: KindType,
  api: Api,
  options: DecodeOptions = {},
): DecodedBody => atOnce(decodeSteps(body, type, target, api, options));

/** As decode. @throws StatusError */
export function* decodeSteps(
  body: Uint8Array,
  type: BodyType,
  target: KindType,
  api: Api,
  options: DecodeOptions = {},
): Steps<DecodedBody> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const validation = options.fieldValidation ?? 'Warn';
  if (type === 'application/vnd.kubernetes.protobuf')
    return { object: yield* decodeProtobuf(bytes, target, api), strictProblems: [] };
  let json = bytes;
  const problems: string[] = [];
  if (type === 'application/yaml') {
    const converted = yield* yamlSteps(yield* utf8Steps(bytes));
    yield;
    if (converted.error !== undefined) throw unrecognized(target, converted.error, bytes);
    json = Buffer.from(converted.json);
    if (converted.duplicateKeys.length > 0) problems.push(duplicateKeysProblem(converted.duplicateKeys));
  }
  const text = yield* utf8Steps(json);
  yield;
  const cursor = new JsonCursor(text, json, yield* bigValues(text));
  const object = (yield* readObject(cursor, target)) ?? (yield* decodeSlowly(json, bytes, target, api));
  if (validation === 'Ignore') return { object, strictProblems: [] };
  for (const one of cursor.strictProblems) problems.push(one);
  if (validation === 'Strict' && problems.length > 0)
    throw unhandled(target, target, `strict decoding error: ${problems.join(', ')}`);
  return { object, strictProblems: problems };
}

/** A small object at once, a big one in steps. */
const readStruct = (cursor: JsonCursor, struct: StructType): Steps<JsonObject> => structReader(struct).steps(cursor);

/** The fast way, which nearly all bodies take; undefined when there is anything to say about the body. */
function* readObject(cursor: JsonCursor, target: KindType): Steps<KubeObject | undefined> {
  try {
    if (cursor.token() !== '{') return undefined;
    const object = (yield* readStruct(cursor, target.type)) as KubeObject;
    cursor.end();
    if (cursor.typeError !== undefined || !isOf(object, target)) return undefined;
    return withKind(object, target);
  } catch (error) {
    // A RangeError is a body nested deeper than the stack: the slow way finds the words.
    if (error instanceof NotJson || error instanceof GoDecodeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

const isOf = (object: KubeObject, target: KindType): boolean =>
  (object.kind ?? target.kind) === target.kind && (object.apiVersion ?? apiVersionOf(target)) === apiVersionOf(target);

function withKind(object: KubeObject, target: KindType): KubeObject {
  if (object.kind !== undefined && object.apiVersion !== undefined) return object;
  return Object.assign({ kind: target.kind, apiVersion: apiVersionOf(target) }, object);
}

/**
 * Does what upstream does step by step, to fail with its words: syntax, version and kind, the kind's own type,
 * conversion. Source: apimachinery serializer/json, apiserver endpoints/handlers/rest.go transformDecodeError.
 */
function* decodeSlowly(json: Buffer, body: Buffer, target: KindType, api: Api): Steps<KubeObject> {
  yield;
  const syntax = goJsonSyntaxError(json);
  yield;
  if (syntax !== undefined) throw unrecognized(target, `couldn't get version/kind; json parse error: ${syntax}`, body);
  const resolved = checked(resolveKind(json.toString(), target, api), target, body);
  yield;
  return converted(yield* readAs(resolved, json, target), resolved, target);
}

function* decodeProtobuf(body: Buffer, target: KindType, api: Api): Steps<KubeObject> {
  try {
    const { apiVersion, kind, raw } = openEnvelope(body);
    const resolved = checked(resolveMeta(apiVersion, kind, target, api), target, body);
    try {
      const object = resolved.type === undefined ? {} : yield* readRawObject(raw, resolved.type);
      return converted(object as KubeObject, resolved, target);
    } catch (error) {
      if (error instanceof ProtobufError) throw unhandled(resolved, target, error.message);
      throw error;
    }
  } catch (error) {
    if (error instanceof ProtobufError) throw unrecognized(target, error.message, body);
    throw error;
  }
}

function checked(resolved: Resolved | Unresolved, target: KindType, body: Buffer): Resolved {
  if (!('error' in resolved)) return resolved;
  throw resolved.kind === undefined
    ? unrecognized(target, resolved.error, body)
    : unhandled(resolved.kind, target, resolved.error);
}

/** The last step: the object must be of the kind, and in the version, that the endpoint takes. */
function converted(object: KubeObject, resolved: Resolved, target: KindType): KubeObject {
  if (resolved.conversionError !== undefined) throw unhandled(resolved, target, resolved.conversionError);
  const reads = resolved.group === target.group && target.alsoReads?.includes(resolved.version) === true;
  if (reads) return { ...object, apiVersion: apiVersionOf(target) };
  if (apiVersionOf(resolved) !== apiVersionOf(target))
    throw badRequestError(
      `the API version in the data (${apiVersionOf(resolved)}) does not match the expected API version (${apiVersionOf(target)})`,
    );
  return withKind(object, target);
}

function* readAs(resolved: Resolved, json: Buffer, target: KindType): Steps<KubeObject> {
  const text = yield* utf8Steps(json);
  const cursor = new JsonCursor(text, json, yield* bigValues(text));
  try {
    if (resolved.type === undefined) return { metadata: {} };
    if (cursor.token() === 'null')
      return structReader(resolved.type).read(new JsonCursor('{}', Buffer.from('{}'))) as KubeObject;
    const object = (yield* readStruct(cursor, resolved.type)) as KubeObject;
    if (cursor.typeError !== undefined) throw new GoDecodeError(cursor.typeError);
    return object;
  } catch (error) {
    if (error instanceof GoDecodeError) throw unhandled(resolved, target, error.message);
    if (error instanceof NotJson || error instanceof RangeError)
      throw unhandled(resolved, target, 'exceeded max depth');
    throw error;
  }
}

const unhandled = (
  actual: { readonly kind: string; readonly version: string },
  target: KindType,
  error: string,
): StatusError =>
  badRequestError(`${actual.kind} in version "${actual.version}" cannot be handled as a ${target.kind}: ${error}`);

const unrecognized = (target: KindType, error: string, body: Buffer): StatusError =>
  badRequestError(
    `the object provided is unrecognized (must be of type ${target.kind}): ${error} (${summarize(body)})`,
  );

const TOO_DEEP = 'exceeded max depth';

/** A patch can nest what it is given, so that it is deeper than the stack. */
function jsonText(object: object): string {
  try {
    return JSON.stringify(object);
  } catch (error) {
    if (error instanceof RangeError) throw new GoDecodeError(TOO_DEEP);
    throw error;
  }
}

/**
 * Brings an object that was made in the server (by a patch, a merge) to the form that decoding gives.
 * @throws GoDecodeError with Go's message when a value has the wrong type
 */
export const canonicalize = (object: object, target: KindType): DecodedBody => atOnce(canonicalSteps(object, target));

/** As canonicalize. @throws GoDecodeError */
export function* canonicalSteps(object: object, target: KindType): Steps<DecodedBody> {
  const text = jsonText(object);
  yield;
  const cursor = new JsonCursor(text, Buffer.from(text), yield* bigValues(text));
  try {
    const result = (yield* readStruct(cursor, target.type)) as KubeObject;
    if (cursor.typeError !== undefined) throw new GoDecodeError(cursor.typeError);
    return { object: withKind(result, target), strictProblems: cursor.strictProblems };
  } catch (error) {
    // The text was made here: that is all that can be wrong with it.
    if (error instanceof NotJson) throw new GoDecodeError(TOO_DEEP, { cause: error });
    throw error;
  }
}
