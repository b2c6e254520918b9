import { invalid } from '../../machinery/field-error.js';
import { formatGo } from '../../machinery/go-text.js';
import { applyJsonPatch, decodeJsonPatch } from '../../machinery/json-patch.js';
import { applyMergePatch, checkMergePatch } from '../../machinery/merge-patch.js';
import { conflictError, invalidError, notFoundError, pathNotFoundError } from '../../machinery/status.js';
import { applyStrategicMergePatch, asStrategicMergePatch } from '../../machinery/strategic-merge.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import type { DeepReadonly, JsonObject, KubeObject, ObjectKey } from '../../machinery/types.js';
import { restoreProblem } from '../../resources/codec/restore.js';
import { apiVersionOf } from '../../resources/resource-info.js';
import type { RequestContext } from '../../resources/strategy.js';
import { applyConfiguration } from './apply-configuration.js';
import type { Kind } from './codec.js';
import { duplicateFields } from './duplicate-fields.js';
import { jsonPatchedText, mergedText } from './patched-text.js';
import { groupResource, type Scope } from './scope.js';
import type { Change, Target } from './transform.js';
import type { Decoded, PatchRequest, PatchType } from './types.js';

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
      const object = yield* applyConfiguration(scope, ctx, target, live, request, write(target));
      const { uid = '' } = object.metadata;
      if (live !== undefined || uid === '') return object;
      const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflictError(groupResource(scope.info), key.name, text);
    };
  }
  const { type } = request;
  return function* (live, target) {
    if (live === undefined) throw notFoundError(groupResource(scope.info), key.name);
    const { patch } = request.decode();
    yield;
    const patched = yield* apply(scope, ctx, target, live, type, patch);
    yield;
    const object = yield* decodePatched(scope, ctx, target, request, patched);
    yield* target.applyDefaults(object);
    yield;
    if (target.fields !== undefined) yield* target.fields.update(live, object, write(target));
    return object;
  };
}

const isChecked = (ctx: RequestContext): boolean => ctx.options.fieldValidation !== 'Ignore';

/** The live object with its members in the order of its JSON text, which error messages show. */
const inFieldOrder = (scope: Scope, target: Target, live: Live): JsonObject =>
  scope.codec.canonicalize(live, target.kind).object;

function* apply(
  scope: Scope,
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
        jsonPatchedText(atOnce(applyJsonPatch(inFieldOrder(scope, target, live), operations)), paths);
      return { document: patched, problems, text };
    }
    case 'merge': {
      checkMergePatch(patch, isChecked(ctx));
      const patched = (yield* applyMergePatch(document, patch)) as JsonObject;
      const text = (): string => {
        const ordered = inFieldOrder(scope, target, live);
        return mergedText(atOnce(applyMergePatch(ordered, patch)), ordered);
      };
      return { document: patched, problems: [], text };
    }
    case 'strategic': {
      const steps = applyStrategicMergePatch(document, asStrategicMergePatch(patch), target.kind.type);
      const { merged, consumed } = yield* steps;
      return { document: merged, problems: [], text: () => formatGo(consumed) };
    }
  }
}

/** Understands the patched document as an object of the kind. @throws StatusError 422 with the field "patch" */
function* decodePatched(
  scope: Scope,
  ctx: RequestContext,
  target: Target,
  request: PatchRequest,
  patched: Patched,
): Steps<KubeObject> {
  const refuse = (why: string): never => {
    throw invalidError({ group: '', kind: '' }, '', [invalid('patch', patched.text(), why)]);
  };
  const decoded = yield* decode(scope, target, request, patched, refuse);
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

/**
 * Without apiVersion upstream decodes into its internal type, whose fields have no JSON names: it knows no member of the
 * document but the kind, and the object has no name.
 */
function internalObject(document: JsonObject, { kind }: Kind): Decoded {
  const strange = Object.keys(document).filter(key => key !== 'kind' && key !== 'apiVersion');
  return { object: { kind, metadata: {} }, strictProblems: strange.map(key => `unknown field ${JSON.stringify(key)}`) };
}

function* decode(
  scope: Scope,
  target: Target,
  request: PatchRequest,
  patched: Patched,
  refuse: (why: string) => never,
): Steps<Decoded> {
  const { kind } = target;
  const { document } = patched;
  const apiVersion = apiVersionOf(kind);
  if (request.type === 'strategic') {
    const problem = restoreProblem(document, kind.type);
    if (problem !== undefined) return refuse(problem);
    // The converter fills in a typed object: it has its kind, whatever the patch says.
    Object.assign(document, { kind: kind.kind, apiVersion });
  } else if (scope.info.custom !== true && document['kind'] === kind.kind && !document['apiVersion']) {
    return internalObject(document, kind);
  } else if (document['kind'] !== kind.kind || document['apiVersion'] !== apiVersion) {
    const problem = scope.codec.decodeError(patched.text(), kind);
    if (problem !== undefined) return refuse(problem);
  }
  try {
    return yield* scope.codec.canonicalSteps(document, kind);
  } catch (error) {
    return refuse((error as Error).message);
  }
}
