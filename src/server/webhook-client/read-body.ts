import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { isTooDeep } from '../../machinery/json-depth.js';
import type { StructType } from '../../machinery/schema.js';
import type { Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import { bigValues } from '../../api/codec/json-outline.js';
import { JsonCursor } from '../../api/codec/json-cursor.js';
import { structReader } from '../../api/codec/read-type.js';
import { typeMetaOf } from '../../api/codec/resolve-kind.js';
import { utf8Steps } from '../../api/codec/utf8-steps.js';
import { yamlSteps } from '../../api/codec/yaml.js';
import { apiVersionOf } from '../../api/resource-info.js';
import { STATUS } from './go-types.js';

/** What is wrong with an answer, in the words of upstream's decoders. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
}

/** What an answer should be: a kind in one version of its group, where upstream knows some more. */
export interface ReviewType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly struct: StructType;
  /** Versions of the group, and kinds that each has. */
  readonly known: { readonly versions: readonly string[]; readonly kinds: readonly string[] };
  /** How many values there may be in it: each takes more than its text. */
  readonly maxValues: number;
}

/** In every group-version that upstream registers. */
const EVERYWHERE = ['WatchEvent', 'ListOptions', 'GetOptions', 'DeleteOptions', 'CreateOptions', 'UpdateOptions'];
const UNVERSIONED = ['Status', 'APIVersions', 'APIGroup', 'APIGroupList', 'APIResourceList'];
const SCHEME = 'pkg/runtime/scheme.go:111';
const MAX_STATUS_VALUES = 10_000;
const OPEN_BRACE = 0x7b;

/** No answer that is meant well is written so and is longer. */
const MAX_YAML_BYTES = 256 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** Whether JSON text has more values than that; of text that is no JSON it says something, in linear time. */
function hasMoreValues(json: Buffer, most: number): boolean {
  let values = 0;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === QUOTE) {
      for (i++; i < json.length && json[i] !== QUOTE; i++) if (json[i] === BACKSLASH) i++;
    } else if (byte === COMMA && ++values > most) return true;
  }
  return false;
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** JSON is what begins with a brace; all else is YAML, whatever it says it is. */
function looksLikeJson(body: Buffer): boolean {
  let at = 0;
  while (isSpace(body[at])) at++;
  return body[at] === OPEN_BRACE;
}

/** The body as JSON text. @throws ReadError */
function* jsonOf(body: Buffer, maxValues: number): Steps<string> {
  if (!looksLikeJson(body)) {
    if (body.length > MAX_YAML_BYTES) throw new ReadError(`an answer of ${body.length} bytes is no JSON`);
    const { json, error } = yield* yamlSteps(yield* utf8Steps(body));
    if (error !== undefined) throw new ReadError(error);
    if (isTooDeep(Buffer.from(json))) throw new ReadError('exceeded max depth');
    return json;
  }
  if (isTooDeep(body)) throw new ReadError("couldn't get version/kind; json parse error: exceeded max depth");
  yield;
  if (hasMoreValues(body, maxValues)) throw new ReadError(`an answer has more than ${maxValues} values`);
  yield;
  return yield* utf8Steps(body);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new ReadError(
      `couldn't get version/kind; json parse error: ${goJsonSyntaxError(Buffer.from(json)) ?? 'invalid'}`,
    );
  }
}

/** Its kind and version, where it says none those of `wanted`. @throws ReadError for what upstream knows nothing of */
function checkKind(meta: { readonly apiVersion?: string; readonly kind?: string }, wanted: ReviewType): boolean {
  const { apiVersion = '', kind = wanted.kind } = meta;
  const parts = apiVersion.split('/');
  if (parts.length > 2) throw new ReadError(`unexpected GroupVersion string: ${apiVersion}`);
  const [group = '', version = ''] = parts.length === 2 ? parts : ['', apiVersion];
  const asWanted = version === '' && (group === '' || group === wanted.group);
  const actual = asWanted ? { group: wanted.group, version: wanted.version } : { group, version };
  if (actual.group === wanted.group && actual.version === wanted.version && kind === wanted.kind) return true;
  const { versions, kinds } = wanted.known;
  const isKnown =
    (actual.group === wanted.group && versions.includes(actual.version) && [...kinds, ...EVERYWHERE].includes(kind)) ||
    (actual.group === '' && actual.version === 'v1' && UNVERSIONED.includes(kind));
  if (isKnown)
    throw new ReadError(
      `converting (${actual.version}.${kind}) to (${wanted.version}.${wanted.kind}): unknown conversion`,
    );
  throw new ReadError(`no kind "${kind}" is registered for version "${apiVersionOf(actual)}" in scheme "${SCHEME}"`);
}

function* readStruct(json: string, struct: StructType): Steps<JsonObject> {
  const cursor = new JsonCursor(json, Buffer.from(json), yield* bigValues(json));
  let object: JsonObject;
  try {
    object = cursor.token() === 'null' ? {} : yield* structReader(struct).steps(cursor);
  } catch (error) {
    throw new ReadError((error as Error).message);
  }
  if (cursor.typeError !== undefined) throw new ReadError(cursor.typeError);
  return object;
}

/** An answer, as Go would have read it into the type that is wanted. @throws ReadError */
export function* readReview(body: Buffer, wanted: ReviewType): Steps<JsonObject> {
  const json = yield* jsonOf(body, wanted.maxValues);
  yield;
  const meta = typeMetaOf(parsed(json));
  yield;
  if (typeof meta === 'string') throw new ReadError(meta);
  checkKind(meta, wanted);
  return yield* readStruct(json, wanted.struct);
}

/** A Status that says what failed; undefined: it is none. */
export function* readStatus(body: Buffer): Steps<JsonObject | undefined> {
  try {
    const json = yield* jsonOf(body, MAX_STATUS_VALUES);
    const meta = typeMetaOf(parsed(json));
    if (typeof meta === 'string' || meta.kind !== 'Status' || (meta.apiVersion ?? 'v1') !== 'v1') return undefined;
    const status = yield* readStruct(json, STATUS);
    return status['status'] === 'Success' ? undefined : status;
  } catch (error) {
    if (error instanceof ReadError) return undefined;
    throw error;
  }
}
