import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_PROBLEMS } from '../file-problems.js';

/** Where keys are kept, by file name. */
export interface KeyFiles {
  /** How messages call a file. */
  path(name: string): string;
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string, mode: number): Promise<void>;
}

export const keyFolder = (dir: string): KeyFiles => ({
  path: name => join(dir, name),
  read: name => readFileIfThere(join(dir, name)),
  write: (name, text, mode) => writeFileAtomic(join(dir, name), text, mode),
});

/** For a cluster that leaves nothing behind. */
export function keysInMemory(): KeyFiles {
  const texts = new Map<string, string>();
  return {
    path: name => name,
    read: name => Promise.resolve(texts.get(name)),
    write: (name, text) => Promise.resolve(void texts.set(name, text)),
  };
}

/** Writes a whole file or nothing: a crash in the middle leaves the old one. */
export async function writeFileAtomic(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    // Renaming over a folder is said in terms of the temporary name.
    if ((await stat(path).catch(() => undefined))?.isDirectory() === true)
      throw Object.assign(new Error(), { code: 'EISDIR' });
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError('written', path, error);
  }
}

/** Node's own messages often leave out which file it was. */
function fileError(what: 'read' | 'written', path: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return Object.assign(new Error(`${path} cannot be ${what}: ${FILE_PROBLEMS[code] ?? message}`, { cause: error }), {
    code,
  });
}

/** The file's text; undefined when there is none. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
}
