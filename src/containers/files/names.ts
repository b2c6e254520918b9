import { mayAccess } from '../credentials.js';
import { FileError } from '../file-error.js';
import { joinPath, resolvePath } from '../paths.js';
import { newDirectory, type Device } from '../tree.js';
import {
  isLink,
  kind,
  kindAt,
  locate,
  locateReal,
  notThere,
  ownerAt,
  targetOf,
  virtualAt,
  type Place,
  type View,
} from './places.js';
import { changeable, madeIn, reach, roomFor, roomForName, SETGID } from './access.js';
import { below, lengthOf, moveEntry, removeBelow } from './below.js';

const STICKY = 0o1000;

function isSame(a: Place, b: Place): boolean {
  return a.mount.tree === b.mount.tree && a.inner === b.inner;
}

export function makeDirectory(
  view: View,
  path: string,
  { parents = false, mode = 0o777 & ~view.umask }: { parents?: boolean; mode?: number } = {},
): void {
  const place = locate(view, path);
  const what = kindAt(view, place);
  if (what !== undefined) {
    if (parents && what === 'directory') return;
    throw new FileError('EEXIST');
  }
  const above = resolvePath(place.path, '..');
  if (parents && kind(view, above) === undefined) makeDirectory(view, above, { parents });
  const { parent } = changeable(view, place);
  roomForName(place.mount.tree);
  place.mount.tree.directories.set(place.inner, madeIn(view, parent, mode | (parent.mode & SETGID)));
}

export function makeSpecial(
  view: View,
  path: string,
  { device, fifo, mode }: { readonly device?: Device; readonly fifo?: boolean; readonly mode: number },
): void {
  const place = locate(view, path);
  if (kindAt(view, place) !== undefined) throw new FileError('EEXIST');
  const { parent } = changeable(view, place);
  roomForName(place.mount.tree);
  place.mount.tree.files.set(place.inner, {
    content: Buffer.alloc(0),
    ...madeIn(view, parent, mode),
    ...(device === undefined ? {} : { device }),
    ...(fifo === undefined ? {} : { fifo }),
  });
}

export function symlink(view: View, target: string, path: string): void {
  if (target === '') throw new FileError('ENOENT');
  const place = locate(view, path, false);
  if (kindAt(view, place) !== undefined || isLink(view, path)) throw new FileError('EEXIST');
  const { parent } = changeable(view, place);
  roomForName(place.mount.tree);
  place.mount.tree.links.set(place.inner, { target, ...madeIn(view, parent, 0o777) });
}

export function link(view: View, from: string, to: string): void {
  const source = locate(view, from, false);
  const entry = source.mount.tree.files.get(source.inner);
  if (entry === undefined) {
    if (kindAt(view, source) === 'directory') throw new FileError('EPERM');
    throw new FileError(notThere(view, source));
  }
  const place = locate(view, to, false);
  if (kindAt(view, place) !== undefined || isLink(view, to)) throw new FileError('EEXIST');
  if (place.mount.tree !== source.mount.tree) throw new FileError('EXDEV');
  changeable(view, place);
  roomForName(place.mount.tree);
  place.mount.tree.files.set(place.inner, entry);
}

export function readLink(view: View, path: string): string {
  const place = locate(view, path, false);
  const target = targetOf(view, place);
  if (target !== undefined) return target;
  const node = virtualAt(view, place);
  if (node?.kind === 'descriptor') return node.target;
  throw new FileError(kindAt(view, place) === undefined ? notThere(view, place) : 'EINVAL');
}

export function realPath(view: View, path: string): string {
  const place = locate(view, path);
  if (
    kindAt(view, place) === undefined &&
    kindAt(view, locateReal(view, resolvePath(place.path, '..'))) !== 'directory'
  )
    throw new FileError(notThere(view, place));
  return place.path;
}

export function remove(view: View, path: string, { recursive = false }: { recursive?: boolean } = {}): void {
  const place = locate(view, path, false);
  const { mount, inner } = place;
  const { tree } = mount;
  const link = tree.links.has(inner);
  const what = link ? 'file' : kindAt(view, place);
  if (what === undefined) throw new FileError(notThere(view, place));
  if (view.mounts.some(m => m.path === place.path)) throw new FileError('EBUSY');
  const { parent } = changeable(view, place);
  const mine = view.user.uid === 0 || view.user.uid === parent.uid || view.user.uid === ownerAt(place).uid;
  if ((parent.mode & STICKY) !== 0 && !mine) throw new FileError('EPERM');
  // A directory lives on by name when its last entry goes.
  const above = resolvePath(inner, '..');
  if (above !== '/' && !tree.directories.has(above)) tree.directories.set(above, newDirectory());
  if (link) return void tree.links.delete(inner);
  if (what === 'file') return void tree.files.delete(inner);
  if (!recursive && list(view, place.path).length > 0) throw new FileError('ENOTEMPTY');
  removeBelow(tree, inner);
}

export async function rename(view: View, from: string, to: string): Promise<void> {
  const source = locate(view, from, false);
  const { tree } = source.mount;
  const link = tree.links.get(source.inner);
  const what = link === undefined ? kindAt(view, source) : 'file';
  if (what === undefined) throw new FileError(notThere(view, source));
  let target = locate(view, to, false);
  if (kind(view, to) === 'directory' && kindAt(view, target) === 'directory')
    target = locate(view, joinPath(target.path, source.path.slice(source.path.lastIndexOf('/') + 1)), false);
  if (isSame(source, target)) return;
  if (target.path.startsWith(`${source.path}/`)) throw new FileError('EINVAL');
  const there = target.mount.tree.links.has(target.inner) ? 'file' : kindAt(view, target);
  if (there === 'directory' && what === 'file') throw new FileError('EISDIR');
  if (there === 'file' && what === 'directory') throw new FileError('ENOTDIR');
  if (there === 'directory' && list(view, target.path).length > 0) throw new FileError('ENOTEMPTY');
  changeable(view, source);
  changeable(view, target);
  if (target.mount.tree !== tree) {
    const size = [...below(tree, source.inner)].reduce((sum, path) => sum + lengthOf(tree, path), 0);
    roomFor(target.mount.tree, size);
  }
  if (there === 'file') remove(view, target.path);
  const moved = [...below(tree, source.inner)];
  if (what === 'directory' && !tree.directories.has(source.inner)) tree.directories.set(source.inner, newDirectory());
  if (what === 'directory') moved.unshift(source.inner);
  const parent = resolvePath(source.inner, '..');
  if (parent !== '/' && !tree.directories.has(parent)) tree.directories.set(parent, newDirectory());
  for (const path of new Set(moved))
    moveEntry(tree, path, target.mount.tree, target.inner + path.slice(source.inner.length));
}

export function list(view: View, path: string): string[] {
  const place = locate(view, path);
  const what = kindAt(view, place);
  if (what === undefined) throw new FileError(notThere(view, place));
  if (what === 'file') throw new FileError('ENOTDIR');
  reach(view, place);
  if (!mayAccess(view.user, ownerAt(place), 'read')) throw new FileError('EACCES');
  const node = virtualAt(view, place);
  const names = new Set<string>(node?.kind === 'directory' ? node.names() : []);
  for (const name of place.mount.tree.childrenOf(place.inner)) names.add(name);
  const shown = place.path === '/' ? '/' : `${place.path}/`;
  for (const { path: at } of view.mounts)
    if (at.startsWith(shown) && at.length > shown.length) names.add(at.slice(shown.length).split('/')[0] ?? '');
  return [...names].sort();
}
