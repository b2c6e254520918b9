import { mayAccess, ROOT, type Credentials } from './credentials.js';
import { deviceInput, deviceOutput } from './devices.js';
import { FileError } from './file-error.js';
import { CHUNK, type Input, type Output } from './io.js';
import { joinPath, resolvePath } from './paths.js';
import {
  isDirectoryIn,
  MAX_ENTRIES,
  newDirectory,
  sizeOf,
  type Device,
  type FileEntry,
  type LinkEntry,
  type Owned,
  type Tree,
  type Viewer,
  type VirtualNode,
} from './tree.js';

export { FileError } from './file-error.js';
export { resolvePath } from './paths.js';
export { createTree, isDirectoryIn, newDirectory } from './tree.js';
export type { FileEntry, Files, FileSource, LazyContent, Tree, TreeOptions } from './tree.js';

export interface Mount {
  /** Absolute, without a trailing slash; '' is the root. */
  readonly path: string;
  readonly tree: Tree;
  /** Path inside the tree, '' for all of it. */
  readonly subPath?: string;
  readonly readOnly: boolean;
  /** The mount is this one file of the tree (a subPath that names a file). */
  readonly file?: boolean;
}

export interface FileStat extends Readonly<Owned> {
  /** A device or a pipe is a file here; `type` tells them apart. */
  readonly kind: 'file' | 'directory' | 'link';
  readonly type: 'regular' | 'directory' | 'link' | 'character' | 'fifo';
  readonly device?: Device;
  readonly size: number;
  readonly names: number;
  /** Of a link. */
  readonly target?: string;
  /** Tells two names of one file from two files. */
  readonly inode: number;
  readonly tmpfs: boolean;
  readonly tree: Tree;
}

export interface WriteOptions {
  readonly append?: boolean;
  /** Where to begin; what is behind it stays. */
  readonly at?: number;
  /** A new file gets `mode`, by default 0644: 0666 under the usual umask. */
  readonly mode?: number;
}

export interface FileSystem {
  /** All of a file. @throws FileError */
  read(path: string): Promise<Buffer>;
  /** A file from its beginning, piece by piece; devices never end. */
  openRead(path: string): Promise<Input>;
  write(path: string, data: Buffer, options?: WriteOptions): Promise<void>;
  /** Opens a file for writing: cut to nothing unless `append` or `at` is given. Every write has its effect at once. */
  openWrite(path: string, options?: WriteOptions): Promise<Output>;
  truncate(path: string, size: number): Promise<void>;
  makeDirectory(path: string, options?: { parents?: boolean; mode?: number }): void;
  /** A special file: mkfifo, mknod. */
  makeSpecial(
    path: string,
    special: { readonly device?: Device; readonly fifo?: boolean; readonly mode: number },
  ): void;
  symlink(target: string, path: string): void;
  /** A second name. */
  link(from: string, to: string): void;
  /** What a symbolic link says. @throws FileError EINVAL: it is none */
  readLink(path: string): string;
  /** The path without links. The last part need not be there. @throws FileError */
  realPath(path: string): string;
  remove(path: string, options?: { recursive?: boolean }): void;
  rename(from: string, to: string): Promise<void>;
  stat(path: string): Promise<FileStat | undefined>;
  /** As stat, but of a link itself. */
  linkStat(path: string): Promise<FileStat | undefined>;
  kind(path: string): 'file' | 'directory' | undefined;
  isLink(path: string): boolean;
  /** Whether the container's user may. False for what is not there. */
  allows(path: string, wanted: 'read' | 'write' | 'execute'): boolean;
  chmod(path: string, mode: number): void;
  chown(path: string, owner: { readonly uid?: number; readonly gid?: number }): void;
  setTime(path: string, mtime: number): void;
  /** Names in a directory, sorted. */
  list(path: string): string[];
  readonly mounts: readonly Mount[];
  /** The same files as one process sees them: /proc/self is its own. */
  seenBy(viewer: Viewer): FileSystem;
}

