/** errno names of the in-memory file system, as strerror prints them. */
const TEXT = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EEXIST: 'File exists',
  ENOTEMPTY: 'Directory not empty',
  EROFS: 'Read-only file system',
  EBUSY: 'Resource busy',
} as const;

export class FileError extends Error {
  override readonly name = 'FileError';
  constructor(readonly code: keyof typeof TEXT) {
    super(TEXT[code]);
  }
}

/** Content made when it is first read, e.g. a service account token. */
export type LazyContent = () => Promise<Buffer>;

interface FileEntry {
  content: Buffer | LazyContent;
  mode: number;
}

/**
 * One mounted tree: absolute paths below its root ("/a/b") to files. Directories that hold nothing are kept by name.
 * Volumes are trees shared by the containers of a Pod.
 */
export interface Tree {
  readonly files: Map<string, FileEntry>;
  readonly directories: Set<string>;
}

export function createTree(files: Readonly<Record<string, string | Buffer | LazyContent>> = {}, mode = 0o644): Tree {
  const tree: Tree = { files: new Map(), directories: new Set() };
  for (const [name, content] of Object.entries(files))
    tree.files.set(name.startsWith('/') ? name : `/${name}`, {
      content: typeof content === 'string' ? Buffer.from(content) : content,
      mode,
    });
  return tree;
}

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

export interface FileSystem {
  read(path: string): Promise<Buffer>;
  write(path: string, data: Buffer, options?: { append?: boolean }): Promise<void>;
  makeDirectory(path: string, options?: { parents?: boolean }): void;
  remove(path: string, options?: { recursive?: boolean }): void;
  rename(from: string, to: string): Promise<void>;
  stat(path: string): Promise<{ kind: 'file' | 'directory'; size: number; mode: number } | undefined>;
  kind(path: string): 'file' | 'directory' | undefined;
  chmod(path: string, mode: number): void;
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

/** A container's view: a root tree with volumes mounted over it; the longest mount path wins. */
export function createFileSystem(mounts: readonly Mount[]): FileSystem {
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
  const isDirectory = ({ tree }: Mount, inner: string): boolean => {
    if (inner === '/' || tree.directories.has(inner)) return true;
    const prefix = `${inner}/`;
    for (const name of tree.files.keys()) if (name.startsWith(prefix)) return true;
    for (const name of tree.directories) if (name.startsWith(prefix)) return true;
    return false;
  };
  const kind = (path: string): 'file' | 'directory' | undefined => {
    const { mount, inner } = locate(path);
    if (mount.tree.files.has(inner)) return 'file';
    if (isDirectory(mount, inner)) return 'directory';
    return byDepth.some(m => m.path.startsWith(`${path === '/' ? '' : path}/`)) ? 'directory' : undefined;
  };
  const file = (path: string): FileEntry => {
    const { mount, inner } = locate(path);
    const entry = mount.tree.files.get(inner);
    if (entry !== undefined) return entry;
    throw new FileError(kind(path) === 'directory' ? 'EISDIR' : 'ENOENT');
  };
  const content = async (entry: FileEntry): Promise<Buffer> => {
    if (typeof entry.content === 'function') {
      // Kept lazy: a token is fetched again when it is read again, so that it does not expire in place.
      return entry.content();
    }
    return entry.content;
  };
  const writable = (path: string): { mount: Mount; inner: string } => {
    const place = locate(path);
    if (place.mount.readOnly) throw new FileError('EROFS');
    return place;
  };
  const parentMustExist = (path: string): void => {
    const parent = resolvePath(path, '..');
    const found = kind(parent);
    if (found === undefined) throw new FileError('ENOENT');
    if (found === 'file') throw new FileError('ENOTDIR');
  };

  const fs: FileSystem = {
    async read(path) {
      if (path === NULL_DEVICE) return Buffer.alloc(0);
      return content(file(path));
    },
    async write(path, data, { append = false } = {}) {
      if (path === NULL_DEVICE) return;
      if (kind(path) === 'directory') throw new FileError('EISDIR');
      parentMustExist(path);
      const { mount, inner } = writable(path);
      const old = mount.tree.files.get(inner);
      const before = append && old !== undefined ? await content(old) : undefined;
      const bytes = before === undefined ? data : Buffer.concat([before, data]);
      mount.tree.files.set(inner, { content: bytes, mode: old?.mode ?? 0o644 });
    },
    makeDirectory(path, { parents = false } = {}) {
      const found = kind(path);
      if (found !== undefined) {
        if (parents && found === 'directory') return;
        throw new FileError('EEXIST');
      }
      if (!parents) parentMustExist(path);
      const { mount, inner } = writable(path);
      for (let name = inner; name !== '/'; name = resolvePath(name, '..')) mount.tree.directories.add(name);
    },
    remove(path, { recursive = false } = {}) {
      const found = kind(path);
      if (found === undefined) throw new FileError('ENOENT');
      if (mounts.some(m => m.path === path)) throw new FileError('EBUSY');
      const { mount, inner } = writable(path);
      // A directory lives on by name when its last entry goes.
      const parent = resolvePath(inner, '..');
      if (parent !== '/') mount.tree.directories.add(parent);
      if (found === 'directory') {
        if (!recursive && fs.list(path).length > 0) throw new FileError('ENOTEMPTY');
        const below = (name: string): boolean => name === inner || name.startsWith(`${inner}/`);
        for (const name of [...mount.tree.files.keys()]) if (below(name)) mount.tree.files.delete(name);
        for (const name of [...mount.tree.directories]) if (below(name)) mount.tree.directories.delete(name);
        return;
      }
      mount.tree.files.delete(inner);
    },
    async rename(from, to) {
      const target = kind(to) === 'directory' ? resolvePath(to, from.slice(from.lastIndexOf('/') + 1)) : to;
      const data = await fs.read(from);
      await fs.write(target, data);
      fs.remove(from);
    },
    kind,
    async stat(path) {
      if (path === NULL_DEVICE) return { kind: 'file', size: 0, mode: 0o666 };
      const found = kind(path);
      if (found === undefined) return undefined;
      if (found === 'directory') return { kind: 'directory', size: 4096, mode: 0o755 };
      const entry = file(path);
      return { kind: 'file', size: (await content(entry)).length, mode: entry.mode };
    },
    chmod(path, mode) {
      writable(path);
      file(path).mode = mode;
    },
    list(path) {
      const found = kind(path);
      if (found === undefined) throw new FileError('ENOENT');
      if (found === 'file') throw new FileError('ENOTDIR');
      const names = new Set<string>();
      const { mount, inner } = locate(path);
      const under = (name: string, prefix: string): void => {
        if (name.startsWith(prefix) && name.length > prefix.length)
          names.add(name.slice(prefix.length).split('/')[0] ?? '');
      };
      const prefix = inner === '/' ? '/' : `${inner}/`;
      for (const name of mount.tree.files.keys()) under(name, prefix);
      for (const name of mount.tree.directories) under(name, prefix);
      const shown = path === '/' ? '/' : `${path}/`;
      for (const m of mounts) under(m.path, shown);
      return [...names].sort();
    },
  };
  return fs;
}
