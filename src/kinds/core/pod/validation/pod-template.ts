import { forbidden } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, PodSpec, PodTemplateSpec } from '../../../../machinery/types.js';
import { checkAnnotations, checkLabels } from '../../../validation/formats.js';
import { checkPodAnnotations } from './pod-annotations.js';
import { checkPodSpec } from './pod-spec.js';

type Spec = DeepReadonly<PodSpec>;

/** The template of a workload, at `spec.template`. */
export function checkPodTemplate(out: FieldError[], at: FieldPath, template: DeepReadonly<PodTemplateSpec>): void {
  const spec = template.spec ?? ({} as Spec);
  checkPodTemplateMetadata(out, at, template);
  checkPodSpec(out, at.child('spec'), spec, { isPod: false });
  if ((spec.ephemeralContainers ?? []).length > 0)
    out.push(forbidden(at.child('spec', 'ephemeralContainers'), 'ephemeral containers not allowed in pod template'));
}

export function checkPodTemplateMetadata(
  out: FieldError[],
  at: FieldPath,
  { metadata, spec = {} as Spec }: DeepReadonly<PodTemplateSpec>,
): void {
  checkLabels(out, at.child('labels'), metadata?.labels);
  checkAnnotations(out, at.child('annotations'), metadata?.annotations);
  checkPodAnnotations(out, at.child('annotations'), metadata?.annotations, spec);
}
