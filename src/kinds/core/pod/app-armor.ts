import { errorList, path } from '../../../machinery/field-error.js';
import { semanticEqual } from '../../../machinery/json-equal.js';
import type { Container, Pod } from '../../../machinery/types.js';
import { checkAppArmor } from './validation/security.js';

type Profile = NonNullable<NonNullable<Container['securityContext']>['appArmorProfile']>;

/** Before the container's name: how profiles were said before there was a field. */
export const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
const LOCALHOST = 'localhost/';

/** undefined: the annotation says nothing that a field could. */
export function appArmorFromAnnotation(annotation: string): Profile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!annotation.startsWith(LOCALHOST) || annotation === LOCALHOST) return undefined;
  return { type: 'Localhost', localhostProfile: annotation.slice(LOCALHOST.length) };
}

function isValid(profile: Profile): boolean {
  const out = errorList();
  checkAppArmor(out, path(), profile);
  return out.length === 0;
}

/** Turns the annotations of a new Pod into fields, and warns of them. Mutates. */
export function syncAppArmor(pod: Pod, warn: (text: string) => void): void {
  const { spec } = pod;
  const annotations = pod.metadata.annotations;
  if (spec === undefined || annotations === undefined || spec.os?.name === 'windows') return;
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as Container[]),
  ];
  for (const container of containers) {
    const key = `${APPARMOR_ANNOTATION}${container.name}`;
    const annotation = annotations[key];
    if (annotation === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    const derived = appArmorFromAnnotation(annotation);
    const profile = derived !== undefined && isValid(derived) ? derived : undefined;
    if (profile !== undefined) {
      if (semanticEqual(profile, spec.securityContext?.appArmorProfile)) continue;
      (container.securityContext ??= {}).appArmorProfile = profile;
    }
    warn(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
}
