import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '../support/root.js';
import { type BuildInfo, lintKeys, textHash } from './keys.js';

/*
 * eslint, which takes a minute for everything because its rules ask for types, on the files about which it may say something
 * new since it found nothing. Its own cache knows the file only, not the types that it imports.
 */
const PASSED = join(ROOT, 'build/lint-passed.json');
const FOLDERS = ['src', 'test'];
const OF_ALL = ['eslint.config.js', 'tsconfig.json', 'package-lock.json'];

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}

const info = readJson(join(ROOT, 'build/.tsbuildinfo')) as Partial<BuildInfo>;
const known = lintKeys(
  info,
  OF_ALL.map(file => readFileSync(join(ROOT, file), 'utf8')),
);
const keys = new Map([...known].map(([name, key]) => [relative(ROOT, join(ROOT, 'build', name)), key]));
const passed = readJson(PASSED) as Readonly<Record<string, string>>;
const found: Record<string, string> = {};
const wanted: string[] = [];
for (const folder of FOLDERS)
  for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
    if (!/\.[cm]?[jt]sx?$/.test(name) || name.includes('node_modules/')) continue;
    const file = join(folder, name);
    const compiled = keys.get(file);
    // What was not compiled as it is now is looked at, and not remembered.
    const current = compiled?.version === textHash(readFileSync(join(ROOT, file), 'utf8')) ? compiled.key : undefined;
    if (current !== undefined) found[file] = current;
    if (current === undefined || current !== passed[file]) wanted.push(file);
  }

if (wanted.length > 0) {
  const eslint = join(ROOT, 'node_modules/.bin/eslint');
  const { status } = spawnSync(eslint, ['--', ...wanted], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
writeFileSync(PASSED, JSON.stringify(found));
console.log(`eslint: ${wanted.length} files looked at, ${Object.keys(found).length} remembered`);
