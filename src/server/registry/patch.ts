import { invalid } from '../../machinery/field-error.js';
import { formatGo } from '../../machinery/go-text.js';
import { applyJsonPatch } from '../../machinery/json-patch/apply.js';
import { decodeJsonPatch } from '../../machinery/json-patch/decode.js';
import { applyMergePatch, checkMergePatch } from '../../machinery/merge-patch.js';
import {
  conflictError,
  invalidError,
  isStatusError,
  notFoundError,
  pathNotFoundError,
} from '../../machinery/status.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import type { DeepReadonly, JsonObject, KubeObject, ObjectKey } from '../../machinery/types.js';
import type { DecodedBody } from '../../api/kind-schema.js';
import { apiVersionOf } from '../../api/resource-info.js';
import type { RequestContext } from '../../api/strategy.js';
import { applyConfiguration } from './apply-configuration.js';
import { duplicateFields } from './duplicate-fields.js';
import { jsonPatchedText, mergedText } from './patched-text.js';
import { groupResource, type Scope } from './scope.js';
import type { Change, Target } from './transform.js';
import type { PatchRequest, PatchType } from './types.js';

/** A patch applied, before the result is understood as an object. */
interface Patched {
  readonly document: JsonObject;
  /** Problems of the patch itself that field validation minds. */
  readonly problems: readonly string[];
  /** What error messages show of it. */
  text(): string;
}

type Live = DeepReadonly<KubeObject>;

/** PATCH (apiserver pkg/endpoints/handlers/patch.go). The patch is applied anew in every attempt. */
export function patchChange(scope: Scope, ctx: RequestContext, key: ObjectKey, request: PatchRequest): Change {
  const write = ({ subresource }: Target) => ({
    manager: ctx.options.fieldManager,
    subresource,
    nowMs: scope.clock.now(),
  });
  if (request.type === 'apply') {
    return function* (live, target) {
      if (target.fields === undefined) throw pathNotFoundError();
      const object = yield* applyConfiguration(ctx, target, live, request, write(target));
      const { uid = '' } = object.metadata;
      if (live !== undefined || uid === '') return object;
      const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflictError(groupResource(scope.info), key.name, text);
    };
  }
  const { type } = request;
  return function* (live, target) {
    if (live === undefined) throw notFoundError(groupResource(scope.info), key.name);
    const { patch } = yield* request.decode();
    yield;
    const patched = yield* apply(ctx, target, live, type, patch);
    yield;
    const object = yield* decodePatched(ctx, target, request, patched);
    yield* target.applyDefaults(object);
    yield;
    if (target.fields !== undefined) yield* target.fields.update(live, object, write(target));
    return object;
  };
}

const isChecked = (ctx: RequestContext): boolean => ctx.options.fieldValidation !== 'Ignore';

function* apply(
  ctx: RequestContext,
  target: Target,
  live: Live,
  type: Exclude<PatchType, 'apply'>,
  patch: unknown,
): Steps<Patched> {
  // Patching shares what it does not change or copies: the frozen object itself is what it starts from.
  const document = live as JsonObject;
  switch (type) {
    case 'json': {
      const { operations, problems } = decodeJsonPatch(patch, isChecked(ctx));
      const patched = (yield* applyJsonPatch(document, operations)) as JsonObject;
      const paths = operations.flatMap(op => [op?.path ?? '', op?.from ?? '']);
      const text = (): string =>
        jsonPatchedText(atOnce(applyJsonPatch(target.schema.inTextOrder(live), operations)), paths);
      return { document: patched, problems, text };
    }
    case 'merge': {
      checkMergePatch(patch, isChecked(ctx));
      const patched = (yield* applyMergePatch(document, patch)) as JsonObject;
      const text = (): string => {
        const ordered = target.schema.inTextOrder(live);
        return mergedText(atOnce(applyMergePatch(ordered, patch)), ordered);
      };
      return { document: patched, problems: [], text };
    }
    case 'strategic': {
      const { strategic } = target.schema;
      if (strategic === undefined) throw new Error(`${target.schema.kind} is not patched so: negotiation refuses it`);
      const { merged, consumed } = yield* strategic.apply(document, patch);
      return { document: merged, problems: [], text: () => formatGo(consumed) };
    }
  }
}

/** Understands the patched document as an object of the kind. @throws StatusError 422 with the field "patch" */
function* decodePatched(
  ctx: RequestContext,
  target: Target,
  request: PatchRequest,
  patched: Patched,
): Steps<KubeObject> {
  const refuse = (why: string): never => {
    throw invalidError({ group: '', kind: '' }, '', [invalid('patch', patched.text(), why)]);
  };
  const decoded = yield* decode(target, request, patched, refuse);
  yield;
  const problems = isChecked(ctx)
    ? [...duplicateFields(request.raw, request.type), ...patched.problems, ...[...decoded.strictProblems].sort()]
    : [];
  if (problems.length > 0) {
    if (ctx.options.fieldValidation === 'Strict') return refuse(`strict decoding error: ${problems.join(', ')}`);
    for (const problem of problems) ctx.warn(problem);
  }
  return decoded.object;
}

function* decode(
  target: Target,
  request: PatchRequest,
  patched: Patched,
  refuse: (why: string) => never,
): Steps<DecodedBody> {
  const { schema } = target;
  const { document } = patched;
  try {
    if (request.type !== 'strategic') return yield* schema.patched(document, () => patched.text());
    const problem = schema.restoreProblem(document);
    if (problem !== undefined) return refuse(problem);
    // The converter fills in a typed object: it has its kind, whatever the patch says.
    Object.assign(document, { kind: schema.kind, apiVersion: apiVersionOf(schema) });
    return yield* schema.canonicalize(document);
  } catch (error) {
    if (isStatusError(error)) throw error;
    return refuse((error as Error).message);
  }
}
