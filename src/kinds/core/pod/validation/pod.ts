import { forbidden, path, type FieldError } from '../../../../machinery/field-error.js';
import type { DeepReadonly, Pod, PodSpec } from '../../../../machinery/types.js';
import { sortedEntries } from '../../../validation/formats.js';
import { checkPodAnnotations, checkPodOnly, checkPodSpec } from './pod-spec.js';

export type ReadonlyPod = DeepReadonly<Pod>;
export type ReadonlyPodSpec = DeepReadonly<PodSpec>;

export const SPEC = path('spec');
export const NO_SPEC = {} as ReadonlyPodSpec;
/** On Pods that a node runs from a file of its own. */
export const MIRROR = 'kubernetes.io/config.mirror';

const METADATA = path('metadata');
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** Everything that is wrong with the Pod as it stands. */
export function checkPod(out: FieldError[], pod: ReadonlyPod): void {
  const spec = pod.spec ?? NO_SPEC;
  checkPodAnnotations(out, METADATA.child('annotations'), pod.metadata.annotations, spec);
  checkPodSpec(out, SPEC, spec, { isPod: true, podName: pod.metadata.name });
  checkPodOnly(out, SPEC, spec);
}

export function checkPodCreate(out: FieldError[], pod: ReadonlyPod): void {
  checkPod(out, pod);
  const spec = pod.spec ?? NO_SPEC;
  if ((spec.ephemeralContainers ?? []).length > 0)
    out.push(forbidden(SPEC.child('ephemeralContainers'), 'cannot be set on create'));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0)
    out.push(forbidden(SPEC.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'));
}

export function checkAnnotationUpdates(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  const at = METADATA.child('annotations');
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  for (const [key, value] of sortedEntries(before)) {
    if (now[key] === value) continue;
    if (key.startsWith(APP_ARMOR)) out.push(forbidden(at.key(key), 'may not remove or update AppArmor annotations'));
    if (key === MIRROR) out.push(forbidden(at.key(key), 'may not remove or update mirror pod annotation'));
  }
  for (const [key] of sortedEntries(now)) {
    if (before[key] !== undefined) continue;
    if (key.startsWith(APP_ARMOR)) out.push(forbidden(at.key(key), 'may not add AppArmor annotations'));
    if (key === MIRROR) out.push(forbidden(at.key(key), 'may not add mirror pod annotation'));
  }
  checkPodAnnotations(out, at, pod.metadata.annotations, pod.spec ?? NO_SPEC);
}
