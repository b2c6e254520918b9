import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { declarationOf, writeDeclarations } from '../../../../src/cmd/build/declarations.js';
import { ROOT } from '../../../support/root.js';

t.setTimeout(200_000);

/** What the compiler has against programs of somebody who has installed the package and nothing else, a line each. */
function problems(files: readonly string[]): string[] {
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    // AbortSignal is of the DOM, or of @types/node.
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${basename(file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
}

const USE = `import { Cluster, WaitError, type Trace } from 'kubette/testing';
import { globalSetup } from 'kubette/vitest';
import jest from 'kubette/jest';
import teardown from 'kubette/jest/teardown';
export default globalSetup({ nodes: 2 });
export const both: (() => Promise<void>)[] = [jest, teardown];
const cluster = await Cluster.create({ nodes: 2, crds: ['config/crd'] });
const objects = await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } });
export const names: (string | undefined)[] = objects.map(({ metadata }) => metadata?.name);
const trace: Trace = await cluster.trace('default/a', 'http://web', { count: 3 });
export const all: number = Object.values(trace.ends).reduce((a, b) => a + b, 0);
cluster.faults.next({ verb: 'patch', status: 429, times: 2 }).end();
export const hits: number[] = cluster.requests({ user: /^system:/ }).map(({ status }) => status);
export const isWait = (error: unknown): boolean => error instanceof WaitError && error.last !== undefined;
await using isolated = await Cluster.create({ isolate: true });
export const some: Promise<number> = isolated.faults.conflict().then(fault => fault.hits());
`;

t.test('a program that has only this package is checked against its types', async t => {
  const home = t.testdir({
    node_modules: { kubette: t.fixture('symlink', ROOT) },
    'right.mts': USE,
    'wrong.mts': "import { Cluster } from 'kubette/testing';\nawait Cluster.create({ node: 1 });\n",
    'inside.mts': "import 'kubette/cluster';\n",
  });
  const found = problems(['right.mts', 'wrong.mts', 'inside.mts'].map(file => join(home, file)));
  t.same(
    found.filter(text => !/^(wrong|inside)\.mts/.test(text)),
    [],
  );
  t.equal(found.length, 2);
  t.match(found.join('\n'), /wrong\.mts: .*'node' does not exist in type/);
  t.match(found.join('\n'), /inside\.mts: Cannot find module .*'kubette\/cluster'/);
});

t.test('what says nothing of its type is refused, as are types of other packages', async t => {
  const root = t.testdir();
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write(
    'src/testing/a.ts',
    "// from 'nowhere'\nexport type { B } from './b.js';\nimport { c } from 'c';\nexport const a: number = c;\n",
  );
  write('src/testing/b.ts', 'export interface B {\n  readonly b: string;\n}\n');
  await writeDeclarations(root, ['src/testing/a.ts']);
  t.match(readFileSync(join(root, declarationOf('src/testing/a.ts')), 'utf8'), 'export declare const a: number;');
  t.ok(existsSync(join(root, 'build/types/testing/b.d.ts')), 'what it names is written, too');
  write('src/testing/b.ts', "import type { B as Other } from 'b';\nexport interface B extends Other {}\n");
  await t.rejects(writeDeclarations(root, ['src/testing/a.ts']), {
    message: 'src/testing/b.ts: its types are of b, which nobody need have',
  });
  write('src/testing/b.ts', 'export interface B {}\nexport const b = Math.random() > 1 ? 1 : await 2;\n');
  await t.rejects(writeDeclarations(root, ['src/testing/a.ts']), { message: /explicit type annotation/ });
});
