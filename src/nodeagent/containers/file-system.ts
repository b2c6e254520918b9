import { mayAccess, ROOT, type Credentials } from './credentials.js';

/** errno names of the in-memory file system, as strerror prints them. */
const TEXT = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EEXIST: 'File exists',
  ENOTEMPTY: 'Directory not empty',
  EROFS: 'Read-only file system',
  EBUSY: 'Resource busy',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
} as const;

export class FileError extends Error {
  override readonly name = 'FileError';
  constructor(readonly code: keyof typeof TEXT) {
    super(TEXT[code]);
  }
}

/** Content made when it is read, e.g. a service account token. */
export type LazyContent = () => Promise<Buffer>;

interface Owned {
  mode: number;
  uid: number;
  gid: number;
}

export interface FileEntry extends Owned {
  content: Buffer | LazyContent;
}

/**
 * One mounted tree: absolute paths below its root ("/a/b") to files. Directories are kept by name when they hold nothing
 * or are not root's with mode 0755; "/" is the root's own entry. Volumes are trees shared by the containers of a Pod.
 */
export interface Tree {
  readonly files: Map<string, FileEntry>;
  readonly directories: Map<string, Owned>;
  readonly tmpfs: boolean;
}

/** A file with more to say than its content. */
export interface FileSource {
  readonly content: string | Buffer | LazyContent;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export type Files = Readonly<Record<string, string | Buffer | LazyContent | FileSource>>;

export interface TreeOptions {
  /** Of the root directory. */
  readonly mode?: number;
  readonly gid?: number;
  readonly tmpfs?: boolean;
}

export function createTree(files: Files = {}, { mode, gid, tmpfs = false }: TreeOptions = {}): Tree {
  const tree: Tree = { files: new Map(), directories: new Map(), tmpfs };
  if (mode !== undefined) tree.directories.set('/', { uid: 0, gid: gid ?? 0, mode });
  for (const [name, file] of Object.entries(files)) {
    const source = typeof file === 'object' && 'content' in file ? file : { content: file };
    tree.files.set(name.startsWith('/') ? name : `/${name}`, {
      mode: 0o644,
      uid: 0,
      gid: 0,
      ...source,
      content: typeof source.content === 'string' ? Buffer.from(source.content) : source.content,
    });
  }
  return tree;
}

export const newDirectory = (mode = 0o755): Owned => ({ uid: 0, gid: 0, mode });

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
  readonly kind: 'file' | 'directory';
  readonly size: number;
  readonly tmpfs: boolean;
}

export interface FileSystem {
  read(path: string): Promise<Buffer>;
  /** A new file gets `mode`, by default 0644: 0666 under the usual umask. */
  write(path: string, data: Buffer, options?: { append?: boolean; mode?: number }): Promise<void>;
  makeDirectory(path: string, options?: { parents?: boolean }): void;
  remove(path: string, options?: { recursive?: boolean }): void;
  rename(from: string, to: string): Promise<void>;
  stat(path: string): Promise<FileStat | undefined>;
  kind(path: string): 'file' | 'directory' | undefined;
  /** Whether the container's user may. False for what is not there. */
  allows(path: string, wanted: 'read' | 'write' | 'execute'): boolean;
  chmod(path: string, mode: number): void;
  chown(path: string, owner: { readonly uid?: number; readonly gid?: number }): void;
  /** Names in a directory, sorted. */
  list(path: string): string[];
}

/** Joins and normalises: resolvePath('/a', '../b') is '/b'. */
export function resolvePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Devices that scripts write to. */
const NULL_DEVICE = '/dev/null';
const SETGID = 0o2000;
const STICKY = 0o1000;
const IMPLIED = newDirectory();

/** Whether a path of a tree is a directory: kept by name, or above something. */
export function isDirectoryIn({ files, directories }: Tree, inner: string): boolean {
  if (inner === '/' || directories.has(inner)) return true;
  const prefix = `${inner}/`;
  for (const name of files.keys()) if (name.startsWith(prefix)) return true;
  for (const name of directories.keys()) if (name.startsWith(prefix)) return true;
  return false;
}

/**
 * A container's view, as its user: a root tree with volumes mounted over it; the longest mount path wins. Errors are
 * FileErrors.
 */
