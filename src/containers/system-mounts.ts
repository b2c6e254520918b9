import { createDeviceTree } from './devices.js';
import type { Mount } from './file-system.js';
import { createProcTree, type ProcOptions } from './proc-tree.js';

/** The mounts that every container has: /proc and /dev. `mounts` are the others, for /proc/mounts. */
export function systemMounts(options: Omit<ProcOptions, 'mounts'>, mounts: () => readonly Mount[]): Mount[] {
  return [
    { path: '/dev', tree: createDeviceTree(), readOnly: false },
    { path: '/proc', tree: createProcTree({ ...options, mounts: () => mountLines(mounts()) }), readOnly: true },
  ];
}

/** Lines as of /proc/mounts, without the two numbers at the end. */
export function mountLines(mounts: readonly Mount[]): string[] {
  const root = mounts.find(mount => mount.path === '');
  const flags = (mount: { readonly readOnly: boolean } | undefined): string => (mount?.readOnly === true ? 'ro' : 'rw');
  return [
    `overlay / overlay ${flags(root)},relatime`,
    'proc /proc proc rw,nosuid,nodev,noexec,relatime',
    'tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755',
    'devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666',
    'mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime',
    'sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime',
    'cgroup /sys/fs/cgroup cgroup2 ro,nosuid,nodev,noexec,relatime',
    'shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k',
    ...mounts
      .filter(mount => !['', '/dev', '/proc', '/sys/fs/cgroup'].includes(mount.path))
      .map(mount => ({ mount, type: mount.tree.tmpfs ? 'tmpfs' : 'ext4' }))
      .sort((a, b) => (a.mount.path < b.mount.path ? -1 : 1))
      .map(
        ({ mount, type }) =>
          `${type === 'tmpfs' ? 'tmpfs' : '/dev/vda1'} ${mount.path} ${type} ${flags(mount)},relatime`,
      ),
  ];
}
