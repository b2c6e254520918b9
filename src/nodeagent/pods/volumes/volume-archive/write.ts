import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileEntry, Owned, Tree } from '../../../../containers/tree.js';
import { blobName, INDEX, type IndexEntry, type VolumeIndex } from './format.js';

/** What has been written of each file, by the file; a change gives it another content. */
export type KeptEntries = WeakMap<FileEntry, { readonly content: FileEntry['content']; readonly blob: number }>;

export interface Kept {
  readonly entries: KeptEntries;
  readonly next: number;
}

/** Names that are looked at before others have their turn. */
const PER_TURN = 1000;

/** Writes what has changed of the volume at `at`. @throws Error of the file system */
export async function writeVolume(tree: Tree, at: string, folder: string, { entries, next }: Kept): Promise<Kept> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let last = next;
  const listed: IndexEntry[] = [];
  let looked = 0;
  for (const path of pathsBelow(tree, at)) {
    if (++looked % PER_TURN === 0) await new Promise<void>(resolve => setImmediate(resolve));
    const inner = path.slice(at.length);
    const file = tree.files.get(path);
    const link = tree.links.get(path);
    if (link !== undefined) listed.push({ kind: 'link', path: inner, ...ownerOf(link), target: link.target });
    else if (file === undefined) {
      const directory = tree.directories.get(path);
      if (directory !== undefined) listed.push({ kind: 'directory', path: inner, ...ownerOf(directory) });
    } else if (Buffer.isBuffer(file.content) && file.device === undefined && file.fifo !== true) {
      let known = entries.get(file);
      if (known?.content !== file.content) {
        const { content } = file;
        known = { content, blob: last++ };
        await writeFile(join(folder, blobName(known.blob)), content, { mode: 0o600 });
        entries.set(file, known);
      }
      listed.push({ kind: 'file', path: inner, ...ownerOf(file), blob: known.blob });
    }
  }
  const index: VolumeIndex = { version: 1, next: last, entries: listed };
  await writeFile(join(folder, `${INDEX}.new`), JSON.stringify(index), { mode: 0o600 });
  await rename(join(folder, `${INDEX}.new`), join(folder, INDEX));
  const used = new Set([INDEX, ...listed.flatMap(entry => (entry.kind === 'file' ? [blobName(entry.blob)] : []))]);
  for (const name of await readdir(folder)) if (!used.has(name)) await rm(join(folder, name), { force: true });
  return { entries, next: last };
}

const ownerOf = ({ mode, uid, gid, mtime }: Owned) => ({ mode, uid, gid, ...(mtime === undefined ? {} : { mtime }) });

/** A directory and all that is in it, each directory before what it has. */
function* pathsBelow(tree: Tree, top: string): Generator<string> {
  const waiting = [top];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    yield path;
    if (tree.files.has(path) || tree.links.has(path)) continue;
    for (const name of [...tree.childrenOf(path)]) waiting.push(`${path}/${name}`);
  }
}
