import { forbidden, invalid, notFound, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { checkLocalDescendingPath } from './paths.js';
import type { Volume } from './volume-check.js';
import type { ReadonlyContainer } from './container-context.js';

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

export function checkMounts(
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

export function checkDevices(
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
