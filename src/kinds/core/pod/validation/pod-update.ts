import { forbidden, invalid, required, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import { semanticEqual } from '../../../../machinery/json-equal.js';
import type { ReadonlyContainer } from './container-context.js';
import { goPodSpec } from '../../../validation/go-form.js';
import { jsonDiff } from '../../../validation/spec-diff.js';
import {
  checkAnnotationUpdates,
  checkPod,
  NO_SPEC,
  SPEC,
  type ReadonlyPod,
  type ReadonlyPodSpec as Spec,
} from './pod.js';
import { checkTolerations } from './scheduling.js';

const MAX_INT32 = 2 ** 31 - 1;

/** False: the lists differ in length, nothing more can be said. */
function checkImages(
  out: FieldError[],
  at: FieldPath,
  now: readonly ReadonlyContainer[],
  before: readonly ReadonlyContainer[],
): boolean {
  if (now.length !== before.length) {
    out.push(forbidden(at, 'pod updates may not add or remove containers'));
    return false;
  }
  now.forEach(({ image = '' }, i) => {
    const field = at.index(i).child('image');
    if (image === '') out.push(required(field));
    if (image.trim() !== image) out.push(invalid(field, image, 'must not have leading or trailing whitespace'));
  });
  return true;
}

/** False: nothing more can be said. */
function checkDeadline(out: FieldError[], now: number | undefined, before: number | undefined): boolean {
  const at = SPEC.child('activeDeadlineSeconds');
  if (now === undefined) {
    if (before !== undefined) out.push(invalid(at, null, 'must not update from a positive integer to nil value'));
    return true;
  }
  if (now < 0 || now > MAX_INT32) {
    out.push(invalid(at, now, `must be between 0 and ${MAX_INT32}, inclusive`));
    return false;
  }
  if (before !== undefined && before < now) {
    out.push(invalid(at, now, 'must be less than or equal to previous value'));
    return false;
  }
  return true;
}

function checkAddedTolerations(out: FieldError[], now: Spec['tolerations'], before: Spec['tolerations']): void {
  const at = SPEC.child('tolerations');
  type Tolerations = NonNullable<Spec['tolerations']>;
  const keyOf = ({ key, operator, value, effect }: Tolerations[number]): string =>
    JSON.stringify([key, operator, value, effect].map(text => text ?? ''));
  const present = new Set((now ?? []).map(keyOf));
  for (const old of before ?? []) {
    if (!present.has(keyOf(old)))
      return void out.push(forbidden(at, 'existing toleration can not be modified except its tolerationSeconds'));
  }
  checkTolerations(out, at, now);
}

function checkDeletedGates(out: FieldError[], now: Spec['schedulingGates'], before: Spec['schedulingGates']): void {
  const known = new Set((before ?? []).map(gate => gate.name));
  (now ?? []).forEach((gate, i) => {
    if (known.has(gate.name)) return;
    const text = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
    out.push(forbidden(SPEC.child('schedulingGates').index(i).child('name'), text));
  });
}

type NodeAffinity = NonNullable<NonNullable<Spec['affinity']>['nodeAffinity']>;
type Term = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];

function onlyAdds(now: Term, before: Term): boolean {
  const [expressions, fields] = [before.matchExpressions ?? [], before.matchFields ?? []];
  const [newExpressions, newFields] = [now.matchExpressions ?? [], now.matchFields ?? []];
  if (expressions.length === 0 && fields.length === 0) return newExpressions.length === 0 && newFields.length === 0;
  return (
    semanticEqual(newExpressions.slice(0, expressions.length), expressions) &&
    semanticEqual(newFields.slice(0, fields.length), fields)
  );
}

function checkNodeAffinityMutation(
  out: FieldError[],
  now: NodeAffinity | undefined,
  before: NodeAffinity | undefined,
): void {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const terms = before?.[required]?.nodeSelectorTerms;
  if (terms === undefined) return;
  const newTerms = now?.[required]?.nodeSelectorTerms ?? [];
  const at = SPEC.child('affinity', 'nodeAffinity', required, 'nodeSelectorTerms');
  if (terms.length > 0 && terms.length !== newTerms.length) {
    out.push(invalid(at, newTerms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
    return;
  }
  terms.forEach((term, i) => {
    const newTerm = newTerms[i];
    if (newTerm !== undefined && !onlyAdds(newTerm, term))
      out.push(invalid(at.index(i), newTerm, 'only additions are allowed (no mutations or deletions)'));
  });
}

/** A Pod that is still gated may be steered more narrowly. Gives the spec with what was allowed undone. */
function mungeGated(out: FieldError[], spec: Spec, old: Spec): Spec {
  let munged = spec;
  if (!semanticEqual(spec.nodeSelector, old.nodeSelector)) {
    const lost = Object.entries(old.nodeSelector ?? {}).some(([key, value]) => spec.nodeSelector?.[key] !== value);
    if (lost) {
      const text = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      out.push(invalid(SPEC.child('nodeSelector'), spec.nodeSelector ?? null, text));
    }
    munged = { ...munged, nodeSelector: old.nodeSelector } as Spec;
  }
  const [now, before] = [spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity];
  if (semanticEqual(now, before)) return munged;
  checkNodeAffinityMutation(out, now, before);
  const rest = { ...spec.affinity, nodeAffinity: before };
  const empty = before === undefined && rest.podAffinity === undefined && rest.podAntiAffinity === undefined;
  return { ...munged, affinity: empty && old.affinity === undefined ? undefined : rest } as Spec;
}

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

const withImages = (
  now: readonly ReadonlyContainer[] | undefined,
  before: readonly ReadonlyContainer[] | undefined,
): readonly ReadonlyContainer[] | undefined =>
  now?.map((container, i) => ({ ...container, image: before?.[i]?.image }) as ReadonlyContainer);

/** An update of the main resource. */
export function checkPodUpdate(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  checkPod(out, pod);
  checkAnnotationUpdates(out, pod, old);
  const [spec, before] = [pod.spec ?? NO_SPEC, old.spec ?? NO_SPEC];
  if (!checkImages(out, SPEC.child('containers'), spec.containers ?? [], before.containers ?? [])) return;
  if (!checkImages(out, SPEC.child('initContainers'), spec.initContainers ?? [], before.initContainers ?? [])) return;
  if (!checkDeadline(out, spec.activeDeadlineSeconds, before.activeDeadlineSeconds)) return;
  checkAddedTolerations(out, spec.tolerations, before.tolerations);
  checkDeletedGates(out, spec.schedulingGates, before.schedulingGates);
  if (semanticEqual(spec, before)) return;
  const grace = spec.terminationGracePeriodSeconds;
  const graceMended = (before.terminationGracePeriodSeconds ?? 0) < 0 && grace === 1;
  let munged = {
    ...spec,
    containers: withImages(spec.containers, before.containers),
    initContainers: withImages(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    schedulingGates: before.schedulingGates,
    tolerations: before.tolerations,
    terminationGracePeriodSeconds: graceMended ? before.terminationGracePeriodSeconds : grace,
  } as Spec;
  if ((before.schedulingGates ?? []).length > 0) munged = mungeGated(out, munged, before);
  if (!semanticEqual(munged, before))
    out.push(
      forbidden(
        SPEC,
        `pod updates may not change fields other than ${UPDATABLE}\n${jsonDiff(goPodSpec(before), goPodSpec(munged))}`,
      ),
    );
}
