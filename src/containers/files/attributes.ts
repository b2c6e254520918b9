import { FileError } from '../file-error.js';
import type { View } from './places.js';
import { mayChange } from './access.js';

export function chmod(view: View, path: string, mode: number): void {
  const { place, owner } = mayChange(view, path);
  owner.mode = mode;
  place.mount.tree.changed?.(place.inner);
}

export function chown(view: View, path: string, { uid, gid }: { readonly uid?: number; readonly gid?: number }): void {
  const { place, owner } = mayChange(view, path);
  if (view.user.uid !== 0 && uid !== undefined && uid !== owner.uid) throw new FileError('EPERM');
  if (view.user.uid !== 0 && gid !== undefined && gid !== view.user.gid && !view.user.groups.includes(gid))
    throw new FileError('EPERM');
  if (uid !== undefined) owner.uid = uid;
  if (gid !== undefined) owner.gid = gid;
  place.mount.tree.changed?.(place.inner);
}

export function setTime(view: View, path: string, mtime: number): void {
  const { place, owner } = mayChange(view, path);
  owner.mtime = mtime;
  place.mount.tree.changed?.(place.inner);
}
