import { ROOT, type Credentials } from './credentials.js';
import { allows } from './files/access.js';
import { chmod, chown, setTime } from './files/attributes.js';
import { openRead, openWrite, readFile, truncate, writeFile } from './files/contents.js';
import { link, list, makeDirectory, makeSpecial, readLink, realPath, remove, rename, symlink } from './files/names.js';
import { isLink, kind, type View } from './files/places.js';
import { linkStat, stat } from './files/stat.js';
import type { FileSystem, Mount } from './files/types.js';
import type { Viewer } from './tree.js';

export { FileError } from './file-error.js';
export type { FileStat, FileSystem, Mount, WriteOptions } from './files/types.js';
export { resolvePath } from './paths.js';
export { createTree, isDirectoryIn, newDirectory } from './tree.js';
export type { FileEntry, Files, FileSource, LazyContent, Tree, TreeOptions } from './tree.js';

const DEFAULT_UMASK = 0o022;

/**
 * A container's view, as its user: a root tree with volumes mounted over it; the longest mount path wins. Errors are
 * FileErrors.
 */
export function createFileSystem(
  mounts: readonly Mount[],
  user: Credentials = ROOT,
  now: () => number | undefined = () => undefined,
): FileSystem {
  const byDepth = [...mounts].sort((a, b) => b.path.length - a.path.length);
  const seenBy = (viewer: Viewer | undefined): FileSystem =>
    seenAs({ mounts: byDepth, user, now, viewer, umask: viewer?.umask ?? DEFAULT_UMASK }, seenBy);
  return seenBy(undefined);
}

function seenAs(view: View, seenBy: (viewer: Viewer) => FileSystem): FileSystem {
  return {
    mounts: view.mounts,
    seenBy,
    read: path => readFile(view, path),
    openRead: path => openRead(view, path),
    write: (path, data, options) => writeFile(view, path, data, options),
    openWrite: (path, options) => openWrite(view, path, options),
    truncate: (path, size) => truncate(view, path, size),
    makeDirectory: (path, options) => makeDirectory(view, path, options),
    makeSpecial: (path, special) => makeSpecial(view, path, special),
    symlink: (target, path) => symlink(view, target, path),
    link: (from, to) => link(view, from, to),
    readLink: path => readLink(view, path),
    realPath: path => realPath(view, path),
    remove: (path, options) => remove(view, path, options),
    rename: (from, to) => rename(view, from, to),
    kind: path => kind(view, path),
    isLink: path => isLink(view, path),
    allows: (path, wanted) => allows(view, path, wanted),
    stat: path => stat(view, path),
    linkStat: path => linkStat(view, path),
    chmod: (path, mode) => chmod(view, path, mode),
    chown: (path, owner) => chown(view, path, owner),
    setTime: (path, mtime) => setTime(view, path, mtime),
    list: path => list(view, path),
  };
}
