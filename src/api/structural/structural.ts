import { newPace, type Pace } from '../../machinery/pace.js';
import { cloneJson } from '../../machinery/json-equal.js';
import { GoDecodeError } from '../codec/json-cursor.js';
import type { StructType } from '../../machinery/schema.js';
import { invalid } from '../../machinery/field-error.js';
import { badRequestError, invalidError } from '../../machinery/status.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import type { GroupVersionKind, JsonObject, KubeObject, ObjectMeta } from '../../machinery/types.js';
import type { Columns } from '../columns.js';
import type { DecodedBody, KindSchema } from '../kind-schema.js';
import { applyDefaults, dropNulls } from './defaulting.js';
import { coerceEmbedded, readableMetadata, readMetadata } from './embedded.js';
import { fitsStruct } from './fits.js';
import { isPruned, isRestored } from './is-whole.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { mergeStruct } from './merge-schema.js';
import { publishedSchema } from './openapi.js';
import { prune } from './prune.js';
import { missingMeta, readBody } from './read-body.js';
import { sortedCopy } from './sorted-copy.js';
import { structuralOf } from './structural-schema.js';
import { createSchemaRules, type MoreRules } from './rules.js';

export interface StructuralOptions extends GroupVersionKind {
  readonly more?: MoreRules;
  readonly columns: Columns;
  /** Go's ObjectMeta, which metadata has whatever the schema says. */
  readonly objectMeta: StructType;
}

/**
 * The schema of a kind that is known at run time only. What the definition itself may say is not checked here. `propsOf` is
 * asked once, when something is to be known of the kind's objects: of most kinds of a cluster there are none.
 * Source: apiextensions-apiserver pkg/apiserver/customresource_handler.go (schemaCoercingDecoder and its codec).
 */
export function structural(propsOf: () => JsonSchemaProps, options: StructuralOptions): KindSchema {
  const { group, version, kind, columns, objectMeta } = options;
  const props = once(propsOf);
  const schemaOf = once(() => structuralOf(props()));
  const rules = once(() => createSchemaRules(props(), schemaOf(), options.more));
  const merged = once((): StructType => mergeStruct(kind, schemaOf(), props(), objectMeta));

  /**
   * Prunes, drops nulls, reads metadata, fills in defaults where that is wanted. Mutates. `lenient`: of what is stored,
   * malformed metadata is dropped. @throws GoDecodeError
   */
  function* coerce(object: JsonObject, lenient: boolean, defaults = true): Steps<DecodedBody> {
    const pace = newPace();
    const schema = schemaOf();
    const problems: string[] = [];
    const { metadata: given = {} } = object;
    let metadata;
    try {
      const read = yield* readMetadata(given, objectMeta);
      metadata = read.metadata;
      for (const path of read.unknown) problems.push(`metadata.${path}`);
    } catch (error) {
      if (!lenient || !(error instanceof GoDecodeError)) throw error;
      metadata = readableMetadata(given, objectMeta);
    }
    if (!isPruned(object, schema, objectMeta)) {
      for (const path of yield* prune(object, schema, pace)) problems.push(path);
      yield* dropNulls(object, schema, pace);
      const unknown: string[] = [];
      yield* coerceEmbedded(object, schema, undefined, { objectMeta, pace, lenient, unknown });
      for (const path of unknown.sort()) problems.push(path);
    }
    const { kind: ownKind, apiVersion } = object;
    if (defaults) yield* applyDefaults(object, schema, pace);
    Object.assign(object, { kind: ownKind, apiVersion });
    return {
      object: yield* inOrder(object, metadata, pace),
      strictProblems: problems.map(path => `unknown field ${JSON.stringify(path)}`),
    };
  }

  return {
    group,
    version,
    kind,
    columns,
    openapi: publishedSchema(options, props),
    mediaTypes: ['application/json', 'application/yaml'],
    form: 'map',
    *decode(body, type) {
      if (type === 'application/vnd.kubernetes.protobuf') throw new Error('such bodies are refused before');
      const read = yield* readBody(body, type, options);
      checkTypeMeta(read.object, options);
      yield;
      try {
        const { object, strictProblems } = yield* coerce(read.object, false);
        return { object, strictProblems: [...read.strictProblems, ...strictProblems] };
      } catch (error) {
        if (!(error instanceof GoDecodeError)) throw error;
        throw badRequestError(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`);
      }
    },
    *canonicalize(object) {
      const copy = cloneJson(object) as JsonObject;
      yield;
      return yield* coerce({ kind, apiVersion: group === '' ? version : `${group}/${version}`, ...copy }, false);
    },
    *patched(document, text) {
      if (missingMeta(document, '') !== undefined) throw new GoDecodeError(missingMeta(document, text()));
      checkTypeMeta(document, options);
      return yield* coerce(cloneJson(document), false);
    },
    *applied(document) {
      const pace = newPace();
      const object = cloneJson(document);
      yield;
      const { metadata } = yield* readMetadata(object['metadata'] ?? {}, objectMeta);
      yield* applyDefaults(object, schemaOf(), pace);
      return { object: yield* inOrder(object, metadata, pace), strictProblems: [] };
    },
    inTextOrder: object => atOnce(sortedCopy(object, newPace())) as JsonObject,
    restoreProblem: () => undefined,
    applyDefaults: object => applyDefaults(object, schemaOf(), newPace()),
    dropDisabled: () => undefined,
    normalize: () => undefined,
    restore(object) {
      const { object: restored } = atOnce(coerce(object as JsonObject, true));
      // Very old ones have none.
      restored.metadata.generation ||= 1;
      become(object, restored);
    },
    isRestored: object => isRestored(object, schemaOf(), objectMeta),
    converted(object) {
      become(object, atOnce(coerce(object as JsonObject, false, false)).object);
    },
    validate: (write, warn) => rules().validate(write, warn),
    fields: {
      unstructured: true,
      get struct() {
        return merged();
      },
      fits: object => fitsStruct(object, merged(), newPace()),
    },
    zero: () => ({}),
    absent: () => undefined,
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function become(object: KubeObject, other: KubeObject): void {
  for (const key of Object.keys(object)) if (!Object.hasOwn(other, key)) delete object[key];
  Object.assign(object, other);
}

/** An object of another kind is read by upstream like any, and then found to be invalid. @throws StatusError 422 */
function checkTypeMeta(object: JsonObject, { group, version, kind }: GroupVersionKind): void {
  const wanted = { kind, apiVersion: group === '' ? version : `${group}/${version}` };
  const errors = (['kind', 'apiVersion'] as const).flatMap(field =>
    object[field] === wanted[field] ? [] : [invalid(field, object[field], `must be ${wanted[field]}`)],
  );
  if (errors.length === 0) return;
  const own = typeof object['kind'] === 'string' ? object['kind'] : kind;
  const { name } = (object['metadata'] ?? {}) as { readonly name?: unknown };
  throw invalidError({ group, kind: own }, typeof name === 'string' ? name : '', errors);
}

/** Maps in order, but for metadata, which is a struct's. */
function* inOrder(object: JsonObject, metadata: ObjectMeta, pace: Pace): Steps<KubeObject> {
  const { metadata: _, ...members } = object;
  const sorted = (yield* sortedCopy(members, pace)) as JsonObject;
  const { apiVersion, kind, ...rest } = sorted;
  return { apiVersion, kind, metadata, ...rest } as KubeObject;
}