export function createFileSystem(mounts: readonly Mount[], user: Credentials = ROOT): FileSystem {
  const byDepth = [...mounts].sort((a, b) => b.path.length - a.path.length);

  const locate = (path: string): { mount: Mount; inner: string } => {
    for (const mount of byDepth) {
      if (mount.file === true && path === mount.path) return { mount, inner: `/${mount.subPath ?? ''}` };
      if (mount.file !== true && (path === mount.path || path.startsWith(`${mount.path}/`) || mount.path === '')) {
        const base = mount.subPath === undefined || mount.subPath === '' ? '' : `/${mount.subPath}`;
        return { mount, inner: resolvePath('/', base + path.slice(mount.path.length)) };
      }
    }
    throw new FileError('ENOENT');
  };
  const kind = (path: string): 'file' | 'directory' | undefined => {
    const { mount, inner } = locate(path);
    if (mount.tree.files.has(inner)) return 'file';
    if (isDirectoryIn(mount.tree, inner)) return 'directory';
    return byDepth.some(m => m.path.startsWith(`${path === '/' ? '' : path}/`)) ? 'directory' : undefined;
  };
  const ownerOf = (path: string): Owned => {
    const { mount, inner } = locate(path);
    return mount.tree.files.get(inner) ?? mount.tree.directories.get(inner) ?? IMPLIED;
  };
  const allows = (path: string, wanted: 'read' | 'write' | 'execute'): boolean =>
    path === NULL_DEVICE || (kind(path) !== undefined && mayAccess(user, ownerOf(path), wanted));
  /** Every directory on the way must be searchable. */
  const reach = (path: string): void => {
    if (user.uid === 0) return;
    for (let up = resolvePath(path, '..'); ; up = resolvePath(up, '..')) {
      if (kind(up) === 'directory' && !mayAccess(user, ownerOf(up), 'execute')) throw new FileError('EACCES');
      if (up === '/') return;
    }
  };
  const file = (path: string): FileEntry => {
    reach(path);
    const { mount, inner } = locate(path);
    const entry = mount.tree.files.get(inner);
    if (entry !== undefined) return entry;
    throw new FileError(kind(path) === 'directory' ? 'EISDIR' : 'ENOENT');
  };
  // Lazy content is kept lazy: a token is fetched again when it is read again, so that it does not expire in place.
  const content = async (entry: FileEntry): Promise<Buffer> =>
    typeof entry.content === 'function' ? entry.content() : entry.content;
  const writable = (path: string): { mount: Mount; inner: string } => {
    const place = locate(path);
    if (place.mount.readOnly) throw new FileError('EROFS');
    return place;
  };
  /** Where a name may be added or taken away. */
  const changeableParent = (path: string): { mount: Mount; inner: string; parent: Owned } => {
    const parent = resolvePath(path, '..');
    const found = kind(parent);
    if (found === undefined) throw new FileError('ENOENT');
    if (found === 'file') throw new FileError('ENOTDIR');
    reach(path);
    const place = writable(path);
    const owner = ownerOf(parent);
    if (!mayAccess(user, owner, 'write')) throw new FileError('EACCES');
    return { ...place, parent: owner };
  };
  /** A directory with the setgid bit gives its group to what is made in it. */
  const madeIn = (parent: Owned, mode: number): Owned => ({
    uid: user.uid,
    gid: (parent.mode & SETGID) === 0 ? user.gid : parent.gid,
    mode,
  });
  const mayChange = (path: string): { mount: Mount; inner: string; owner: Owned } => {
    if (kind(path) === undefined) throw new FileError('ENOENT');
    reach(path);
    const { mount, inner } = writable(path);
    const known = mount.tree.files.get(inner) ?? mount.tree.directories.get(inner);
    const owner = known ?? newDirectory();
    if (user.uid !== 0 && user.uid !== owner.uid) throw new FileError('EPERM');
    if (known === undefined) mount.tree.directories.set(inner, owner);
    return { mount, inner, owner };
  };

  const fs: FileSystem = {
    async read(path) {
      if (path === NULL_DEVICE) return Buffer.alloc(0);
      const entry = file(path);
      if (!mayAccess(user, entry, 'read')) throw new FileError('EACCES');
      return content(entry);
    },
    async write(path, data, { append = false, mode = 0o644 } = {}) {
      if (path === NULL_DEVICE) return;
      if (kind(path) === 'directory') throw new FileError('EISDIR');
      const old = locate(path).mount.tree.files.get(locate(path).inner);
      if (old === undefined) {
        const { mount, inner, parent } = changeableParent(path);
        mount.tree.files.set(inner, { content: data, ...madeIn(parent, mode) });
        return;
      }
      reach(path);
      const { mount, inner } = writable(path);
      if (!mayAccess(user, old, 'write')) throw new FileError('EACCES');
      const bytes = append ? Buffer.concat([await content(old), data]) : data;
      mount.tree.files.set(inner, { ...old, content: bytes });
    },
    makeDirectory(path, { parents = false } = {}) {
      const found = kind(path);
      if (found !== undefined) {
        if (parents && found === 'directory') return;
        throw new FileError('EEXIST');
      }
      const above = resolvePath(path, '..');
      if (parents && kind(above) === undefined) fs.makeDirectory(above, { parents });
      const { mount, inner, parent } = changeableParent(path);
      mount.tree.directories.set(inner, madeIn(parent, 0o755 | (parent.mode & SETGID)));
    },
    remove(path, { recursive = false } = {}) {
      const found = kind(path);
      if (found === undefined) throw new FileError('ENOENT');
      if (mounts.some(m => m.path === path)) throw new FileError('EBUSY');
      const { mount, inner, parent } = changeableParent(path);
      const mine = user.uid === 0 || user.uid === parent.uid || user.uid === ownerOf(path).uid;
      if ((parent.mode & STICKY) !== 0 && !mine) throw new FileError('EPERM');
      // A directory lives on by name when its last entry goes.
      const above = resolvePath(inner, '..');
      if (above !== '/' && !mount.tree.directories.has(above)) mount.tree.directories.set(above, newDirectory());
      if (found === 'directory') {
        if (!recursive && fs.list(path).length > 0) throw new FileError('ENOTEMPTY');
        const below = (name: string): boolean => name === inner || name.startsWith(`${inner}/`);
        for (const name of [...mount.tree.files.keys()]) if (below(name)) mount.tree.files.delete(name);
        for (const name of [...mount.tree.directories.keys()]) if (below(name)) mount.tree.directories.delete(name);
        return;
      }
      mount.tree.files.delete(inner);
    },
    async rename(from, to) {
      const target = kind(to) === 'directory' ? resolvePath(to, from.slice(from.lastIndexOf('/') + 1)) : to;
      const data = await fs.read(from);
      await fs.write(target, data, { mode: ownerOf(from).mode });
      fs.remove(from);
    },
    kind,
    allows,
    async stat(path) {
      if (path === NULL_DEVICE) return { kind: 'file', size: 0, uid: 0, gid: 0, mode: 0o666, tmpfs: true };
      const found = kind(path);
      if (found === undefined) return undefined;
      reach(path);
      const { mode, uid, gid } = ownerOf(path);
      const { tmpfs } = locate(path).mount.tree;
      if (found === 'directory') return { kind: 'directory', size: 4096, mode, uid, gid, tmpfs };
      return { kind: 'file', size: (await content(file(path))).length, mode, uid, gid, tmpfs };
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
    list(path) {
      const found = kind(path);
      if (found === undefined) throw new FileError('ENOENT');
      if (found === 'file') throw new FileError('ENOTDIR');
      reach(path);
      if (!allows(path, 'read')) throw new FileError('EACCES');
      const names = new Set<string>();
      const { mount, inner } = locate(path);
      const under = (name: string, prefix: string): void => {
        if (name.startsWith(prefix) && name.length > prefix.length)
          names.add(name.slice(prefix.length).split('/')[0] ?? '');
      };
      const prefix = inner === '/' ? '/' : `${inner}/`;
      for (const name of mount.tree.files.keys()) under(name, prefix);
      for (const name of mount.tree.directories.keys()) under(name, prefix);
      const shown = path === '/' ? '/' : `${path}/`;
      for (const m of mounts) under(m.path, shown);
      return [...names].sort();
    },
  };
  return fs;
}
