import type { DeepReadonly, KubeObject } from '../types.js';

/**
 * The object with empty sets in its managedFields: for whoever writes or copies it without reading them. They are made by
 * the server itself and may be larger than everything else.
 */
export function withBareEntries<T extends DeepReadonly<KubeObject>>(object: T): T {
  const entries = object.metadata.managedFields;
  if (entries === undefined) return object;
  const managedFields = entries.map(entry => (entry.fieldsV1 === undefined ? entry : { ...entry, fieldsV1: {} }));
  return { ...object, metadata: { ...object.metadata, managedFields } };
}
