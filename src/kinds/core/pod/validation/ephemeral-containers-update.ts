import { forbidden, type FieldError } from '../../../../machinery/field-error.js';
import { semanticEqual } from '../../../../machinery/json-equal.js';
import { goForm } from '../../../validation/go-form.js';
import { jsonDiff } from '../../../validation/spec-diff.js';
import { MIRROR } from './pod-annotations.js';
import { checkAnnotationUpdates, checkPod, SPEC, type ReadonlyPod } from './pod.js';

/** An update of /ephemeralcontainers: they are added, never changed or removed. */
export function checkEphemeralUpdate(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  if (old.metadata.annotations?.[MIRROR] !== undefined)
    return void out.push(forbidden('[]', 'static pods do not support ephemeral containers'));
  checkPod(out, pod);
  checkAnnotationUpdates(out, pod, old);
  const at = SPEC.child('ephemeralContainers');
  const present = new Map((pod.spec?.ephemeralContainers ?? []).map(container => [container.name, container]));
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const now = present.get(before.name);
    const name = JSON.stringify(before.name);
    if (now === undefined) out.push(forbidden(at, `existing ephemeral containers ${name} may not be removed\n`));
    else if (!semanticEqual(before, now))
      out.push(
        forbidden(
          at,
          `existing ephemeral containers ${name} may not be changed\n${jsonDiff(goForm('EphemeralContainer', before), goForm('EphemeralContainer', now))}`,
        ),
      );
  }
}
