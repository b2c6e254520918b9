import { invalid } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, ObjectMeta, PodSpec } from '../../../../machinery/types.js';
import { sortedEntries } from '../../../validation/formats.js';

type Spec = DeepReadonly<PodSpec>;
const MAX_INT32 = 2 ** 31 - 1;

/** On Pods that a node runs from a file of its own. */
export const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

function checkSeccompAnnotation(out: FieldError[], at: FieldPath, value: string): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(value) || value.startsWith('localhost/')) return;
  out.push(invalid(at, value, 'must be a valid seccomp profile'));
}

/** Annotations that mean something to Pods. */
export function checkPodAnnotations(
  out: FieldError[],
  at: FieldPath,
  annotations: ObjectMeta['annotations'] | Readonly<Record<string, string>>,
  spec: Spec,
): void {
  if (annotations === undefined) return;
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && !spec.nodeName)
    out.push(invalid(at.key(MIRROR), mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  const cost = annotations[DELETION_COST];
  if (
    cost !== undefined &&
    (!/^(0|-?[1-9]\d{0,9})$/.test(cost) || Number(cost) > MAX_INT32 || Number(cost) < -MAX_INT32 - 1)
  )
    out.push(invalid(at.key(DELETION_COST), cost, 'must be a 32bit integer'));
  for (const [key, value] of sortedEntries(annotations))
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) checkSeccompAnnotation(out, at.child(key), value);
}
