import type { DeepReadonly, KubeObject } from '../types.js';
import { pathElements, setOfPaths } from './field-set.js';
import type { JsonMap } from './shape.js';

/** Never owned by anybody. Source: apimachinery managedfields/internal/stripmeta.go. */
export const SYSTEM_FIELDS = setOfPaths(
  [
    'apiVersion',
    'kind',
    'metadata',
    'metadata.name',
    'metadata.namespace',
    'metadata.creationTimestamp',
    'metadata.selfLink',
    'metadata.uid',
    'metadata.clusterName',
    'metadata.generation',
    'metadata.managedFields',
    'metadata.resourceVersion',
  ].map(pathElements),
);

export const withoutManagedFields = (object: DeepReadonly<KubeObject>): JsonMap => {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** The object without what nobody owns, as comparisons for ownership see it: they would find system fields at once. */
export const tracked = (object: DeepReadonly<KubeObject>): JsonMap => {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = object;
  const {
    name: _n,
    namespace: _ns,
    creationTimestamp: _c,
    selfLink: _s,
    uid: _u,
    generation: _g,
    managedFields: _m,
    resourceVersion: _r,
    ...kept
  } = metadata;
  return { ...rest, metadata: kept };
};

export const NO_OBJECT: JsonMap = { metadata: {} };
