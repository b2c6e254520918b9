import type { Credentials } from '../credentials.js';
import { FileError } from '../file-error.js';
import { resolvePath } from '../paths.js';
import { isDirectoryIn, newDirectory, type Owned, type Viewer, type VirtualNode } from '../tree.js';
import type { Mount } from './types.js';

export const IMPLIED = newDirectory();
/** path_resolution(7). */
const MAX_LINKS = 40;
const MAX_PATH = 4096;
const MAX_NAME = 255;

/** A container's mounts as one user, and one process, sees them. */
export interface View {
  /** The longest path first. */
  readonly mounts: readonly Mount[];
  readonly user: Credentials;
  /** Clock milliseconds; undefined: changes leave no time. */
  readonly now: () => number | undefined;
  readonly viewer: Viewer | undefined;
  readonly umask: number;
}

export interface Place {
  readonly mount: Mount;
  readonly inner: string;
  /** The path it has in the container, without links. */
  readonly path: string;
}

export function locateReal(view: View, path: string): Place {
  for (const mount of view.mounts) {
    if (mount.file === true && path === mount.path) return { mount, inner: `/${mount.subPath ?? ''}`, path };
    if (mount.file !== true && (path === mount.path || path.startsWith(`${mount.path}/`) || mount.path === '')) {
      const base = mount.subPath === undefined || mount.subPath === '' ? '' : `/${mount.subPath}`;
      return { mount, inner: resolvePath('/', base + path.slice(mount.path.length)), path };
    }
  }
  throw new FileError('ENOENT');
}

export function virtualAt(view: View, { mount, inner }: Place): VirtualNode | undefined {
  return mount.tree.virtual?.lookup(inner, view.viewer);
}

export function targetOf(view: View, place: Place): string | undefined {
  const link = place.mount.tree.links.get(place.inner);
  if (link !== undefined) return link.target;
  const node = virtualAt(view, place);
  return node?.kind === 'link' ? node.target : undefined;
}

/** Follows symbolic links on the way, and the last one too unless told not to. @throws FileError */
export function locate(view: View, given: string, follow = true): Place {
  if (given.length > MAX_PATH) throw new FileError('ENAMETOOLONG');
  let waiting = given.split('/').reverse();
  let path = '';
  for (let links = 0; waiting.length > 0;) {
    const name = waiting.pop() ?? '';
    if (name === '' || name === '.') continue;
    if (name.length > MAX_NAME) throw new FileError('ENAMETOOLONG');
    if (name === '..') {
      path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      continue;
    }
    const next = `${path}/${name}`;
    const isLast = waiting.every(part => part === '' || part === '.');
    const target = isLast && !follow ? undefined : targetOf(view, locateReal(view, next));
    if (target === undefined) {
      path = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new FileError('ELOOP');
    waiting = [...waiting, ...target.split('/').reverse()];
    if (target.startsWith('/')) path = '';
  }
  return locateReal(view, path === '' ? '/' : path);
}

export function found(view: View, path: string, follow = true): Place | undefined {
  try {
    return locate(view, path, follow);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

export function kindAt(view: View, place: Place): 'file' | 'directory' | undefined {
  const { tree } = place.mount;
  if (tree.files.has(place.inner)) return 'file';
  if (isDirectoryIn(tree, place.inner)) return 'directory';
  const node = virtualAt(view, place);
  if (node !== undefined) return node.kind === 'directory' ? 'directory' : 'file';
  const prefix = `${place.path === '/' ? '' : place.path}/`;
  return view.mounts.some(m => m.path.startsWith(prefix)) ? 'directory' : undefined;
}

export function kind(view: View, path: string): 'file' | 'directory' | undefined {
  const place = found(view, path);
  return place === undefined ? undefined : kindAt(view, place);
}

export function isLink(view: View, path: string): boolean {
  const place = found(view, path, false);
  if (place === undefined) return false;
  const node = virtualAt(view, place);
  return targetOf(view, place) !== undefined || node?.kind === 'descriptor';
}

export function ownerAt({ mount, inner }: Place): Owned {
  return mount.tree.files.get(inner) ?? mount.tree.directories.get(inner) ?? mount.tree.links.get(inner) ?? IMPLIED;
}

/** Something that is no directory on the way is another error than nothing at all. */
export function notThere(view: View, { path }: Place): 'ENOENT' | 'ENOTDIR' {
  for (let up = resolvePath(path, '..'); up !== '/'; up = resolvePath(up, '..')) {
    const above = kindAt(view, locateReal(view, up));
    if (above === 'file') return 'ENOTDIR';
    if (above === 'directory') return 'ENOENT';
  }
  return 'ENOENT';
}
