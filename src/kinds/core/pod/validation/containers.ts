import {
  duplicate,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooLong,
} from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { Container, DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { checkEnv, checkEnvFrom } from './env.js';
import { checkDnsLabel, checkPortNumber, checkPortName } from '../../../validation/formats.js';
import { checkLifecycle, checkLivenessProbe, checkReadinessProbe } from './handlers.js';
import { checkLocalDescendingPath } from './paths.js';
import { checkResourceRequirements, type PodClaims } from './resources.js';
import { checkSecurityContext } from './security.js';
import { checkPullPolicy } from './volumes.js';
import type { Volume } from './volume-check.js';

export type ReadonlyContainer = DeepReadonly<Container>;

/** What a container's checks need of its Pod. */
export interface ContainerContext {
  readonly spec: DeepReadonly<PodSpec>;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: PodClaims;
  readonly isPod: boolean;
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export function checkProtocol(out: FieldError[], at: FieldPath, protocol: string | undefined): void {
  if (!protocol) out.push(required(at));
  else if (!PROTOCOLS.includes(protocol)) out.push(notSupported(at, protocol, PROTOCOLS));
}

function checkPorts(out: FieldError[], at: FieldPath, ports: ReadonlyContainer['ports']): void {
  const names = new Set<string>();
  (ports ?? []).forEach((port, i) => {
    const item = at.index(i);
    if (port.name) {
      const before = out.length;
      checkPortName(out, item.child('name'), port.name);
      if (out.length === before) {
        if (names.has(port.name)) out.push(duplicate(item.child('name'), port.name));
        names.add(port.name);
      }
    }
    if (!port.containerPort) out.push(required(item.child('containerPort')));
    else checkPortNumber(out, item.child('containerPort'), port.containerPort);
    if (port.hostPort) checkPortNumber(out, item.child('hostPort'), port.hostPort);
    checkProtocol(out, item.child('protocol'), port.protocol);
  });
}

/** Two ports of a node cannot be the same. */
function checkHostPorts(out: FieldError[], at: FieldPath, containers: readonly ReadonlyContainer[]): void {
  const taken = new Set<string>();
  containers.forEach((container, i) => {
    (container.ports ?? []).forEach((port, j) => {
      if (!port.hostPort) return;
      const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(key)) out.push(duplicate(at.index(i).child('ports').index(j).child('hostPort'), key));
      taken.add(key);
    });
  });
}

type Mount = NonNullable<ReadonlyContainer['volumeMounts']>[number];
const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible'];

function checkMountModes(out: FieldError[], at: FieldPath, mount: Mount, container: ReadonlyContainer): void {
  const propagation = mount.mountPropagation;
  if (propagation !== undefined) {
    const field = at.child('mountPropagation');
    if (!PROPAGATIONS.includes(propagation)) out.push(notSupported(field, propagation, PROPAGATIONS));
    if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true)
      out.push(forbidden(field, 'Bidirectional mount propagation is available only to privileged containers'));
  }
  const recursive = mount.recursiveReadOnly;
  if (recursive === undefined || recursive === 'Disabled') return;
  const field = at.child('recursiveReadOnly');
  if (!RECURSIVE.includes(recursive)) return void out.push(notSupported(field, recursive, RECURSIVE));
  if (mount.readOnly !== true) out.push(forbidden(field, 'may only be specified when readOnly is true'));
  if (propagation !== undefined && propagation !== 'None')
    out.push(forbidden(field, 'may only be specified when mountPropagation is None or not specified'));
}

