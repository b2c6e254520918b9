import { forbidden, path, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, Pod, PodSpec } from '../../../../machinery/types.js';
import { sortedEntries } from '../../../validation/formats.js';
import { checkPodImages } from './containers.js';
import { checkPodAnnotations, MIRROR } from './pod-annotations.js';
import { checkPodSpec } from './pod-spec.js';

export type ReadonlyPod = DeepReadonly<Pod>;
export type ReadonlyPodSpec = DeepReadonly<PodSpec>;

export const SPEC = path('spec');
export const NO_SPEC = {} as ReadonlyPodSpec;

const METADATA = path('metadata');
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** Rules of a Pod that a template does not have. */
function checkPodOnly(out: FieldError[], at: FieldPath, spec: ReadonlyPodSpec): void {
  if (!spec.serviceAccountName) {
    (spec.volumes ?? []).forEach((volume, i) => {
      (volume.projected?.sources ?? []).forEach((source, j) => {
        if (source.serviceAccountToken === undefined) return;
        const field = at.child('volumes').index(i).child('projected', 'sources').index(j).child('serviceAccountToken');
        out.push(forbidden(field, 'must not be specified when serviceAccountName is not set'));
      });
    });
  }
  checkPodImages(out, at.child('containers'), spec.containers ?? []);
  checkPodImages(out, at.child('initContainers'), spec.initContainers ?? []);
}

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
