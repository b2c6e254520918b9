import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileEntry, Tree } from '../../../../containers/tree.js';
import { blobName, INDEX, parseIndex } from './format.js';
import type { KeptEntries } from './write.js';

/**
 * Puts a kept volume into the tree at `at`, and says which content it has of each file. Returns the next number; 0: there is
 * no such volume. @throws Error when it is there and cannot be read
 */
export async function readVolume(tree: Tree, at: string, folder: string, entries: KeptEntries): Promise<number> {
  let text: string;
  try {
    text = await readFile(join(folder, INDEX), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  const index = parseIndex(text);
  const byBlob = new Map<number, FileEntry>();
  for (const entry of index.entries) {
    const path = at + entry.path;
    const { mode, uid, gid, mtime } = entry;
    const owned = { mode, uid, gid, ...(mtime === undefined ? {} : { mtime }) };
    if (entry.kind === 'directory') tree.directories.set(path, owned);
    else if (entry.kind === 'link') tree.links.set(path, { ...owned, target: entry.target });
    else {
      const known = byBlob.get(entry.blob);
      const file: FileEntry = known ?? { ...owned, content: await readFile(join(folder, blobName(entry.blob))) };
      byBlob.set(entry.blob, file);
      entries.set(file, { content: file.content, blob: entry.blob });
      tree.files.set(path, file);
    }
  }
  return index.next;
}
