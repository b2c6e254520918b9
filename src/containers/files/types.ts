import type { Input, Output } from '../io.js';
import type { Device, Owned, Tree, Viewer } from '../tree.js';

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
