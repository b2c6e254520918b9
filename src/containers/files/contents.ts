import { mayAccess } from '../credentials.js';
import { deviceInput, deviceOutput } from '../devices.js';
import { FileError } from '../file-error.js';
import { CHUNK, type Input, type Output } from '../io.js';
import { sizeOf, type FileEntry, type Tree } from '../tree.js';
import { kindAt, locate, virtualAt, type View } from './places.js';
import { changeable, fileAt, madeIn, reach, roomFor, roomForName, touch, writable } from './access.js';
import type { WriteOptions } from './types.js';

/** Lazy content is kept lazy: a token is fetched again when it is read again, so that it does not expire in place. */
export async function content(entry: FileEntry): Promise<Buffer> {
  return typeof entry.content === 'function' ? entry.content() : entry.content;
}

/** A file that may be written, made when it is not there. */
function fileForWriting(view: View, path: string, mode: number): { entry: FileEntry; tree: Tree } {
  const place = locate(view, path);
  const { tree } = place.mount;
  if (kindAt(view, place) === 'directory') throw new FileError('EISDIR');
  const old = tree.files.get(place.inner);
  if (old !== undefined) {
    reach(view, place);
    if (old.device === undefined && old.fifo !== true) writable(place);
    if (!mayAccess(view.user, old, 'write')) throw new FileError('EACCES');
    return { entry: old, tree };
  }
  const { parent } = changeable(view, place);
  roomForName(tree);
  const entry: FileEntry = { content: Buffer.alloc(0), ...madeIn(view, parent, mode) };
  tree.files.set(place.inner, entry);
  return { entry, tree };
}

/** Puts bytes into a file, in place where there is room behind it. @throws FileError ENOSPC */
function put(view: View, entry: FileEntry, tree: Tree, old: Buffer, at: number, data: Buffer): void {
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
  touch(view, entry);
  if ((entry.names ?? 1) > 0) tree.grown(growth);
}

function cut(view: View, entry: FileEntry, tree: Tree, bytes: Buffer): void {
  if ((entry.names ?? 1) > 0) tree.grown(bytes.length - sizeOf(entry));
  delete entry.spare;
  entry.content = bytes;
  touch(view, entry);
}

export async function readFile(view: View, path: string): Promise<Buffer> {
  const place = locate(view, path);
  const node = virtualAt(view, place);
  if (node?.kind === 'file') return node.read();
  const entry = fileAt(view, path);
  if (!mayAccess(view.user, entry, 'read')) throw new FileError('EACCES');
  if (entry.device === 'null') return Buffer.alloc(0);
  if (entry.device !== undefined || entry.fifo === true) throw new FileError('EINVAL');
  return content(entry);
}

export async function openRead(view: View, path: string): Promise<Input> {
  const place = locate(view, path);
  const node = virtualAt(view, place);
  if (node?.kind === 'descriptor') {
    if (node.input === undefined) throw new FileError('EACCES');
    return node.input;
  }
  if (node?.kind === 'file') return bytesInput(node.read, place.path);
  const entry = fileAt(view, path);
  if (!mayAccess(view.user, entry, 'read')) throw new FileError('EACCES');
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
}

export async function writeFile(view: View, path: string, data: Buffer, options: WriteOptions = {}): Promise<void> {
  const output = await openWrite(view, path, options);
  await output.write(data);
}

export async function openWrite(
  view: View,
  path: string,
  { append = false, at, mode = 0o666 & ~view.umask }: WriteOptions = {},
): Promise<Output> {
  const place = locate(view, path);
  const node = virtualAt(view, place);
  if (node?.kind === 'descriptor') {
    if (node.output === undefined) throw new FileError('EACCES');
    return node.output;
  }
  if (node?.kind === 'file') {
    const { write } = node;
    if (write === undefined) throw new FileError('EACCES');
    return { write: data => write(Buffer.from(data)), description: place.path };
  }
  const { entry, tree } = fileForWriting(view, path, mode);
  if (entry.device !== undefined) return deviceOutput(entry.device);
  let position = at ?? 0;
  if (!append && at === undefined) {
    cut(view, entry, tree, Buffer.alloc(0));
    tree.changed?.(place.inner);
  } else if (typeof entry.content === 'function') entry.content = await entry.content();
  return {
    description: place.path,
    write(data) {
      const old = typeof entry.content === 'function' ? Buffer.alloc(0) : entry.content;
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      const from = append ? old.length : position;
      put(view, entry, tree, old, from, bytes);
      tree.changed?.(place.inner);
      position = from + bytes.length;
    },
  };
}

export async function truncate(view: View, path: string, size: number): Promise<void> {
  const { entry, tree } = fileForWriting(view, path, 0o644);
  if (entry.device !== undefined) throw new FileError('EINVAL');
  const old = await content(entry);
  if (size <= old.length) cut(view, entry, tree, Buffer.from(old.subarray(0, size)));
  else {
    roomFor(tree, size - old.length);
    put(view, entry, tree, old, size, Buffer.alloc(0));
  }
  tree.changed?.(locate(view, path).inner);
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
