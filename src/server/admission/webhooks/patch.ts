import { goJsonSyntaxError } from '../../../machinery/go-json.js';
import { isTooDeep } from '../../../machinery/json-depth.js';
import { semanticEqual } from '../../../machinery/json-equal.js';
import { jsonPatchSteps } from '../../../machinery/json-patch/apply.js';
import { decodeJsonPatch, type JsonPatchOperation } from '../../../machinery/json-patch/decode.js';
import { JsonPatchError } from '../../../machinery/json-patch/errors.js';
import { internalError, StatusError } from '../../../machinery/status.js';
import type { Steps } from '../../../machinery/steps.js';
import type { DeepReadonly, GroupVersionKind, JsonObject, KubeObject } from '../../../machinery/types.js';
import type { Catalog } from '../../../api/catalog.js';
import { defaultObject } from '../../../api/default-object.js';
import { apiVersionOf } from '../../../api/resource-info.js';

export type Operations = readonly (JsonPatchOperation | null)[];

/** A patch in base64. @throws Error with the words of Go's decoder, or of the library's */
export function decodePatch(base64: string): Operations {
  const text = Buffer.from(base64, 'base64');
  if (isTooDeep(text)) throw new Error('exceeded max depth');
  let patch: unknown;
  try {
    patch = JSON.parse(text.toString()) as unknown;
  } catch (error) {
    throw new Error(goJsonSyntaxError(text) ?? (error as Error).message, { cause: error });
  }
  return decodeJsonPatch(patch, false).operations;
}

export interface Patched {
  readonly object: KubeObject;
  readonly changed: boolean;
}

/** Applies a patch to an object of a kind, and reads what comes of it as that kind. @throws StatusError 500 */
export function* applyPatch(
  catalog: Catalog,
  object: DeepReadonly<KubeObject>,
  kind: GroupVersionKind,
  operations: Operations,
): Steps<Patched> {
  try {
    const document = (yield* jsonPatchSteps(object, operations)) as JsonObject;
    yield;
    const patched = yield* readAs(catalog, document, kind);
    yield;
    return { object: patched, changed: !semanticEqual(object, patched) };
  } catch (error) {
    // Nothing of this is the client's fault.
    if (error instanceof StatusError) throw error;
    if (error instanceof JsonPatchError || (error instanceof Error && error.name === 'GoDecodeError'))
      throw internalError(error.message);
    throw error;
  }
}

const SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30';

/** The document as the kind that it says it is, defaulted, if that is the one that it was. @throws StatusError, GoDecodeError */
function* readAs(catalog: Catalog, document: JsonObject, kind: GroupVersionKind): Steps<KubeObject> {
  if (Array.isArray(document))
    throw internalError(`couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value`);
  const said = typeOf(document, kind);
  const { group, version } = said;
  const entry = catalog.findKind(group, version, said.kind);
  const schema = entry?.schema ?? catalog.body(group, version, said.kind);
  const same = said.kind === kind.kind && version === kind.version && group === kind.group;
  if (schema === undefined) {
    // Options of a connection have no schema here, and nobody reads what they were patched to.
    if (same) return document as KubeObject;
    throw internalError(
      `no kind "${said.kind}" is registered for version "${apiVersionOf(said)}" in scheme "${SCHEME}"`,
    );
  }
  // Of maps Go reads nothing but that they are some; the versions' own rules come at the end.
  const object =
    schema.form === 'map' && same ? (document as KubeObject) : (yield* schema.canonicalize(document)).object;
  if (!same)
    throw internalError(`converting (${version}.${said.kind}) to (${kind.version}.${kind.kind}): unknown conversion`);
  (object as Partial<KubeObject>).metadata ??= {};
  if (entry !== undefined) yield* defaultObject(entry, object);
  return object;
}

function typeOf(document: JsonObject, kind: GroupVersionKind): GroupVersionKind {
  const { kind: own, apiVersion } = document;
  const parts = typeof apiVersion === 'string' && apiVersion !== '' ? apiVersion.split('/') : [];
  const [group, version] =
    parts.length === 0
      ? [kind.group, kind.version]
      : parts.length === 1
        ? ['', parts[0] ?? '']
        : [parts[0] ?? '', parts[1] ?? ''];
  return { group, version, kind: typeof own === 'string' && own !== '' ? own : kind.kind };
}
