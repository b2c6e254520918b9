import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildSteps } from '../../../../src/cmd/build/steps.js';
import { ROOT } from '../../../support/root.js';

// tsc runs six times.
t.setTimeout(120_000);

/** A repository of three modules; the step that compiles it. */
function repository(t: Test): { root: string; compile: () => Promise<void>; outputs: () => readonly string[] } {
  const root = t.testdir({
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...{
          target: 'ES2023',
          lib: ['ES2023'],
          module: 'nodenext',
          rootDir: '.',
          outDir: 'build',
          strict: true,
          types: [],
        },
        ...{ incremental: true, tsBuildInfoFile: 'build/.tsbuildinfo', sourceMap: true, skipLibCheck: true },
      },
      include: ['src', 'test'],
    }),
    'package.json': '{ "type": "module" }',
    node_modules: t.fixture('symlink', join(ROOT, 'node_modules')),
    src: { 'a.ts': 'export const a: number = 1;\n', inner: { 'b.ts': 'export const b = 2;\n' } },
    test: { 'c.ts': "import { a } from '../src/a.js';\nexport const c = a;\n", 'data.json': '{}' },
  });
  const step = buildSteps(root).find(({ name }) => name === 'compile');
  if (step === undefined) throw new Error('nothing compiles');
  return { root, compile: () => step.run(), outputs: () => step.outputs() };
}

t.test(
  'compiling: what is gone is gone from what was built, what is missing is made, what is wrong is told',
  async t => {
    const { root, compile, outputs } = repository(t);
    const built = (file: string): boolean => existsSync(join(root, 'build', file));
    await compile();
    t.same(outputs(), ['build/.tsbuildinfo', 'build/src/a.js', 'build/src/inner/b.js', 'build/test/c.js']);
    for (const file of outputs()) t.ok(existsSync(join(root, file)), file);

    rmSync(join(root, 'src/inner/b.ts'));
    await compile();
    t.notOk(built('src/inner/b.js') || built('src/inner/b.js.map'), 'of a source that is gone');

    rmSync(join(root, 'build/src/a.js'));
    await compile();
    t.ok(built('src/a.js'), 'tsc has not noticed that it was missing');

    writeFileSync(join(root, 'src/a.ts'), "export const a: number = 'one';\n");
    await t.rejects(compile(), { message: /src\/a\.ts\(1,14\): error TS2322: [^]*ended with [12]$/ });
    await t.rejects(compile(), { message: /TS2322/ }, 'nor is it forgotten');

    writeFileSync(join(root, 'src/a.ts'), 'export const a: number = 3;\n');
    await compile();
    t.match(readFileSync(join(root, 'build/src/a.js'), 'utf8'), 'a = 3');
  },
);

t.test('what each step depends on', async t => {
  const steps = new Map(buildSteps(ROOT).map(step => [step.name, step.inputs()]));
  const rows = [
    { name: 'src/cmd/kubette.ts', expect: ['compile', 'bundle'] },
    { name: 'src/api/openapi/documents.ts', expect: ['compile', 'documents', 'bundle'] },
    { name: 'src/machinery/clock.ts', expect: ['compile', 'documents', 'bundle'] },
    { name: 'test/support/root.ts', expect: ['compile'] },
    { name: 'api-schemas/core.v1.json', expect: ['documents'] },
    { name: 'package-lock.json', expect: ['compile', 'documents', 'bundle', 'declarations'] },
    { name: 'node_modules/.package-lock.json', expect: ['compile', 'documents', 'bundle', 'declarations'] },
    { name: 'tsconfig.json', expect: ['compile', 'bundle'] },
    { name: 'README.md', expect: [] },
  ];
  for (const { name, expect } of rows)
    t.same(
      [...steps].filter(([, inputs]) => inputs.includes(name)).map(([step]) => step),
      expect,
      name,
    );
});
