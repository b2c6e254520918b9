import { invalid, notSupported, type FieldError } from '../../machinery/field-error.js';
import { conflictError, invalidError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectMeta } from '../../machinery/types.js';
import { FINALIZER_FOREGROUND, FINALIZER_ORPHAN } from '../../machinery/validation/object-meta.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { DeleteOptions } from '../../api/strategy.js';

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** apimachinery pkg/apis/meta/v1/validation.ValidateDeleteOptions. @throws StatusError 422 */
export function validateDeleteOptions(options: DeleteOptions): void {
  const errors: FieldError[] = [];
  const policy: string | undefined = options.propagationPolicy;
  if (options.orphanDependents !== undefined && policy !== undefined) {
    errors.push(invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (policy !== undefined && !POLICIES.includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, [...POLICIES, 'nil']));
  }
  if (errors.length > 0) throw invalidError({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
}

/** @throws StatusError 409; upstream names the kind where the resource belongs */
export function checkPreconditions(info: ResourceInfo, options: DeleteOptions, object: DeepReadonly<KubeObject>): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { name = '', uid: found = '', resourceVersion: version = '' } = object.metadata;
  const who = { group: info.storage.group, resource: info.kind };
  if (uid !== undefined && uid !== found) {
    const text = `the UID in the precondition (${uid}) does not match the UID in record (${found}). The object might have been deleted and then recreated`;
    throw conflictError(who, name, text);
  }
  if (resourceVersion !== undefined && resourceVersion !== version) {
    const text = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`;
    throw conflictError(who, name, text);
  }
}

type Propagation = 'Orphan' | 'Foreground' | 'Background';

function propagation(info: ResourceInfo, options: DeleteOptions, finalizers: readonly string[]): Propagation {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background';
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  // A finalizer that is there already is a choice made earlier.
  for (const finalizer of finalizers) {
    if (finalizer === FINALIZER_ORPHAN) return 'Orphan';
    if (finalizer === FINALIZER_FOREGROUND) return 'Foreground';
  }
  return info.defaultPropagation;
}

/** What metadata.finalizers must be for the garbage collector to do what the options ask; undefined: as they are. */
export function finalizersFor(
  info: ResourceInfo,
  options: DeleteOptions,
  meta: DeepReadonly<ObjectMeta>,
): string[] | undefined {
  const present = meta.finalizers ?? [];
  const how = propagation(info, options, present);
  const wanted = present.filter(f => f !== FINALIZER_ORPHAN && f !== FINALIZER_FOREGROUND);
  if (how === 'Orphan') wanted.push(FINALIZER_ORPHAN);
  if (how === 'Foreground') wanted.push(FINALIZER_FOREGROUND);
  const there = new Set(present);
  const same = wanted.length === present.length && wanted.every(f => there.has(f));
  return same ? undefined : wanted;
}
