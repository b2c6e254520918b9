import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installBundle, installedBundle } from './install-bundle.js';
import { noticeOf } from './notice.js';

const TO = 'build/dist';
const NEXT = 'build/dist.next';
/** What of others is in the bundle; NOTICE is a copy. */
export const NOTICE_FILE = 'build/NOTICE';

/**
 * What is started by its name, with the compiled module it is made of. Everything else is named for its content and shared
 * between them.
 */
const ENTRIES: Readonly<Record<string, string>> = {
  kubette: 'build/src/cmd/kubette.js',
  testing: 'build/src/testing/index.js',
  vitest: 'build/src/testing/vitest.js',
  jest: 'build/src/testing/jest.js',
  'jest-teardown': 'build/src/testing/jest-teardown.js',
};

/** Not JavaScript only, or not there: these are asked for when they are needed. */
const EXTERNAL = ['classic-level', 'bufferutil', 'utf-8-validate'];

/** What packages in the CommonJS form ask for. Not as one word: a test of this module is joined, too, which replaces it. */
const BANNER = `import{createRequire as r}from'node:module';const require=r(${['import', 'meta'].join('.')}.url);`;

/** The files that the bundle consists of. */
export const bundledFiles = (root: string): readonly string[] => [
  NOTICE_FILE,
  ...installedBundle(join(root, TO), Object.keys(ENTRIES)).map(file => join(TO, file)),
];

/** Joins the modules of each command, and of what others import: a process starts in half the time. */
export async function bundle(root: string): Promise<void> {
  const { build } = await import('esbuild');
  rmSync(join(root, NEXT), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outdir: NEXT,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Names stay as they are, errors print them. What is left out V8 need not keep, about a megabyte of each process.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    external: EXTERNAL,
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(root, NOTICE_FILE), noticeOf(root, metafile));
  installBundle(join(root, NEXT), join(root, TO), Object.keys(ENTRIES));
}
