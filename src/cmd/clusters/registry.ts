import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../cluster/keys/files.js';
import { compareText } from '../../machinery/compare-text.js';
import { stateHome, type Which } from './which.js';

/** Clusters of this machine's user, by their data folders: a file for each, so that two that start do not fight. */
const folder = (): string => join(stateHome(), 'clusters');
const fileOf = (dataDir: string): string =>
  join(folder(), `${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.json`);

export async function remember({ name, dataDir }: Which): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  await writeFileAtomic(fileOf(dataDir), `${JSON.stringify({ name, dataDir })}\n`, 0o600);
}

export const forget = (dataDir: string): Promise<void> => rm(fileOf(dataDir), { force: true });

/** All that were ever started, and whose folders are still there, by them. @throws Error naming the file that says nothing */
export async function clusters(): Promise<Which[]> {
  const found: Which[] = [];
  for (const file of await filesIn(folder())) {
    const { name, dataDir } = await read(join(folder(), file));
    if (existsSync(dataDir)) found.push({ name, dataDir });
    // Removed by hand, or with the folder around it.
    else await forget(dataDir);
  }
  return found.sort((a, b) => compareText(a.dataDir, b.dataDir));
}

async function read(path: string): Promise<Which> {
  try {
    const { name, dataDir } = JSON.parse(await readFile(path, 'utf8')) as Partial<Which>;
    if (typeof dataDir !== 'string') throw new Error('it names no folder');
    return { name, dataDir };
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function filesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter(name => name.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
