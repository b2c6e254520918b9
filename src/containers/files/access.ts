import { mayAccess } from '../credentials.js';
import { FileError } from '../file-error.js';
import { resolvePath } from '../paths.js';
import { MAX_ENTRIES, newDirectory, type FileEntry, type Owned, type Tree } from '../tree.js';
import { kindAt, found, locate, locateReal, notThere, ownerAt, type Place, type View } from './places.js';

export const SETGID = 0o2000;

export function touch(view: View, entry: Owned): void {
  const time = view.now();
  if (time !== undefined) entry.mtime = time;
}

export function allows(view: View, path: string, wanted: 'read' | 'write' | 'execute'): boolean {
  const place = found(view, path);
  return place !== undefined && kindAt(view, place) !== undefined && mayAccess(view.user, ownerAt(place), wanted);
}

/** Every directory on the way must be searchable. */
export function reach(view: View, { path }: Place): void {
  if (view.user.uid === 0) return;
  for (let up = resolvePath(path, '..'); ; up = resolvePath(up, '..')) {
    const place = locateReal(view, up);
    if (kindAt(view, place) === 'directory' && !mayAccess(view.user, ownerAt(place), 'execute'))
      throw new FileError('EACCES');
    if (up === '/') return;
  }
}

export function fileAt(view: View, path: string): FileEntry {
  const place = locate(view, path);
  reach(view, place);
  const entry = place.mount.tree.files.get(place.inner);
  if (entry !== undefined) return entry;
  throw new FileError(kindAt(view, place) === 'directory' ? 'EISDIR' : notThere(view, place));
}

export function writable(place: Place): Place {
  if (place.mount.readOnly) throw new FileError('EROFS');
  return place;
}

/** Where a name may be added or taken away; what it would be added to. */
export function changeable(view: View, place: Place): { parent: Owned } {
  const above = locateReal(view, resolvePath(place.path, '..'));
  const what = kindAt(view, above);
  if (what === undefined) throw new FileError(notThere(view, place));
  if (what === 'file') throw new FileError('ENOTDIR');
  reach(view, place);
  writable(place);
  const parent = ownerAt(above);
  if (!mayAccess(view.user, parent, 'write')) throw new FileError('EACCES');
  if (place.mount.tree.virtual !== undefined) throw new FileError('EPERM');
  return { parent };
}

/** A directory with the setgid bit gives its group to what is made in it. */
export function madeIn(view: View, parent: Owned, mode: number): Owned {
  const owned: Owned = { uid: view.user.uid, gid: (parent.mode & SETGID) === 0 ? view.user.gid : parent.gid, mode };
  touch(view, owned);
  return owned;
}

export function roomFor(tree: Tree, bytes: number): void {
  if (tree.used + bytes > tree.capacity) throw new FileError('ENOSPC');
}

export function roomForName(tree: Tree): void {
  if (tree.entries >= MAX_ENTRIES) throw new FileError('ENOSPC');
}

export function mayChange(view: View, path: string, follow = true): { place: Place; owner: Owned } {
  const place = locate(view, path, follow);
  const { tree } = place.mount;
  if (!tree.links.has(place.inner) && kindAt(view, place) === undefined) throw new FileError(notThere(view, place));
  reach(view, place);
  writable(place);
  const known = tree.files.get(place.inner) ?? tree.directories.get(place.inner) ?? tree.links.get(place.inner);
  const owner = known ?? newDirectory();
  if (view.user.uid !== 0 && view.user.uid !== owner.uid) throw new FileError('EPERM');
  if (known === undefined) tree.directories.set(place.inner, owner);
  return { place, owner };
}
