import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** Not as one word: these lines are joined with a test, too, and would be taken for a place of their own. */
const META = ['import', 'meta'].join('.');
const OWN_PLACE = /import\.meta\.(url|dirname)\b/g;

/** What a module of `file` says of its own place is the place where it was before it was joined with others. */
function ownPlaces(root: string, outdir: string): Plugin {
  return {
    name: 'own-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/, namespace: 'file' }, ({ path }) => {
        if (!path.startsWith(join(root, '/')) || path.includes('/node_modules/')) return undefined;
        const text = readFileSync(path, 'utf8');
        if (!text.includes(`${META}.`)) return undefined;
        // Every file that is written lies in one folder, whatever it was made of.
        const url = `new URL(${JSON.stringify(relative(outdir, path))}, ${META}.url)`;
        const contents = text.replace(OWN_PLACE, (_whole, what) =>
          what === 'url' ? `${url}.href` : `__folderOf(__pathOf(${url}))`,
        );
        return { contents, loader: 'js', resolveDir: dirname(path) };
      });
    },
  };
}

/** What packages in the CommonJS form, and the places above, ask for. */
const BANNER = [
  `import { createRequire as __createRequire } from 'node:module';`,
  `import { dirname as __folderOf } from 'node:path';`,
  `import { fileURLToPath as __pathOf } from 'node:url';`,
  `const require = __createRequire(${META}.url);`,
].join('\n');

const compiled = (root: string, file: string): string => join(root, 'build', file.replace(/\.ts$/, '.js'));

/** "test/unit/a.test.ts" → "unit.a.test": entries lie beside each other. */
export const bundledName = (file: string): string =>
  file
    .replace(/^test\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '.');

/** Of this folder, as it was compiled. */
const ownModule = (name: string): string => join(import.meta.dirname, `${name}.js`);

/**
 * tap's three hundred modules as one, which is loaded in half the time. It lies in a folder of the name
 * that its packages have, as tap leaves those out of its stacks.
 */
async function bundleTap(root: string, folder: string): Promise<void> {
  const packages = join(folder, 'node_modules');
  const contents = `import t from 'tap';
import { blameTests } from ${JSON.stringify(ownModule('blame'))};
blameTests(t);
export * from 'tap';
export default t;`;
  await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    outfile: join(packages, '@tapjs/joined.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: BANNER },
    alias: { 'async-hook-domain': ownModule('no-domain') },
    logLevel: 'warning',
  });
  mkdirSync(join(packages, 'tap'));
  writeFileSync(join(packages, 'tap/package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
  const all = `'../@tapjs/joined.js'`;
  writeFileSync(join(packages, 'tap/index.js'), `export * from ${all};\nexport { default } from ${all};\n`);
}

/**
 * Joins the modules of compiled tests: a test file imports up to a thousand, which takes a process longer than most tests do.
 * What several import is a file that they share. `files` are sources relative to `root`;
 * what was compiled from them lies in `build`. `folder` is made anew.
 */
export async function bundleTests(root: string, files: readonly string[], folder: string): Promise<void> {
  const next = `${folder}.next`;
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: files.map(file => ({ in: compiled(root, file), out: bundledName(file) })),
    outdir: next,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    // tap is one for all (below); the others have parts that are no JavaScript, or are not there.
    external: ['tap', 'esbuild', 'typescript', 'classic-level', 'bufferutil', 'utf-8-validate'],
    banner: { js: BANNER },
    plugins: [ownPlaces(join(root, 'build'), next)],
    logLevel: 'warning',
  });
  await bundleTap(root, next);
  rmSync(folder, { recursive: true, force: true });
  renameSync(next, folder);
}