const SETGID = 0o2000;
const DEFAULT_UMASK = 0o022;
const STICKY = 0o1000;
const IMPLIED = newDirectory();
/** path_resolution(7). */
const MAX_LINKS = 40;
const MAX_PATH = 4096;
const MAX_NAME = 255;

interface Place {
  readonly mount: Mount;
  readonly inner: string;
  /** The path it has in the container, without links. */
  readonly path: string;
}

let lastInode = 0;
const inodes = new WeakMap<object, number>();
const inodeOf = (entry: object): number => {
  const known = inodes.get(entry);
  if (known !== undefined) return known;
  inodes.set(entry, ++lastInode);
  return lastInode;
};

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
  const create = (viewer: Viewer | undefined): FileSystem => viewOf(byDepth, user, now, viewer, create);
  return create(undefined);
}

function viewOf(
  byDepth: readonly Mount[],
  user: Credentials,
  now: () => number | undefined,
  viewer: Viewer | undefined,
  create: (viewer: Viewer) => FileSystem,
): FileSystem {
  const umask = viewer?.umask ?? DEFAULT_UMASK;
  const touch = (entry: Owned): void => {
    const time = now();
    if (time !== undefined) entry.mtime = time;
  };
  const locateReal = (path: string): Place => {
    for (const mount of byDepth) {
      if (mount.file === true && path === mount.path) return { mount, inner: `/${mount.subPath ?? ''}`, path };
      if (mount.file !== true && (path === mount.path || path.startsWith(`${mount.path}/`) || mount.path === '')) {
        const base = mount.subPath === undefined || mount.subPath === '' ? '' : `/${mount.subPath}`;
        return { mount, inner: resolvePath('/', base + path.slice(mount.path.length)), path };
      }
    }
    throw new FileError('ENOENT');
  };
  const virtualAt = ({ mount, inner }: Place): VirtualNode | undefined => mount.tree.virtual?.lookup(inner, viewer);
  const targetOf = (place: Place): string | undefined => {
    const link = place.mount.tree.links.get(place.inner);
    if (link !== undefined) return link.target;
    const node = virtualAt(place);
    return node?.kind === 'link' ? node.target : undefined;
  };
  /** Follows symbolic links on the way, and the last one too unless told not to. @throws FileError */
  const locate = (given: string, follow = true): Place => {
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
      const target = isLast && !follow ? undefined : targetOf(locateReal(next));
      if (target === undefined) {
        path = next;
        continue;
      }
      if (++links > MAX_LINKS) throw new FileError('ELOOP');
      waiting = [...waiting, ...target.split('/').reverse()];
      if (target.startsWith('/')) path = '';
    }
    return locateReal(path === '' ? '/' : path);
  };
  const found = (path: string, follow = true): Place | undefined => {
    try {
      return locate(path, follow);
    } catch (error) {
      if (error instanceof FileError) return undefined;
      throw error;
    }
  };
  const kindAt = (place: Place): 'file' | 'directory' | undefined => {
    const { tree } = place.mount;
    if (tree.files.has(place.inner)) return 'file';
    if (isDirectoryIn(tree, place.inner)) return 'directory';
    const node = virtualAt(place);
    if (node !== undefined) return node.kind === 'directory' ? 'directory' : 'file';
    const prefix = `${place.path === '/' ? '' : place.path}/`;
    return byDepth.some(m => m.path.startsWith(prefix)) ? 'directory' : undefined;
  };
  const kind = (path: string): 'file' | 'directory' | undefined => {
    const place = found(path);
    return place === undefined ? undefined : kindAt(place);
  };
  const isLink = (path: string): boolean => {
    const place = found(path, false);
    if (place === undefined) return false;
    const node = virtualAt(place);
    return targetOf(place) !== undefined || node?.kind === 'descriptor';
  };
  const ownerAt = ({ mount, inner }: Place): Owned =>
    mount.tree.files.get(inner) ?? mount.tree.directories.get(inner) ?? mount.tree.links.get(inner) ?? IMPLIED;
  const allows = (path: string, wanted: 'read' | 'write' | 'execute'): boolean => {
    const place = found(path);
    return place !== undefined && kindAt(place) !== undefined && mayAccess(user, ownerAt(place), wanted);
  };
  /** Every directory on the way must be searchable. */
  const reach = ({ path }: Place): void => {
    if (user.uid === 0) return;
    for (let up = resolvePath(path, '..'); ; up = resolvePath(up, '..')) {
      const place = locateReal(up);
      if (kindAt(place) === 'directory' && !mayAccess(user, ownerAt(place), 'execute')) throw new FileError('EACCES');
      if (up === '/') return;
    }
  };
  const fileAt = (path: string): FileEntry => {
    const place = locate(path);
    reach(place);
    const entry = place.mount.tree.files.get(place.inner);
    if (entry !== undefined) return entry;
    throw new FileError(kindAt(place) === 'directory' ? 'EISDIR' : notThere(place));
  };
  /** Something that is no directory on the way is another error than nothing at all. */
  const notThere = ({ path }: Place): 'ENOENT' | 'ENOTDIR' => {
    for (let up = resolvePath(path, '..'); up !== '/'; up = resolvePath(up, '..')) {
      const above = kindAt(locateReal(up));
      if (above === 'file') return 'ENOTDIR';
      if (above === 'directory') return 'ENOENT';
    }
    return 'ENOENT';
  };
  // Lazy content is kept lazy: a token is fetched again when it is read again, so that it does not expire in place.
  const content = async (entry: FileEntry): Promise<Buffer> =>
    typeof entry.content === 'function' ? entry.content() : entry.content;
  const writable = (place: Place): Place => {
    if (place.mount.readOnly) throw new FileError('EROFS');
    return place;
  };
  /** Where a name may be added or taken away; what it would be added to. */
  const changeable = (place: Place): { parent: Owned } => {
    const above = locateReal(resolvePath(place.path, '..'));
    const what = kindAt(above);
    if (what === undefined) throw new FileError(notThere(place));
    if (what === 'file') throw new FileError('ENOTDIR');
    reach(place);
    writable(place);
    const parent = ownerAt(above);
    if (!mayAccess(user, parent, 'write')) throw new FileError('EACCES');
    if (place.mount.tree.virtual !== undefined) throw new FileError('EPERM');
    return { parent };
  };
  /** A directory with the setgid bit gives its group to what is made in it. */
  const madeIn = (parent: Owned, mode: number): Owned => {
    const owned: Owned = { uid: user.uid, gid: (parent.mode & SETGID) === 0 ? user.gid : parent.gid, mode };
    touch(owned);
    return owned;
  };
  const roomFor = (tree: Tree, bytes: number): void => {
    if (tree.used + bytes > tree.capacity) throw new FileError('ENOSPC');
  };
  const roomForName = (tree: Tree): void => {
    if (tree.entries >= MAX_ENTRIES) throw new FileError('ENOSPC');
  };
  const mayChange = (path: string, follow = true): { place: Place; owner: Owned } => {
    const place = locate(path, follow);
    const { tree } = place.mount;
    if (!tree.links.has(place.inner) && kindAt(place) === undefined) throw new FileError(notThere(place));
    reach(place);
    writable(place);
    const known = tree.files.get(place.inner) ?? tree.directories.get(place.inner) ?? tree.links.get(place.inner);
    const owner = known ?? newDirectory();
    if (user.uid !== 0 && user.uid !== owner.uid) throw new FileError('EPERM');
    if (known === undefined) tree.directories.set(place.inner, owner);
    return { place, owner };
  };
  /** A file that may be written, made when it is not there. */
  const fileForWriting = (path: string, mode: number): { entry: FileEntry; tree: Tree } => {
    const place = locate(path);
    const { tree } = place.mount;
    if (kindAt(place) === 'directory') throw new FileError('EISDIR');
    const old = tree.files.get(place.inner);
    if (old !== undefined) {
      reach(place);
      if (old.device === undefined && old.fifo !== true) writable(place);
      if (!mayAccess(user, old, 'write')) throw new FileError('EACCES');
      return { entry: old, tree };
    }
    const { parent } = changeable(place);
    roomForName(tree);
    const entry: FileEntry = { content: Buffer.alloc(0), ...madeIn(parent, mode) };
    tree.files.set(place.inner, entry);
    return { entry, tree };
  };
  /** Puts bytes into a file, in place where there is room behind it. @throws FileError ENOSPC */
  const put = (entry: FileEntry, tree: Tree, old: Buffer, at: number, data: Buffer): void => {
    const length = Math.max(old.length, at + data.length);
    const growth = length - sizeOf(entry);
    if ((entry.names ?? 1) > 0) {
      if (growth > 0) roomFor(tree, growth);
    } else if (length > tree.capacity) throw new FileError('ENOSPC');
    let { spare } = entry;
    if (spare === undefined || spare.length < length || old.buffer !== spare.buffer || at < old.length) {
      spare = Buffer.alloc(length <= 256 ? length : Math.ceil(length * (data.length < length ? 1.5 : 1)));
      old.copy(spare);
    }
    data.copy(spare, at);
    entry.spare = spare;
    entry.content = spare.subarray(0, length);
    touch(entry);
    if ((entry.names ?? 1) > 0) tree.grown(growth);
  };
  const cut = (entry: FileEntry, tree: Tree, bytes: Buffer): void => {
    if ((entry.names ?? 1) > 0) tree.grown(bytes.length - sizeOf(entry));
    delete entry.spare;
    entry.content = bytes;
    touch(entry);
  };
  const statOf = async (place: Place): Promise<FileStat | undefined> => {
    const { tree } = place.mount;
    const { tmpfs } = tree;
    const common = { tmpfs, tree };
    const link = tree.links.get(place.inner);
    const node = virtualAt(place);
    if (link !== undefined || node?.kind === 'link' || node?.kind === 'descriptor') {
      const owner: LinkEntry = link ?? {
        target: node !== undefined && 'target' in node ? node.target : '',
        mode: 0o777,
        uid: 0,
        gid: 0,
      };
      reach(place);
      const { target } = owner;
      return {
        ...common,
        ...owned(owner),
        kind: 'link',
        type: 'link',
        size: target.length,
        names: 1,
        target,
        inode: inodeOf(owner),
      };
    }
    const what = kindAt(place);
    if (what === undefined) return undefined;
    reach(place);
    const owner = ownerAt(place);
    if (what === 'directory')
      return {
        ...common,
        ...owned(owner),
        kind: 'directory',
        type: 'directory',
        size: 4096,
        names: 2,
        inode: inodeOf(owner),
      };
    if (node !== undefined)
      return {
        ...common,
        ...owned({ ...IMPLIED, mode: 0o444 }),
        kind: 'file',
        type: 'regular',
        size: 0,
        names: 1,
        inode: 1,
      };
    const entry = owner as FileEntry;
    const { device, names = 1 } = entry;
    const type = device !== undefined ? 'character' : entry.fifo === true ? 'fifo' : 'regular';
    return {
      ...common,
      ...owned(owner),
      kind: 'file',
      type,
      ...(device === undefined ? {} : { device }),
      size: device === undefined ? (await content(entry)).length : 0,
      names,
      inode: inodeOf(entry),
    };
  };
  const owned = ({ mode, uid, gid, mtime }: Owned): Owned => ({
    mode,
    uid,
    gid,
    ...(mtime === undefined ? {} : { mtime }),
  });
  const isSame = (a: Place, b: Place): boolean => a.mount.tree === b.mount.tree && a.inner === b.inner;

  const fs: FileSystem = {
    mounts: byDepth,
    seenBy: create,
    async read(path) {
      const place = locate(path);
      const node = virtualAt(place);
      if (node?.kind === 'file') return node.read();
      const entry = fileAt(path);
      if (!mayAccess(user, entry, 'read')) throw new FileError('EACCES');
      if (entry.device === 'null') return Buffer.alloc(0);
      if (entry.device !== undefined || entry.fifo === true) throw new FileError('EINVAL');
      return content(entry);
    },
    async openRead(path) {
      const place = locate(path);
      const node = virtualAt(place);
      if (node?.kind === 'descriptor') {
        if (node.input === undefined) throw new FileError('EACCES');
        return node.input;
      }
      if (node?.kind === 'file') return bytesInput(node.read, place.path);
      const entry = fileAt(path);
      if (!mayAccess(user, entry, 'read')) throw new FileError('EACCES');
      if (entry.device !== undefined) return deviceInput(entry.device);
      let at = 0;
      const first = await content(entry);
      return {
        description: place.path,
        async read() {
          const bytes = typeof entry.content === 'function' ? first : entry.content;
          if (at >= bytes.length) return undefined;
          const piece = bytes.subarray(at, at + CHUNK);
          at += piece.length;
          return piece;
        },
      };
    },
    async write(path, data, options = {}) {
      const output = await fs.openWrite(path, options);
      await output.write(data);
    },
    async openWrite(path, { append = false, at, mode = 0o666 & ~umask } = {}) {
      const place = locate(path);
      const node = virtualAt(place);
      if (node?.kind === 'descriptor') {
        if (node.output === undefined) throw new FileError('EACCES');
        return node.output;
      }
      if (node?.kind === 'file') {
        const { write } = node;
        if (write === undefined) throw new FileError('EACCES');
        return { write: data => write(Buffer.from(data)), description: place.path };
      }
      const { entry, tree } = fileForWriting(path, mode);
      if (entry.device !== undefined) return deviceOutput(entry.device);
      let position = at ?? 0;
      if (!append && at === undefined) cut(entry, tree, Buffer.alloc(0));
      else if (typeof entry.content === 'function') entry.content = await entry.content();
      return {
        description: place.path,
        write(data) {
          const old = typeof entry.content === 'function' ? Buffer.alloc(0) : entry.content;
          const bytes = typeof data === 'string' ? Buffer.from(data) : data;
          const from = append ? old.length : position;
          put(entry, tree, old, from, bytes);
          position = from + bytes.length;
        },
      };
    },
    async truncate(path, size) {
      const { entry, tree } = fileForWriting(path, 0o644);
      if (entry.device !== undefined) throw new FileError('EINVAL');
      const old = await content(entry);
      if (size <= old.length) return cut(entry, tree, Buffer.from(old.subarray(0, size)));
      roomFor(tree, size - old.length);
      put(entry, tree, old, size, Buffer.alloc(0));
    },
    makeDirectory(path, { parents = false, mode = 0o777 & ~umask } = {}) {
      const place = locate(path);
      const what = kindAt(place);
      if (what !== undefined) {
        if (parents && what === 'directory') return;
        throw new FileError('EEXIST');
      }
      const above = resolvePath(place.path, '..');
      if (parents && kind(above) === undefined) fs.makeDirectory(above, { parents });
      const { parent } = changeable(place);
      roomForName(place.mount.tree);
      place.mount.tree.directories.set(place.inner, madeIn(parent, mode | (parent.mode & SETGID)));
    },
    makeSpecial(path, { device, fifo, mode }) {
      const place = locate(path);
      if (kindAt(place) !== undefined) throw new FileError('EEXIST');
      const { parent } = changeable(place);
      roomForName(place.mount.tree);
      place.mount.tree.files.set(place.inner, {
        content: Buffer.alloc(0),
        ...madeIn(parent, mode),
        ...(device === undefined ? {} : { device }),
        ...(fifo === undefined ? {} : { fifo }),
      });
    },
    symlink(target, path) {
      if (target === '') throw new FileError('ENOENT');
      const place = locate(path, false);
      if (kindAt(place) !== undefined || isLink(path)) throw new FileError('EEXIST');
      const { parent } = changeable(place);
      roomForName(place.mount.tree);
      place.mount.tree.links.set(place.inner, { target, ...madeIn(parent, 0o777) });
    },
    link(from, to) {
      const source = locate(from, false);
      const entry = source.mount.tree.files.get(source.inner);
      if (entry === undefined) {
        if (kindAt(source) === 'directory') throw new FileError('EPERM');
        throw new FileError(notThere(source));
      }
      const place = locate(to, false);
      if (kindAt(place) !== undefined || isLink(to)) throw new FileError('EEXIST');
      if (place.mount.tree !== source.mount.tree) throw new FileError('EXDEV');
      changeable(place);
      roomForName(place.mount.tree);
      place.mount.tree.files.set(place.inner, entry);
    },
    readLink(path) {
      const place = locate(path, false);
      const target = targetOf(place);
      if (target !== undefined) return target;
      const node = virtualAt(place);
      if (node?.kind === 'descriptor') return node.target;
      throw new FileError(kindAt(place) === undefined ? notThere(place) : 'EINVAL');
    },
    realPath(path) {
      const place = locate(path);
      if (kindAt(place) === undefined && kindAt(locateReal(resolvePath(place.path, '..'))) !== 'directory')
        throw new FileError(notThere(place));
      return place.path;
    },
    remove(path, { recursive = false } = {}) {
      const place = locate(path, false);
      const { mount, inner } = place;
      const { tree } = mount;
      const link = tree.links.has(inner);
      const what = link ? 'file' : kindAt(place);
      if (what === undefined) throw new FileError(notThere(place));
      if (byDepth.some(m => m.path === place.path)) throw new FileError('EBUSY');
      const { parent } = changeable(place);
      const mine = user.uid === 0 || user.uid === parent.uid || user.uid === ownerAt(place).uid;
      if ((parent.mode & STICKY) !== 0 && !mine) throw new FileError('EPERM');
      // A directory lives on by name when its last entry goes.
      const above = resolvePath(inner, '..');
      if (above !== '/' && !tree.directories.has(above)) tree.directories.set(above, newDirectory());
      if (link) return void tree.links.delete(inner);
      if (what === 'file') return void tree.files.delete(inner);
      if (!recursive && fs.list(place.path).length > 0) throw new FileError('ENOTEMPTY');
      removeBelow(tree, inner);
    },
    async rename(from, to) {
      const source = locate(from, false);
      const { tree } = source.mount;
      const link = tree.links.get(source.inner);
      const what = link === undefined ? kindAt(source) : 'file';
      if (what === undefined) throw new FileError(notThere(source));
      let target = locate(to, false);
      if (kind(to) === 'directory' && kindAt(target) === 'directory')
        target = locate(joinPath(target.path, source.path.slice(source.path.lastIndexOf('/') + 1)), false);
      if (isSame(source, target)) return;
      if (target.path.startsWith(`${source.path}/`)) throw new FileError('EINVAL');
      const there = target.mount.tree.links.has(target.inner) ? 'file' : kindAt(target);
      if (there === 'directory' && what === 'file') throw new FileError('EISDIR');
      if (there === 'file' && what === 'directory') throw new FileError('ENOTDIR');
      if (there === 'directory' && fs.list(target.path).length > 0) throw new FileError('ENOTEMPTY');
      changeable(source);
      changeable(target);
      if (target.mount.tree !== tree) {
        const size = [...below(tree, source.inner)].reduce((sum, path) => sum + lengthOf(tree, path), 0);
        roomFor(target.mount.tree, size);
      }
      if (there === 'file') fs.remove(target.path);
      const moved = [...below(tree, source.inner)];
      if (what === 'directory' && !tree.directories.has(source.inner))
        tree.directories.set(source.inner, newDirectory());
      if (what === 'directory') moved.unshift(source.inner);
      const parent = resolvePath(source.inner, '..');
      if (parent !== '/' && !tree.directories.has(parent)) tree.directories.set(parent, newDirectory());
      for (const path of new Set(moved))
        moveEntry(tree, path, target.mount.tree, target.inner + path.slice(source.inner.length));
    },
    kind,
    isLink,
    allows,
    async stat(path) {
      const place = found(path);
      if (place === undefined) return undefined;
      const node = virtualAt(place);
      if (node?.kind !== 'descriptor') return statOf(place);
      const { tree } = place.mount;
      const real = node.target.startsWith('/') && node.target !== place.path ? await fs.stat(node.target) : undefined;
      return (
        real ?? { ...IMPLIED, mode: 0o620, kind: 'file', type: 'fifo', size: 0, names: 1, inode: 1, tmpfs: true, tree }
      );
    },
    async linkStat(path) {
      const place = found(path, false);
      return place === undefined ? undefined : statOf(place);
    },
    chmod(path, mode) {
      mayChange(path).owner.mode = mode;
    },
    chown(path, { uid, gid }) {
      const { owner } = mayChange(path);
      if (user.uid !== 0 && uid !== undefined && uid !== owner.uid) throw new FileError('EPERM');
      if (user.uid !== 0 && gid !== undefined && gid !== user.gid && !user.groups.includes(gid))
        throw new FileError('EPERM');
      if (uid !== undefined) owner.uid = uid;
      if (gid !== undefined) owner.gid = gid;
    },
    setTime(path, mtime) {
      mayChange(path).owner.mtime = mtime;
    },
    list(path) {
      const place = locate(path);
      const what = kindAt(place);
      if (what === undefined) throw new FileError(notThere(place));
      if (what === 'file') throw new FileError('ENOTDIR');
      reach(place);
      if (!mayAccess(user, ownerAt(place), 'read')) throw new FileError('EACCES');
      const node = virtualAt(place);
      const names = new Set<string>(node?.kind === 'directory' ? node.names() : []);
      for (const name of place.mount.tree.childrenOf(place.inner)) names.add(name);
      const shown = place.path === '/' ? '/' : `${place.path}/`;
      for (const { path: at } of byDepth)
        if (at.startsWith(shown) && at.length > shown.length) names.add(at.slice(shown.length).split('/')[0] ?? '');
      return [...names].sort();
    },
  };
  return fs;
}

