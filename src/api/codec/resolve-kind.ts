import { jsonTypeName } from '../../machinery/go-json.js';
import type { StructType } from '../../machinery/schema.js';
import type { GroupVersionKind } from '../../machinery/types.js';
import type { Api } from '../load.js';
import { apiVersionOf } from '../resource-info.js';

/** What a body says it is. */
export interface Resolved extends GroupVersionKind {
  /** Undefined for kinds that upstream knows and we have no use for (options). */
  readonly type?: StructType;
  /** Set when the kind exists but is not what the endpoint takes. */
  readonly conversionError?: string;
}

export interface Unresolved {
  readonly error: string;
  /** Set when the body's own kind is known. */
  readonly kind?: GroupVersionKind;
}

const SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30';

/** Go's name of the type that meta.Interpret decodes into. */
const INTERPRET = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

/** Registered with every group-version (metav1.AddToGroupVersion). */
const EVERYWHERE: ReadonlySet<string> = new Set([
  'ListOptions',
  'GetOptions',
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'WatchEvent',
]);
/** Registered with v1 beside the kinds in api-schemas. */
const CORE_ONLY: ReadonlySet<string> = new Set([
  'List',
  'APIVersions',
  'APIGroup',
  'APIGroupList',
  'PodExecOptions',
  'PodAttachOptions',
  'PodLogOptions',
  'PodPortForwardOptions',
  'PodProxyOptions',
  'NodeProxyOptions',
  'ServiceProxyOptions',
  'PodStatusResult',
  'RangeAllocation',
  'SerializedReference',
]);

/** The apiVersion and kind of a parsed body, as far as it has them; text: why it has none, in Go's words. */
export function typeMetaOf(value: unknown): { readonly apiVersion?: string; readonly kind?: string } | string {
  const parseError = (text: string): string => `couldn't get version/kind; json parse error: ${text}`;
  if (typeof value !== 'object' || Array.isArray(value))
    return parseError(`json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${INTERPRET}`);
  const meta: Record<string, string> = {};
  for (const [key, member] of Object.entries(value ?? {})) {
    if ((key !== 'apiVersion' && key !== 'kind') || member === null) continue;
    if (typeof member !== 'string')
      return parseError(`json: cannot unmarshal ${jsonTypeName(member)} into Go struct field .${key} of type string`);
    meta[key] = member;
  }
  return meta;
}

/** Finds out the version and kind of JSON text that is known to be well-formed, as upstream does before decoding. */
export function resolveKind(json: string, target: GroupVersionKind, api: Api): Resolved | Unresolved {
  const meta = typeMetaOf(JSON.parse(json) as unknown);
  if (typeof meta === 'string') return { error: meta };
  return resolveMeta(meta.apiVersion ?? '', meta.kind ?? '', target, api);
}

/** The same for an apiVersion and kind that are at hand (protobuf's envelope). */
export function resolveMeta(
  apiVersion: string,
  kindText: string,
  target: GroupVersionKind,
  api: Api,
): Resolved | Unresolved {
  const parts = apiVersion.split('/');
  if (parts.length > 2) return { error: `unexpected GroupVersion string: ${apiVersion}` };
  let [group, version] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : ['', apiVersion];
  const kind = kindText === '' ? target.kind : kindText;
  if (version === '' && (group === '' || group === target.group)) [group, version] = [target.group, target.version];
  const gvk = { group, version, kind };
  const known = api.kind(group, version, kind);
  const served = api.groupVersions.some(gv => gv.group === group && gv.version === version);
  if (known === undefined && !(served && isCommon(gvk)))
    return {
      error: `no kind "${kind}" is registered for version "${apiVersionOf(gvk)}" in scheme "${SCHEME}"`,
      kind: gvk,
    };
  const same = internalName(gvk) === internalName(target);
  return {
    ...gvk,
    ...(known === undefined ? {} : { type: known.type }),
    ...(same
      ? {}
      : { conversionError: `converting (${version}.${kind}) to (${internalName(target)}): unknown conversion` }),
  };
}

const isCommon = ({ group, kind }: GroupVersionKind): boolean =>
  EVERYWHERE.has(kind) || (group === '' && CORE_ONLY.has(kind));

/** Go's name of the internal type: all versions of a kind, and both kinds of Event, share it. */
function internalName({ group, kind }: GroupVersionKind): string {
  const isCore = group === '' || group === 'events.k8s.io';
  return `${isCore ? 'core' : (group.split('.')[0] ?? '')}.${kind}`;
}

/** apiserver endpoints/handlers/rest.go summarizeData. */
export function summarize(data: Buffer, limit = 30): string {
  if (data.length === 0) return '<empty>';
  const head = data.subarray(0, limit);
  return (data[0] === 0x7b ? head.toString() : head.toString('hex')) + (data.length > limit ? ' ...' : '');
}
