import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest, type Manifest } from './manifest.js';
import { checkTable } from './table.js';

export const tableName = (number: number): string => `${String(number).padStart(6, '0')}.ldb`;
export const logName = (number: number): string => `${String(number).padStart(6, '0')}.log`;

/**
 * What is wrong with the files of a LevelDB folder; undefined when nothing is. Comes before LevelDB opens it, which
 * would go on without what it cannot read, and delete it. What the newest log holds is judged by what it leaves: see
 * the newest-revision file.
 */
export async function fileProblem(dir: string): Promise<string | undefined> {
  const problems = fileProblems(dir);
  try {
    return (await problems.next()).value;
  } finally {
    await problems.return(undefined);
  }
}

/** All that is wrong with them, one after the other. */
export async function* fileProblems(dir: string): AsyncGenerator<string, undefined> {
  const files = new Set(await readdir(dir));
  if (!files.has('CURRENT')) {
    const problem = headless(files);
    if (problem !== undefined) yield problem;
    return undefined;
  }
  const name = /^(MANIFEST-\d+)\n$/.exec(await readFile(join(dir, 'CURRENT'), 'latin1'))?.[1];
  if (name === undefined || !files.has(name)) {
    yield name === undefined ? 'file CURRENT does not name a manifest' : `file ${name} is missing`;
    return undefined;
  }
  let manifest: Manifest;
  try {
    manifest = readManifest(await readFile(join(dir, name)));
  } catch (error) {
    yield said(name, error);
    return undefined;
  }
  if (manifest.log !== 0 && !files.has(logName(manifest.log))) yield `file ${logName(manifest.log)} is missing`;
  const tables = [...manifest.tables].map(([number, { size }]) => ({ file: tableName(number), size }));
  for (const { file } of tables) if (!files.has(file)) yield `file ${file} is missing`;
  const present = tables.filter(({ file }) => files.has(file));
  for await (const { of, bytes } of contents(dir, present)) {
    const problem = tableProblem(of.file, bytes, of.size);
    if (problem !== undefined) yield problem;
  }
  return undefined;
}

/** What the files hold, one after the other: the next one is read from disk while the one before is looked at. */
async function* contents<T extends { readonly file: string }>(
  dir: string,
  files: readonly T[],
): AsyncGenerator<{ of: T; bytes: Buffer }> {
  const read = (of: T | undefined): Promise<Buffer> | undefined => of && readFile(join(dir, of.file));
  let ahead = read(files[0]);
  try {
    for (const [i, of] of files.entries()) {
      const bytes = await ahead;
      ahead = read(files[i + 1]);
      if (bytes !== undefined) yield { of, bytes };
    }
  } finally {
    // Who stopped at a problem has heard enough.
    await Promise.allSettled([ahead]);
  }
}

function tableProblem(table: string, bytes: Buffer, size?: number): string | undefined {
  if (size !== undefined && bytes.length !== size)
    return `file ${table} has ${bytes.length} bytes where it had ${size}`;
  try {
    checkTable(bytes);
    return undefined;
  } catch (error) {
    return said(table, error);
  }
}

/** @throws what is no finding about the bytes */
function said(file: string, error: unknown): string {
  if (!(error instanceof RangeError)) throw error;
  return `file ${file}: ${error.message}`;
}

const DATA_FILE = /^(MANIFEST-\d+|\d+\.(ldb|sst|log))$/;

/** LevelDB would start afresh over data whose CURRENT is gone; a first start that died at once leaves a MANIFEST-000001. */
function headless(files: ReadonlySet<string>): string | undefined {
  const data = [...files].some(file => DATA_FILE.test(file) && !/^MANIFEST-0*1$/.test(file));
  return data ? 'file CURRENT is missing' : undefined;
}