function checkMounts(
  out: FieldError[],
  at: FieldPath,
  container: ReadonlyContainer,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const devices = container.volumeDevices ?? [];
  const deviceNames = new Set(devices.map(({ name }) => name));
  const devicePaths = new Set(devices.map(({ devicePath }) => devicePath));
  const paths = new Set<string>();
  (container.volumeMounts ?? []).forEach((mount, i) => {
    const item = at.index(i);
    const volume = volumes.get(mount.name);
    if (!mount.name) out.push(required(item.child('name')));
    if (volume === undefined) out.push(notFound(item.child('name'), mount.name ?? ''));
    if (!mount.mountPath) out.push(required(item.child('mountPath')));
    if (paths.has(mount.mountPath)) out.push(invalid(item.child('mountPath'), mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath);
    if (deviceNames.has(mount.name))
      out.push(invalid(item.child('name'), mount.name, 'must not already exist in volumeDevices'));
    if (devicePaths.has(mount.mountPath))
      out.push(invalid(item.child('mountPath'), mount.mountPath, 'must not already exist as a path in volumeDevices'));
    if (volume?.image !== undefined && mount.subPathExpr)
      out.push(invalid(item.child('subPathExpr'), mount.subPathExpr, 'not allowed in image volume sources'));
    // Upstream reports what follows at the list, not at the item.
    if (mount.subPath) checkLocalDescendingPath(out, at.child('subPath'), mount.subPath);
    if (mount.subPathExpr) {
      if (mount.subPath)
        out.push(
          invalid(item.child('subPathExpr'), mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'),
        );
      checkLocalDescendingPath(out, at.child('subPathExpr'), mount.subPathExpr);
    }
    checkMountModes(out, at, mount, container);
  });
}

function checkDevices(
  out: FieldError[],
  at: FieldPath,
  container: ReadonlyContainer,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const mounts = container.volumeMounts ?? [];
  const mountNames = new Set(mounts.map(mount => mount.name));
  const mountPaths = new Set(mounts.map(({ mountPath }) => mountPath));
  const paths = new Set<string>();
  const names = new Set<string>();
  (container.volumeDevices ?? []).forEach(({ name, devicePath }, i) => {
    const item = at.index(i);
    const volume = volumes.get(name);
    if (!name) out.push(required(item.child('name')));
    if (names.has(name)) out.push(invalid(item.child('name'), name, 'must be unique'));
    if (volume === undefined) out.push(notFound(item.child('name'), name ?? ''));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const text = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      out.push(invalid(item.child('name'), name, text));
    }
    if (!devicePath) out.push(required(item.child('devicePath')));
    if (paths.has(devicePath)) out.push(invalid(item.child('devicePath'), devicePath, 'must be unique'));
    if ((devicePath ?? '').split('/').includes('..'))
      out.push(invalid(item.child('devicePath'), devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mountNames.has(name)) out.push(invalid(item.child('name'), name, 'must not already exist in volumeMounts'));
    if (mountPaths.has(devicePath))
      out.push(invalid(item.child('devicePath'), devicePath, 'must not already exist as a path in volumeMounts'));
    if (name) names.add(name);
  });
}

function checkResizePolicy(
  out: FieldError[],
  at: FieldPath,
  policies: ReadonlyContainer['resizePolicy'],
  podRestartPolicy: string | undefined,
): void {
  const seen = new Set<string>();
  (policies ?? []).forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) out.push(duplicate(at.index(i), resourceName));
    seen.add(resourceName);
    if (!resourceName) out.push(required(at));
    else if (resourceName !== 'cpu' && resourceName !== 'memory')
      out.push(notSupported(at, resourceName, ['cpu', 'memory']));
    if (!restartPolicy) out.push(required(at));
    else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer')
      out.push(notSupported(at, restartPolicy, ['NotRequired', 'RestartContainer']));
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      out.push(invalid(at, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  });
}

const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];

/** Rules of every container, init container and ephemeral container. */
function checkCommon(out: FieldError[], at: FieldPath, container: ReadonlyContainer, ctx: ContainerContext): void {
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
function checkPodImage(out: FieldError[], at: FieldPath, container: { readonly image?: string }): void {
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

const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const MAX_RESTART_RULES = 20;
const MAX_EXIT_CODES = 255;

/** A container's own restart policy and rules (KEP-5307). */
function checkOwnRestartPolicy(out: FieldError[], at: FieldPath, container: ReadonlyContainer): void {
  const policy = container.restartPolicy;
  const rules = container.restartPolicyRules ?? [];
  if (policy === undefined) {
    if (rules.length === 0) return;
    out.push(required(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'));
  } else if (!RESTART_POLICIES.includes(policy))
    out.push(notSupported(at.child('restartPolicy'), policy, RESTART_POLICIES));
  const list = at.child('restartPolicyRules');
  if (rules.length > MAX_RESTART_RULES) out.push(tooLong(list, MAX_RESTART_RULES));
  rules.forEach((rule, i) => {
    const item = list.index(i);
    if (rule.action !== 'Restart') out.push(notSupported(item.child('action'), rule.action ?? '', ['Restart']));
    const codes = rule.exitCodes;
    if (codes === undefined) return void out.push(required(item.child('exitCodes'), 'must be specified'));
    if (codes.operator !== 'In' && codes.operator !== 'NotIn')
      out.push(notSupported(item.child('exitCodes', 'operator'), codes.operator ?? '', ['In', 'NotIn']));
    if ((codes.values?.length ?? 0) > MAX_EXIT_CODES)
      out.push(tooLong(item.child('exitCodes', 'values'), MAX_EXIT_CODES));
  });
}

/** An init container has rules only with a policy, and a sidecar none at all. */
function checkInitRestartPolicy(out: FieldError[], at: FieldPath, container: ReadonlyContainer): void {
  const ruled = (container.restartPolicyRules ?? []).length > 0;
  if (container.restartPolicy === undefined) {
    if (ruled) out.push(required(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'));
  } else if (!isSidecar(container)) checkOwnRestartPolicy(out, at, container);
  else if (ruled) {
    const text = 'restartPolicyRules are not allowed for init containers with restart policy Always';
    out.push(forbidden(at.child('restartPolicyRules'), text));
  }
}

export function checkContainers(out: FieldError[], at: FieldPath, ctx: ContainerContext): void {
  const containers = ctx.spec.containers ?? [];
  if (containers.length === 0) return void out.push(required(at));
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const item = at.index(i);
    checkCommon(out, item, container, ctx);
    if (names.has(container.name)) out.push(duplicate(item.child('name'), container.name));
    names.add(container.name);
    checkProbes(out, item, container, ctx);
    checkOwnRestartPolicy(out, item, container);
  });
  checkHostPorts(out, at, containers);
}

export const isSidecar = (container: { readonly restartPolicy?: string | undefined }): boolean =>
  container.restartPolicy === 'Always';

export function checkInitContainers(out: FieldError[], at: FieldPath, ctx: ContainerContext): void {
  const names = new Set((ctx.spec.containers ?? []).map(container => container.name));
  (ctx.spec.initContainers ?? []).forEach((container, i) => {
    const item = at.index(i);
    checkCommon(out, item, container, ctx);
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
    checkCommon(out, item, container, ctx);
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