const bytesInput = (read: () => Buffer, description: string): Input => {
  let bytes: Buffer | undefined;
  return {
    description,
    async read() {
      if (bytes !== undefined) return undefined;
      bytes = read();
      return bytes.length === 0 ? undefined : bytes;
    },
  };
};

/** Every path at or below one, deepest last. */
function* below(tree: Tree, inner: string): Generator<string> {
  const waiting = [inner];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (tree.files.has(path) || tree.directories.has(path) || tree.links.has(path)) yield path;
    for (const name of tree.childrenOf(path)) waiting.push(joinPath(path, name));
  }
}

const lengthOf = (tree: Tree, path: string): number => {
  const entry = tree.files.get(path);
  return entry === undefined ? 0 : sizeOf(entry);
};

function removeBelow(tree: Tree, inner: string): void {
  for (const path of [...below(tree, inner)]) {
    tree.files.delete(path);
    tree.directories.delete(path);
    tree.links.delete(path);
  }
}

function moveEntry(from: Tree, path: string, to: Tree, target: string): void {
  const file = from.files.get(path);
  const directory = from.directories.get(path);
  const link = from.links.get(path);
  if (file !== undefined) {
    from.files.delete(path);
    to.files.set(target, file);
  }
  if (directory !== undefined) {
    from.directories.delete(path);
    to.directories.set(target, directory);
  }
  if (link !== undefined) {
    from.links.delete(path);
    to.links.set(target, link);
  }
}
