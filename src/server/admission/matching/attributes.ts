import type { GroupVersionKind, JsonObject } from '../../../machinery/types.js';
import type { ResourceInfo } from '../../../api/resource-info.js';
import type { DeleteOptions, RequestContext, UserInfo } from '../../../api/strategy.js';
import { isResource } from '../forbidden.js';
import type { AdmissionRequest } from '../types.js';

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** A request as whoever is asked about it is told of it (admission.Attributes), but for its objects. */
export interface Attributes {
  readonly operation: AdmissionRequest['operation'];
  readonly resource: GroupVersionResource;
  readonly subresource: string;
  /** Of the object in the request: an Eviction, the Scale of a Deployment, PodExecOptions. */
  readonly kind: GroupVersionKind;
  /** Empty where there is none: a generated one before it is generated, and of each deletion of a collection. */
  readonly name: string;
  /** Of a request about a Namespace, that Namespace. */
  readonly namespace: string;
  readonly dryRun: boolean;
  readonly user: UserInfo;
  /** As an object of meta.k8s.io/v1; undefined: the operation has none. */
  readonly options: JsonObject | undefined;
}

export const resourceOf = ({ group, version, plural }: ResourceInfo): GroupVersionResource => ({
  group,
  version,
  resource: plural,
});

/** Of a resource, or of what one of its subresources reads and writes; undefined: there is no such subresource. */
export function kindOf(info: ResourceInfo, subresource: string): GroupVersionKind | undefined {
  const found = subresource === '' ? info : info.subresources.find(s => s.name === subresource);
  return found && { group: found.group, version: found.version, kind: found.kind };
}

const NAMES = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions' } as const;

function deleteOptions({ dryRun, ...rest }: Partial<DeleteOptions>): JsonObject {
  return { ...rest, ...(dryRun === true ? { dryRun: ['All'] } : {}) };
}

function optionsOf(ctx: RequestContext, { operation, deleteOptions: asked }: AdmissionRequest): JsonObject | undefined {
  const apiVersion = 'meta.k8s.io/v1';
  if (operation === 'CONNECT') return undefined;
  if (operation === 'DELETE') return { kind: 'DeleteOptions', apiVersion, ...deleteOptions(asked ?? {}) };
  const { dryRun, asked: sent } = ctx.options;
  return { kind: NAMES[operation], apiVersion, ...(dryRun ? { dryRun: ['All'] } : {}), ...sent };
}

export function attributesOf(ctx: RequestContext, request: AdmissionRequest): Attributes {
  const { operation, resource: info, subresource, key, unnamed = false } = request;
  const name = unnamed ? '' : key.name;
  const deletesDry = operation === 'DELETE' && request.deleteOptions?.dryRun === true;
  return {
    operation,
    resource: resourceOf(info),
    subresource,
    kind: kindOf(info, subresource) ?? { group: info.group, version: info.version, kind: info.kind },
    name,
    namespace: isResource(request, '', 'namespaces') ? name : key.namespace,
    dryRun: ctx.options.dryRun || deletesDry,
    user: ctx.user,
    options: optionsOf(ctx, request),
  };
}
