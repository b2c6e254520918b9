import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What earlier builds consist of, the newest first. */
const BUILDS_FILE = 'builds.json';
/** A process imports parts of its build for as long as it runs: that many builds may come and go beside it. */
const KEPT_BUILDS = 12;
/** The one file whose name does not tell its content: what starts from now on starts with it. */
const ENTRY = 'kubette.js';

/**
 * Moves a finished bundle to where it is run from, under whatever runs from there: every other file is named for its
 * content, so new ones come beside those of earlier builds, and the entry is replaced last, in one step.
 */
export function installBundle(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const files = readdirSync(from).sort();
  if (!files.includes(ENTRY)) throw new Error(`${from} has no ${ENTRY}`);
  const there = readdirSync(to);
  // What is there and in no list is of a build before lists were kept.
  const listed = readBuilds(to);
  const builds = listed.length > 0 ? listed : [there];
  const kept = [files, ...builds].slice(0, KEPT_BUILDS);
  for (const file of files) if (file !== ENTRY) renameSync(join(from, file), join(to, file));
  renameSync(join(from, ENTRY), join(to, ENTRY));
  writeFileSync(join(to, `${BUILDS_FILE}.tmp`), JSON.stringify(kept));
  renameSync(join(to, `${BUILDS_FILE}.tmp`), join(to, BUILDS_FILE));
  const wanted = new Set([BUILDS_FILE, ...kept.flat()]);
  for (const file of there) if (!wanted.has(file)) rmSync(join(to, file), { recursive: true });
  rmSync(from, { recursive: true });
}

function readBuilds(folder: string): string[][] {
  try {
    return JSON.parse(readFileSync(join(folder, BUILDS_FILE), 'utf8')) as string[][];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return [];
    throw error;
  }
}
