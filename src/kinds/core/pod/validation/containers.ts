import { duplicate, forbidden, invalid, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { checkEnv, checkEnvFrom } from './env.js';
import { checkDnsLabel } from '../../../validation/formats.js';
import { checkLifecycle, checkLivenessProbe, checkReadinessProbe } from './handlers.js';
import { checkResourceRequirements } from './resources.js';
import { checkSecurityContext } from './security.js';
import { checkPullPolicy } from './volumes.js';
import { isSidecar, type ContainerContext, type ReadonlyContainer } from './container-context.js';
import { checkDevices, checkMounts } from './container-mounts.js';
import { checkHostPorts, checkPorts } from './container-ports.js';
import { checkInitRestartPolicy, checkOwnRestartPolicy, checkResizePolicy } from './container-restarts.js';

const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];

/** Rules of every container, init container and ephemeral container. */
export function checkAnyContainer(
  out: FieldError[],
  at: FieldPath,
  container: ReadonlyContainer,
  ctx: ContainerContext,
): void {
  if (!container.name) out.push(required(at.child('name')));
  else checkDnsLabel(out, at.child('name'), container.name);
  if (!container.image) out.push(required(at.child('image')));
  const policy = container.terminationMessagePolicy;
  if (!policy) out.push(required(at.child('terminationMessagePolicy')));
  else if (!MESSAGE_POLICIES.includes(policy))
    out.push(notSupported(at.child('terminationMessagePolicy'), policy, MESSAGE_POLICIES));
  checkPorts(out, at.child('ports'), container.ports);
  checkEnv(out, at.child('env'), container.env);
  checkEnvFrom(out, at.child('envFrom'), container.envFrom);
  if (container.volumeMounts !== undefined) checkMounts(out, at.child('volumeMounts'), container, ctx.volumes);
  if (container.volumeDevices !== undefined) checkDevices(out, at.child('volumeDevices'), container, ctx.volumes);
  checkPullPolicy(out, at.child('imagePullPolicy'), container.imagePullPolicy);
  checkResourceRequirements(out, at.child('resources'), container.resources, ctx.claims);
  checkResizePolicy(out, at.child('resizePolicy'), container.resizePolicy, ctx.spec.restartPolicy);
  checkSecurityContext(out, at.child('securityContext'), container.securityContext, ctx.spec.hostUsers !== false);
}

/** A Pod refuses padded image names, a template tolerates them. */
export function checkPodImage(out: FieldError[], at: FieldPath, container: { readonly image?: string }): void {
  const image = container.image ?? '';
  if (image.trim() !== image)
    out.push(invalid(at.child('image'), image, 'must not have leading or trailing whitespace'));
}

export function checkPodImages(out: FieldError[], at: FieldPath, containers: readonly { image?: string }[]): void {
  containers.forEach((container, i) => checkPodImage(out, at.index(i), container));
}

function checkProbes(out: FieldError[], at: FieldPath, container: ReadonlyContainer, ctx: ContainerContext): void {
  const grace = ctx.spec.terminationGracePeriodSeconds;
  checkLifecycle(out, at.child('lifecycle'), container.lifecycle, grace, ctx.spec.os?.name);
  checkLivenessProbe(out, at.child('livenessProbe'), container.livenessProbe, grace);
  checkReadinessProbe(out, at.child('readinessProbe'), container.readinessProbe, grace);
  checkLivenessProbe(out, at.child('startupProbe'), container.startupProbe, grace);
}

export function checkContainers(out: FieldError[], at: FieldPath, ctx: ContainerContext): void {
  const containers = ctx.spec.containers ?? [];
  if (containers.length === 0) return void out.push(required(at));
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const item = at.index(i);
    checkAnyContainer(out, item, container, ctx);
    if (names.has(container.name)) out.push(duplicate(item.child('name'), container.name));
    names.add(container.name);
    checkProbes(out, item, container, ctx);
    checkOwnRestartPolicy(out, item, container);
  });
  checkHostPorts(out, at, containers);
}

export function checkInitContainers(out: FieldError[], at: FieldPath, ctx: ContainerContext): void {
  const names = new Set((ctx.spec.containers ?? []).map(container => container.name));
  (ctx.spec.initContainers ?? []).forEach((container, i) => {
    const item = at.index(i);
    checkAnyContainer(out, item, container, ctx);
    checkInitRestartPolicy(out, item, container);
    if (names.has(container.name)) out.push(duplicate(item.child('name'), container.name));
    else if (container.name) names.add(container.name);
    // Init containers run one by one, so each is only checked against itself; upstream shows index 0 for it.
    checkHostPorts(out, at, [container]);
    if (isSidecar(container)) checkProbes(out, item, container, ctx);
    else
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
        if (container[field] !== undefined)
          out.push(forbidden(item.child(field), 'may not be set for init containers without restartPolicy=Always'));
  });
}
