import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import type { Mutant } from './instrument.js';

interface Manifest {
  readonly files: readonly string[];
  /** When the files were changed that went into the bundle. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly mutants: readonly Mutant[];
}

/** What tests read beside the program. */
const LINKS = ['node_modules', 'package.json', 'src', 'api-schemas', 'docs'];

function furnish(repository: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'test'), { recursive: true });
  for (const part of LINKS) symlinkSync(join(repository, part), join(folder, part));
  for (const part of readdirSync(join(repository, 'test')).filter(name => name !== 'scores'))
    symlinkSync(join(repository, 'test', part), join(folder, 'test', part));
  // Tests write scores that have changed: those of a mutant are no scores.
  cpSync(join(repository, 'test/scores'), join(folder, 'test/scores'), { recursive: true });
}

const changedAt = (file: string): number => (existsSync(file) ? statSync(file).mtimeMs : -1);

/** The manifest of the last time, if it is still true. */
function lastTime(file: string, files: readonly string[]): Manifest | undefined {
  if (!existsSync(file)) return undefined;
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const isTrue =
    manifest.files.join() === files.join() &&
    Object.entries(manifest.inputs).every(([input, changed]) => changedAt(input) === changed);
  return isTrue ? manifest : undefined;
}

/**
 * Bundles the compiled tests into a folder that looks to them as the repository does: all mutants of the data plane wait in
 * it to be called, and `tap` is the fake one. What has not changed since the last time stays.
 */
export async function prepare(
  repository: string,
  folder: string,
  files: readonly string[],
): Promise<readonly Mutant[]> {
  const manifest = join(folder, 'mutants.json');
  const known = lastTime(manifest, files);
  if (known !== undefined) return known.mutants;
  furnish(repository, folder);
  const [{ build }, { instrument }] = await Promise.all([import('esbuild'), import('./instrument.js')]);
  const base = join(repository, 'build/src/dataplane');
  const paths = readdirSync(base, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js'));
  const mutants: Mutant[] = [];
  const texts = new Map<string, string>();
  for (const path of paths.sort()) {
    const source = readFileSync(join(base, path), 'utf8');
    const made = instrument(path, source, mutants.length, path.startsWith('proxiers/'));
    mutants.push(...made.mutants);
    texts.set(path, made.text);
  }
  const compiled = join(repository, 'build/test');
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: [...files.map(name => join(compiled, `${name}.test.js`)), join(compiled, 'mutate/worker.js')],
    outbase: join(repository, 'build'),
    outdir: join(folder, 'build'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    metafile: true,
    logLevel: 'warning',
    plugins: [
      {
        name: 'mutants',
        setup(bundler) {
          bundler.onResolve({ filter: /^tap$/ }, () => ({ path: 'tap', namespace: 'mutants' }));
          bundler.onLoad({ filter: /^tap$/, namespace: 'mutants' }, () => ({
            contents: "export { root as default } from './fake-tap.js';",
            resolveDir: join(compiled, 'mutate'),
          }));
          bundler.onLoad({ filter: /build.src.dataplane.*\.js$/ }, ({ path }) => {
            const contents = texts.get(relative(base, path));
            return contents === undefined ? undefined : { contents, loader: 'js' };
          });
        },
      },
    ],
  });
  const inputs = Object.fromEntries(
    Object.keys(metafile.inputs)
      .filter(name => !name.startsWith('mutants:'))
      .map(name => [join(repository, name), changedAt(join(repository, name))]),
  );
  writeFileSync(manifest, JSON.stringify({ files, inputs, mutants } satisfies Manifest));
  return mutants;
}
