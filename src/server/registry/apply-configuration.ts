import type { FieldWrite } from '../../machinery/managed-fields/field-manager.js';
import { withBareEntries } from '../../machinery/managed-fields/bare-entries.js';
import { badRequestError, pathNotFoundError, reasonlessError } from '../../machinery/status.js';
import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly, JsonObject, KubeObject } from '../../machinery/types.js';
import { duplicateKeysProblem } from '../../api/codec/yaml.js';
import type { KindSchema } from '../../api/kind-schema.js';
import type { RequestContext } from '../../api/strategy.js';
import type { Target } from './transform.js';
import type { PatchRequest } from './types.js';

/**
 * Server-side apply of a request: the object that comes of it, decoded and defaulted.
 * @throws StatusError 400 for what is no configuration, 409 for conflicts, and reasonless ones
 */
export function* applyConfiguration(
  ctx: RequestContext,
  target: Target,
  live: DeepReadonly<KubeObject> | undefined,
  request: PatchRequest,
  write: FieldWrite,
): Steps<KubeObject> {
  if (target.fields === undefined) throw pathNotFoundError();
  const { patch, duplicateKeys } = yield* request.decode();
  yield;
  const configuration = asObject(patch);
  const applied = yield* target.fields.apply(live, configuration, { ...write, force: request.force });
  yield;
  const object = yield* decodeApplied(target, applied, configuration);
  yield;
  yield* target.applyDefaults(object);
  checkDuplicates(ctx, duplicateKeys);
  return object;
}

const jsonKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

/** Apply takes YAML: anything may come, only a mapping is an object. */
function asObject(patch: unknown): KubeObject {
  if (typeof patch === 'object' && !Array.isArray(patch)) {
    return { ...patch, metadata: (patch as JsonObject | null)?.['metadata'] ?? {} };
  }
  throw badRequestError(
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`,
  );
}

/** Values that the schema lets pass may not fit the Go type. @throws StatusError without a reason */
function* decodeApplied(target: Target, applied: KubeObject, configuration: KubeObject): Steps<KubeObject> {
  const { schema } = target;
  const problem = schema.restoreProblem(applied);
  if (problem !== undefined) {
    const { namespace = '', name = '' } = configuration.metadata;
    const type = `${schema.group}/${schema.version}, Kind=${schema.kind}`;
    throw reasonlessError(
      `failed to convert new object (${namespace}/${name}; ${type}) to proper version: ` +
        `unable to convert unstructured object to ${type}: ${problem}`,
    );
  }
  yield;
  try {
    return yield* canonicalForm(schema, applied);
  } catch (error) {
    throw reasonlessError((error as Error).message);
  }
}

/**
 * The object in the form that decoding gives. The sets of managed fields, which may be as large as the object and were made
 * here, are not written and read again.
 * @throws GoDecodeError
 */
function* canonicalForm(schema: KindSchema, applied: KubeObject): Steps<KubeObject> {
  const { object } = yield* schema.applied(withBareEntries(applied));
  object.metadata.managedFields?.forEach((entry, i) => {
    const fieldsV1 = applied.metadata.managedFields?.[i]?.fieldsV1;
    if (fieldsV1 !== undefined) entry.fieldsV1 = fieldsV1;
  });
  return object;
}

/** Upstream decodes strictly only when everything else went well. @throws StatusError 400 with Strict */
function checkDuplicates(ctx: RequestContext, duplicateKeys: readonly string[]): void {
  if (duplicateKeys.length === 0 || ctx.options.fieldValidation === 'Ignore') return;
  if (ctx.options.fieldValidation === 'Strict') {
    throw badRequestError(
      `error strict decoding YAML: error converting YAML to JSON: ${duplicateKeysProblem(duplicateKeys)}`,
    );
  }
  for (const line of duplicateKeys) ctx.warn(line);
}
