import type { Input, Output } from './io.js';

/** Content made when it is read, e.g. a service account token. */
export type LazyContent = () => Promise<Buffer>;

export interface Owned {
  mode: number;
  uid: number;
  gid: number;
  /** Clock milliseconds of the last change; undefined: as old as the container. */
  mtime?: number;
}

/** What is behind a special file. */
export type Device = 'null' | 'zero' | 'full' | 'random' | 'tty';

export interface FileEntry extends Owned {
  content: Buffer | LazyContent;
  readonly device?: Device;
  /** A named pipe made by mkfifo. */
  readonly fifo?: boolean;
  /** Names that it has; 0 when it has been removed while somebody still writes to it. */
  names?: number;
  /** Room behind the content, so that appending does not copy it. */
  spare?: Buffer;
}

export interface LinkEntry extends Owned {
  readonly target: string;
}

/** What a path of a tree that is made when it is looked at stands for: /proc. */
export type VirtualNode =
  | { readonly kind: 'directory'; readonly names: () => string[] }
  | { readonly kind: 'file'; readonly read: () => Buffer; readonly write?: (data: Buffer) => void }
  | { readonly kind: 'link'; readonly target: string }
  /** An open file of a process: /proc/PID/fd/N. */
  | { readonly kind: 'descriptor'; readonly target: string; readonly input?: Input; readonly output?: Output };

/** Who looks: /proc/self differs. */
export interface Viewer {
  readonly pid: number;
  /** Bits that what it makes does not get. */
  readonly umask?: number;
}

export interface VirtualFiles {
  lookup(inner: string, viewer: Viewer | undefined): VirtualNode | undefined;
}

/**
 * One mounted tree: absolute paths below its root ("/a/b") to files. Directories are kept by name when they hold nothing
 * or are not root's with mode 0755; "/" is the root's own entry. Volumes are trees shared by the containers of a Pod.
 */
export interface Tree {
  readonly files: Map<string, FileEntry>;
  readonly directories: Map<string, Owned>;
  readonly links: Map<string, LinkEntry>;
  readonly tmpfs: boolean;
  /** Bytes that fit in; a write beyond is ENOSPC. */
  capacity: number;
  /** Bytes that are in. */
  readonly used: number;
  /** Files, directories and links. */
  readonly entries: number;
  readonly virtual?: VirtualFiles;
  /** Names right below a directory. */
  childrenOf(directory: string): Iterable<string>;
  /** Whether something is below a path. */
  hasChildren(directory: string): boolean;
  /** A file of the tree has become longer or shorter by so much. */
  grown(bytes: number): void;
  /** Told of each path that came, went, or has something else to say; set by whoever keeps what is in it. */
  changed?: ((path: string) => void) | undefined;
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
  /** Bytes. */
  readonly capacity?: number;
  readonly virtual?: VirtualFiles;
}

export const DEFAULT_CAPACITY = 256 * 1024 * 1024;
/** Inodes of a tree. */
export const MAX_ENTRIES = 100_000;

/** Names by directory, kept while paths come and go, so that no look at a directory walks all files. */
class Index {
  private readonly children = new Map<string, Map<string, number>>();

  add(path: string, count: 1 | -1): void {
    for (let slash = path.lastIndexOf('/'), end = path.length; slash >= 0 && end > 1;) {
      const directory = slash === 0 ? '/' : path.slice(0, slash);
      const name = path.slice(slash + 1, end);
      const names = this.children.get(directory) ?? new Map<string, number>();
      this.children.set(directory, names);
      const left = (names.get(name) ?? 0) + count;
      if (left > 0) names.set(name, left);
      else names.delete(name);
      if (names.size === 0) this.children.delete(directory);
      end = slash;
      slash = slash === 0 ? -1 : path.lastIndexOf('/', slash - 1);
    }
  }
  names(directory: string): Iterable<string> {
    return this.children.get(directory)?.keys() ?? [];
  }
  has(directory: string): boolean {
    return this.children.has(directory);
  }
}

/** A map by path that tells what enters and leaves it. */
class PathMap<V> extends Map<string, V> {
  constructor(
    private readonly index: Index,
    private readonly changed: (path: string) => void,
    private readonly entered: (value: V) => void = () => undefined,
    private readonly left: (value: V) => void = () => undefined,
  ) {
    super();
  }
  override set(path: string, value: V): this {
    const old = this.get(path);
    if (old === undefined) this.index.add(path, 1);
    else this.left(old);
    this.entered(value);
    super.set(path, value);
    this.changed(path);
    return this;
  }
  override delete(path: string): boolean {
    const old = this.get(path);
    if (old === undefined) return false;
    this.index.add(path, -1);
    this.left(old);
    super.delete(path);
    this.changed(path);
    return true;
  }
  override clear(): void {
    for (const path of [...this.keys()]) this.delete(path);
  }
}

export const sizeOf = ({ content }: FileEntry): number => (typeof content === 'function' ? 0 : content.length);

export function createTree(
  files: Files = {},
  { mode, gid, tmpfs = false, capacity = DEFAULT_CAPACITY, virtual }: TreeOptions = {},
): Tree {
  const index = new Index();
  let used = 0;
  const changed = (path: string): void => tree.changed?.(path);
  const tree: Tree = {
    files: new PathMap<FileEntry>(
      index,
      changed,
      entry => {
        used += sizeOf(entry);
        entry.names = (entry.names ?? 0) + 1;
      },
      entry => {
        used -= sizeOf(entry);
        entry.names = (entry.names ?? 1) - 1;
      },
    ),
    directories: new PathMap<Owned>(index, changed),
    links: new PathMap<LinkEntry>(index, changed),
    tmpfs,
    capacity,
    get used() {
      return used;
    },
    get entries() {
      return tree.files.size + tree.directories.size + tree.links.size;
    },
    ...(virtual === undefined ? {} : { virtual }),
    childrenOf: directory => index.names(directory),
    hasChildren: directory => index.has(directory),
    grown: bytes => void (used += bytes),
  };
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

/** Whether a path of a tree is a directory: kept by name, or above something. */
export const isDirectoryIn = (tree: Tree, inner: string): boolean =>
  inner === '/' || tree.directories.has(inner) || tree.hasChildren(inner);
