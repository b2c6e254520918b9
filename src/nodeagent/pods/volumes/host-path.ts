import { isDirectoryIn, newDirectory, type Tree } from '../../../containers/file-system.js';
import { trimEnd } from '../../../machinery/trim.js';
import type { SetUpVolume } from './set-up-volume.js';

/** Mode of a file that is made where there is none. */
const FILE_MODE = 0o644;

/** A path of the node, with the check its type asks for (pkg/volume/hostpath). @throws Error */
export function hostPath(
  { path, type = '' }: { readonly path: string; readonly type?: string },
  tree: Tree,
): SetUpVolume {
  const at = trimEnd(path, '/');
  const isFile = tree.files.has(at);
  const isDirectory = !isFile && isDirectoryIn(tree, at === '' ? '/' : at);
  const fails = (what: string): Error => new Error(`hostPath type check failed: ${path} is not ${what}`);
  if (type === 'Directory' && !isDirectory) throw fails('a directory');
  if (type === 'File' && !isFile) throw fails('a file');
  if (type === 'Socket' || type === 'CharDevice' || type === 'BlockDevice')
    throw fails({ Socket: 'a socket file', CharDevice: 'a character device', BlockDevice: 'a block device' }[type]);
  if (type === 'DirectoryOrCreate' && isFile) throw fails('a directory');
  if (type === 'FileOrCreate' && isDirectory) throw fails('a file');
  // Without a type the runtime makes a directory where there is nothing.
  if (!isFile && !isDirectory)
    if (type === 'FileOrCreate') tree.files.set(at, { content: Buffer.alloc(0), ...newDirectory(FILE_MODE) });
    else tree.directories.set(at, newDirectory());
  return { tree, at };
}
