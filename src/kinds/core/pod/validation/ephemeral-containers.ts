import { duplicate, forbidden, notFound } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { ContainerContext, ReadonlyContainer } from './container-context.js';
import { checkAnyContainer, checkPodImage } from './containers.js';

const EPHEMERAL_REFUSED = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

/** An optional struct is set even when nothing is in it. */
const isSet = (value: unknown, field: string): boolean =>
  value !== undefined && value !== null && (field !== 'resources' || Object.keys(value).length > 0);

export function checkEphemeralContainers(out: FieldError[], at: FieldPath, ctx: ContainerContext): void {
  const others = new Set([...(ctx.spec.containers ?? []), ...(ctx.spec.initContainers ?? [])].map(c => c.name));
  const names = new Set(others);
  (ctx.spec.ephemeralContainers ?? []).forEach((ephemeral, i) => {
    const item = at.index(i);
    const container = ephemeral as ReadonlyContainer;
    checkAnyContainer(out, item, container, ctx);
    checkPodImage(out, item, container);
    if (names.has(ephemeral.name)) out.push(duplicate(item.child('name'), ephemeral.name));
    names.add(ephemeral.name);
    const target = ephemeral.targetContainerName;
    if (target && !others.has(target)) out.push(notFound(item.child('targetContainerName'), target));
    for (const field of EPHEMERAL_REFUSED)
      if (isSet(container[field], field))
        out.push(forbidden(item.child(field), 'cannot be set for an Ephemeral Container'));
    (ephemeral.volumeMounts ?? []).forEach((mount, j) => {
      const field = item.child('volumeMounts').index(j);
      const text = 'cannot be set for an Ephemeral Container';
      if (mount.subPath) out.push(forbidden(field.child('subPath'), text));
      if (mount.subPathExpr) out.push(forbidden(field.child('subPathExpr'), text));
    });
  });
}
