import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, bundledFiles } from './bundle.js';
import { declarationOf, writeDeclarations } from './declarations.js';
import type { BuildStep } from './incremental.js';

/** What is installed, and what is to be. */
const INSTALLED = ['package.json', 'package-lock.json', 'node_modules/.package-lock.json'];
const BUILD_INFO = 'build/.tsbuildinfo';
const COMPILED = ['src', 'test'];

/** What package.json exports. */
const LIBRARY = ['index', 'vitest', 'jest', 'jest-teardown'].map(name => `src/testing/${name}.ts`);

/** tsc for everything, the documents that the API server gives out, and what is run from the modules of src/. */
export function buildSteps(root: string): readonly BuildStep[] {
  const under = (folder: string, wanted: RegExp): string[] => filesUnder(root, folder, wanted);
  const sources = (folder: string): string[] => under(folder, /\.(ts|json)$/);
  const compiled = (): string[] =>
    COMPILED.flatMap(sources)
      .filter(file => /(?<!\.d)\.ts$/.test(file))
      .map(file => join('build', file.replace(/ts$/, 'js')));
  return [
    {
      name: 'compile',
      title: 'compiling src and test',
      inputs: () => ['tsconfig.json', ...INSTALLED, ...COMPILED.flatMap(sources)],
      // tsc writes down what it wrote, so that this one tells of whoever else ran it.
      outputs: () => [BUILD_INFO, ...compiled()],
      async run() {
        const wanted = compiled();
        // tsc believes that what it has written is still there.
        if (!wanted.every(file => existsSync(join(root, file)))) rmSync(join(root, BUILD_INFO), { force: true });
        removeLeftOver(root, wanted);
        await runNode(root, [
          'node_modules/typescript-7/bin/tsc',
          '-p',
          '.',
          ...(process.stderr.isTTY ? ['--pretty'] : []),
        ]);
      },
    },
    {
      name: 'documents',
      title: 'writing the OpenAPI documents',
      inputs: () => [...INSTALLED, ...under('api-schemas', /./), ...['src/api', 'src/machinery'].flatMap(sources)],
      outputs: () => ['build/generated/openapi/hashes.json', ...under('build/generated', /./)],
      run: () => runNode(root, ['build/src/api/build/main.js']),
    },
    {
      name: 'bundle',
      title: 'joining the modules of each command',
      inputs: () => ['tsconfig.json', ...INSTALLED, ...sources('src')],
      outputs: () => bundledFiles(root),
      run: () => bundle(root),
    },
    {
      name: 'declarations',
      title: 'writing the types of the library for tests',
      inputs: () => [...INSTALLED, ...sources('src/testing'), ...sources('src/cmd/build')],
      outputs: () => [...LIBRARY.map(declarationOf), ...under('build/types', /./)],
      run: () => writeDeclarations(root, LIBRARY),
    },
  ];
}

/** Relative to the root; of a folder that is not there, none. */
function filesUnder(root: string, folder: string, wanted: RegExp): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && wanted.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** What was compiled from sources that are gone: nobody is to run it. */
function removeLeftOver(root: string, wanted: readonly string[]): void {
  const keep = new Set(wanted.flatMap(file => [file, `${file}.map`]));
  for (const folder of COMPILED)
    for (const file of filesUnder(root, join('build', folder), /\.js(\.map)?$/))
      if (!keep.has(file)) rmSync(join(root, file));
}

/** @throws Error with all that it printed, when it fails */
function runNode(root: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${output}${args.join(' ')}: ended with ${String(signal ?? code)}`));
    });
  });
}
