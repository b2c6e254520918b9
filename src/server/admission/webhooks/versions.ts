import { cloneJson } from '../../../machinery/json-equal.js';
import { atOnce } from '../../../machinery/steps.js';
import { internalError } from '../../../machinery/status.js';
import type { DeepReadonly, GroupVersionKind, KubeObject } from '../../../machinery/types.js';
import type { Catalog, CatalogEntry } from '../../../api/catalog.js';
import { apiVersionOf, type ResourceInfo } from '../../../api/resource-info.js';
import { convertObject } from '../../registry/convert.js';
import type { Attributes } from '../matching/attributes.js';
import type { Match } from '../matching/match.js';
import type { AdmissionRequest } from '../types.js';

/** The objects of a request as a webhook sees them. */
export interface Versioned {
  readonly kind: GroupVersionKind;
  readonly object: DeepReadonly<KubeObject> | undefined;
  readonly old: DeepReadonly<KubeObject> | undefined;
}

/** Brings objects of requests into the version that somebody wants to see. */
export interface Versions {
  /** @throws StatusError 500 */
  show(request: AdmissionRequest, asked: Attributes, match: Match, signal: AbortSignal): Promise<Versioned>;
  /** What has been made of the request's object in another version, in the request's own again. @throws StatusError */
  back(
    object: KubeObject,
    request: AdmissionRequest,
    asked: Attributes,
    match: Match,
    signal: AbortSignal,
  ): Promise<KubeObject>;
}

const sameKind = (a: GroupVersionKind, b: GroupVersionKind): boolean =>
  a.group === b.group && a.version === b.version && a.kind === b.kind;

/** Kind and version first, which objects of lists and options of connections have not. */
const typed = (object: DeepReadonly<KubeObject>, kind: GroupVersionKind): DeepReadonly<KubeObject> => {
  const apiVersion = apiVersionOf(kind);
  if (object.kind === kind.kind && object['apiVersion'] === apiVersion) return object;
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    ...rest
  } = object as DeepReadonly<KubeObject> & { apiVersion?: string };
  return { kind: kind.kind, apiVersion, ...rest };
};

/** Options of a connection are no objects; here all have metadata. */
function withoutMetadata(object: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> {
  const { metadata: _metadata, ...rest } = object;
  return rest as DeepReadonly<KubeObject>;
}

/**
 * What webhooks have made of an object that is a map: its metadata is read as everywhere; what its schema does not know stays
 * until it is read from the store. @throws StatusError 500
 */
function settled({ schema }: CatalogEntry, object: KubeObject): KubeObject {
  try {
    return { ...object, metadata: atOnce(schema.canonicalize(object)).object.metadata };
  } catch (error) {
    throw internalError((error as Error).message);
  }
}

export function createVersions(catalog: Catalog): Versions {
  const entryOf = ({ group, version, plural }: ResourceInfo): CatalogEntry | undefined =>
    catalog.find(group, version, plural);
  const between = async (
    object: DeepReadonly<KubeObject>,
    from: CatalogEntry | undefined,
    to: CatalogEntry | undefined,
    signal: AbortSignal,
  ): Promise<KubeObject> => {
    if (from === undefined || to === undefined) throw internalError('unable to convert to an unknown kind');
    signal.throwIfAborted();
    const copy = cloneJson(object) as KubeObject;
    const { conversion } = from;
    if (conversion === undefined) return convertObject(copy, from, to);
    const apiVersion = apiVersionOf(to.info);
    // Objects of lists are bare of what a webhook goes by.
    const whole = { ...copy, apiVersion: apiVersionOf(from.info), kind: from.info.kind };
    const [converted = whole] = (await conversion.converter?.([whole], apiVersion, signal)) ?? [];
    return { ...converted, apiVersion };
  };
  const shown = (match: Match): CatalogEntry | undefined =>
    catalog.find(match.resource.group, match.resource.version, match.resource.resource);

  return {
    async show(request, asked, match, signal) {
      const one = async (object: DeepReadonly<KubeObject> | undefined) => {
        if (object === undefined) return undefined;
        if (asked.operation === 'CONNECT') return withoutMetadata(typed(object, match.kind));
        if (sameKind(asked.kind, match.kind)) return typed(object, match.kind);
        return between(object, entryOf(request.resource), shown(match), signal);
      };
      return { kind: match.kind, object: await one(request.object), old: await one(request.old) };
    },
    async back(object, request, asked, match, signal) {
      const to = entryOf(request.resource);
      const own = sameKind(asked.kind, match.kind) ? object : await between(object, shown(match), to, signal);
      return to?.schema.form === 'map' && request.subresource !== 'scale' ? settled(to, own) : own;
    },
  };
}
