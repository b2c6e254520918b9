import { cloneJson } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { setAt, valueAt } from './field-path.js';
import type { Scope } from './scope.js';

/**
 * Puts what a writer of `subresource` may not change back to what is stored, or, for a new object, to nothing. Mutates
 * `object`; nothing in it is shared with `old`.
 */
export function resetFields(
  { info, schema }: Pick<Scope, 'info' | 'schema'>,
  subresource: string,
  object: KubeObject,
  old: DeepReadonly<KubeObject> | undefined,
): void {
  for (const path of info.resetFields[subresource] ?? []) {
    if (path === 'metadata') resetMetadata(object, old);
    else setAt(object, path, cloneJson(valueAt(old, path)) ?? schema.absent(path));
  }
}

/** Everything but who owns the fields, and the version the writer has seen. */
function resetMetadata(object: KubeObject, old: DeepReadonly<KubeObject> | undefined): void {
  const { managedFields, resourceVersion } = object.metadata;
  object.metadata = cloneJson(old?.metadata ?? {}) as KubeObject['metadata'];
  setAt(object, 'metadata.managedFields', managedFields);
  setAt(object, 'metadata.resourceVersion', resourceVersion);
}
