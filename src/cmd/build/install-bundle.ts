import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What earlier builds consist of, the newest first. */
const BUILDS_FILE = 'builds.json';
/** A process imports parts of its build for as long as it runs: that many builds may come and go beside it. */
const KEPT_BUILDS = 12;
/** Read by npm: what belongs to earlier builds is not packed. */
const IGNORE_FILE = '.npmignore';

/**
 * Moves a finished bundle to where it is run from, under whatever runs from there: every file but the `entries` is named
 * for its content, so new ones come beside those of earlier builds, and the entries are replaced last, each in one step.
 */
export function installBundle(from: string, to: string, entries: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  const files = readdirSync(from).sort();
  const last = entries.map(name => `${name}.js`);
  for (const file of last) if (!files.includes(file)) throw new Error(`${from} has no ${file}`);
  const there = readdirSync(to);
  // What is there and in no list is of a build before lists were kept.
  const listed = readBuilds(to);
  const builds = listed.length > 0 ? listed : [there];
  const kept = [files, ...builds].slice(0, KEPT_BUILDS);
  for (const file of files) if (!last.includes(file)) renameSync(join(from, file), join(to, file));
  for (const file of last) renameSync(join(from, file), join(to, file));
  replace(join(to, BUILDS_FILE), JSON.stringify(kept));
  replace(join(to, IGNORE_FILE), ['*', ...files.map(file => `!${file}`), ''].join('\n'));
  const wanted = new Set([BUILDS_FILE, IGNORE_FILE, ...kept.flat()]);
  for (const file of there) if (!wanted.has(file)) rmSync(join(to, file), { recursive: true });
  rmSync(from, { recursive: true });
}

/** The files of the newest build; where there is none, its entries. */
export const installedBundle = (folder: string, entries: readonly string[]): readonly string[] => [
  BUILDS_FILE,
  IGNORE_FILE,
  ...(readBuilds(folder)[0] ?? entries.map(name => `${name}.js`)),
];

function replace(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

function readBuilds(folder: string): string[][] {
  try {
    return JSON.parse(readFileSync(join(folder, BUILDS_FILE), 'utf8')) as string[][];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return [];
    throw error;
  }
}
