import { isDue, type Pace } from '../../machinery/pace.js';
import { FieldPath, formatFieldError, invalid, required, type FieldError } from '../../machinery/field-error.js';
import type { StructType } from '../../machinery/schema.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import type { JsonObject, ObjectMeta } from '../../machinery/types.js';
import { isDns1035Label, nameIsPathSegment } from '../../machinery/validation/names.js';
import { validateObjectMeta } from '../../machinery/validation/object-meta.js';
import { GoDecodeError, JsonCursor } from '../codec/json-cursor.js';
import { bigValues } from '../codec/json-outline.js';
import { structReader } from '../codec/read-type.js';
import { memberSchema, type Structural } from './structural-schema.js';
import { fieldPath, isMap, type Place } from './walk.js';

/** Source: apiextensions-apiserver pkg/apiserver/schema/objectmeta. */

export interface ReadMetadata {
  readonly metadata: ObjectMeta;
  /** Paths within it that ObjectMeta does not have. */
  readonly unknown: readonly string[];
}

/** Reads metadata as Go does into its ObjectMeta. @throws GoDecodeError */
export function* readMetadata(value: unknown, objectMeta: StructType): Steps<ReadMetadata> {
  const text = JSON.stringify(value);
  const cursor = new JsonCursor(text, Buffer.from(text), yield* bigValues(text));
  const token = cursor.token();
  if (token === 'null') return { metadata: {}, unknown: [] };
  if (token !== '{') throw cursor.foreign(token, 'v1.ObjectMeta');
  const metadata = (yield* structReader(objectMeta).steps(cursor)) as ObjectMeta;
  if (cursor.typeError !== undefined) throw new GoDecodeError(cursor.typeError);
  return { metadata, unknown: cursor.strictProblems.map(pathOf) };
}

/** `unknown field "a.b"` → a.b: duplicates cannot be, what is read is no longer text. */
const pathOf = (problem: string): string => JSON.parse(problem.slice('unknown field '.length)) as string;

/** What can be read of metadata that came to be stored before its schema said what it is. */
export function readableMetadata(value: unknown, objectMeta: StructType): ObjectMeta {
  const kept: JsonObject = {};
  for (const [key, member] of Object.entries(isMap(value) ? value : {}))
    try {
      Object.assign(kept, atOnce(readMetadata({ [key]: member }, objectMeta)).metadata);
    } catch (error) {
      if (!(error instanceof GoDecodeError)) throw error;
    }
  return kept;
}

/** What is no object of the API, as decoding tells it and as a field's error. */
export class NoObjectError extends GoDecodeError {
  constructor(readonly error: FieldError) {
    super(formatFieldError(error));
  }
}

/** What is the same at every place of a walk. */
export interface Coercion {
  readonly objectMeta: StructType;
  readonly pace: Pace;
  /** What does not fit is dropped instead of refused: it is stored already. */
  readonly lenient: boolean;
  readonly unknown: string[];
}

/**
 * Brings the metadata of embedded objects to ObjectMeta's form. Mutates.
 * @throws NoObjectError for what is no metadata, with upstream's text
 */
export function* coerceEmbedded(
  value: unknown,
  schema: Structural | undefined,
  place: Place | undefined,
  how: Coercion,
): Steps<void> {
  if (schema?.hasEmbedded !== true) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (isDue(how.pace)) yield;
      yield* coerceEmbedded(item, schema.items, { step: i, within: place }, how);
    }
    return;
  }
  if (!isMap(value)) return;
  if (schema.embedded) yield* coerceObject(value, place, how);
  for (const key of Object.keys(value)) {
    const inner = memberSchema(schema, key);
    if (inner === undefined || inner === 'anything') continue;
    if (isDue(how.pace)) yield;
    yield* coerceEmbedded(value[key], inner, { step: key, keyed: !schema.properties.has(key), within: place }, how);
  }
}

function* coerceObject(object: JsonObject, place: Place | undefined, how: Coercion): Steps<void> {
  const at = (name: string): string => fieldPath({ step: name, within: place });
  for (const name of ['apiVersion', 'kind']) {
    if (object[name] === undefined || typeof object[name] === 'string') continue;
    if (!how.lenient) throw new NoObjectError(invalid(at(name), object[name], 'must be a string'));
    delete object[name];
  }
  const given = object['metadata'];
  if (given === undefined) return;
  try {
    const { metadata, unknown } = yield* readMetadata(given, how.objectMeta);
    object['metadata'] = metadata;
    for (const path of unknown) how.unknown.push(`${at('metadata')}.${path}`);
  } catch (error) {
    if (!(error instanceof GoDecodeError)) throw error;
    if (!how.lenient) throw new NoObjectError(invalid(at('metadata'), given, error.message));
    object['metadata'] = readableMetadata(given, how.objectMeta);
  }
}

/** What is wrong with embedded objects: their kind, their version and their metadata. */
export function* checkEmbedded(
  value: unknown,
  schema: Structural | undefined,
  place: Place | undefined,
  errors: FieldError[],
  pace: Pace,
): Steps<void> {
  if (schema?.hasEmbedded !== true) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (isDue(pace)) yield;
      yield* checkEmbedded(item, schema.items, { step: i, within: place }, errors, pace);
    }
    return;
  }
  if (!isMap(value)) return;
  if (schema.embedded) for (const one of objectErrors(value, FieldPath.root(fieldPath(place)))) errors.push(one);
  for (const key in value) {
    const inner = memberSchema(schema, key);
    if (inner === undefined || inner === 'anything') continue;
    if (isDue(pace)) yield;
    const keyed = !schema.properties.has(key);
    yield* checkEmbedded(value[key], inner, { step: key, keyed, within: place }, errors, pace);
  }
}

function* objectErrors(object: JsonObject, at: FieldPath): Generator<FieldError, void, void> {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined) yield required(at.child('apiVersion'));
  if (kind === undefined) yield required(at.child('kind'));
  const version = at.child('apiVersion');
  if (apiVersion !== undefined && typeof apiVersion !== 'string')
    yield invalid(version, apiVersion, 'must be a string');
  else if (apiVersion === '') yield invalid(version, apiVersion, 'must not be empty');
  else if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2)
    yield invalid(version, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  if (kind !== undefined) yield* kindErrors(kind, at.child('kind'));
  if (!isMap(metadata)) return;
  const meta = metadata as ObjectMeta;
  // Any name will do, and none.
  const named = (meta.name ?? '') === '' ? { ...meta, name: 'fakename' } : meta;
  const namespaced = (meta.namespace ?? '') !== '';
  yield* validateObjectMeta(named, { namespaced, name: nameIsPathSegment, builtIn: false }, at.child('metadata'));
}

function* kindErrors(kind: unknown, at: FieldPath): Generator<FieldError, void, void> {
  if (typeof kind !== 'string') return yield invalid(at, kind, 'must be a string');
  if (kind === '') return yield invalid(at, kind, 'must not be empty');
  const problems = isDns1035Label(kind.toLowerCase());
  if (problems.length > 0)
    yield invalid(at, kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`);
}
