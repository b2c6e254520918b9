import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { bundleTests } from '../run/bundle.js';
import { takenOf } from '../run/cpu-time.js';
import { inLanes, inRows, longestFirst } from '../run/in-lanes.js';
import { nameSources } from '../run/places.js';
import { problemOf, runTestFile } from '../run/test-file.js';
import { ROOT } from '../support/root.js';

t.test('what a finished test file lacks', async t => {
  const rows = [
    { name: 'nothing', output: 'ok 1 - a\nok 2 - b # SKIP c\n1..2\n', exit: 0, expect: undefined },
    { name: 'nothing, what is to be done', output: 'not ok 1 - a # TODO b\n1..1\n', exit: 0, expect: undefined },
    { name: 'nothing, it skips itself', output: '1..0 # SKIP no such machine\n', exit: 0, expect: undefined },
    { name: 'an exit code', output: 'ok 1 - a\n1..1\n', exit: 1, expect: 'exitCode: 1' },
    { name: 'an end of its own', output: 'ok 1 - a\n1..1\n', exit: 'SIGKILL', expect: 'signal: SIGKILL' },
    { name: 'its end', output: 'ok 1 - a\n    1..1\n', exit: 0, expect: 'it ended without a plan' },
    { name: 'a test', output: 'ok 1 - a\n1..2\n', exit: 0, expect: '1 results of a plan of 2' },
    { name: 'success', output: 'ok 1 - a\nnot ok 2 - b\n1..2\n', exit: 0, expect: 'a test failed' },
    { name: 'all tests', output: '1..0\n', exit: 0, expect: 'it has no tests' },
  ];
  for (const { name, output, exit, expect } of rows) t.equal(problemOf(output, exit), expect, name);
});

t.test('each row has its files in order, the rest is for whoever is free', async t => {
  t.same(inRows(['a1', 'b1', 'c', 'a2', 'ab'], [/a/, /b/]), { rows: [['a1', 'a2', 'ab'], ['b1']], others: ['c'] });
  t.same(inRows(['a'], []), { rows: [], others: ['a'] });
});

const { signal } = new AbortController();

t.test('a test file whose event loop stands still is killed, one that prints is not', async t => {
  const folder = t.testdir({
    'still.mjs': `process.stdout.write('ok 1 - a\\n', () => { for (;;); });`,
    'lively.mjs': `let n = 0; const all = setInterval(() => { console.log('ok ' + ++n); if (n === 20) { clearInterval(all); console.log('1..20'); } }, 20);`,
  });
  const still = await runTestFile(join(folder, 'still.mjs'), { timeoutSeconds: 30, silenceMs: 2_000, signal });
  t.equal(still.problem, 'it printed nothing for 2000 ms');
  t.equal(still.output, 'ok 1 - a\n');
  const lively = await runTestFile(join(folder, 'lively.mjs'), { timeoutSeconds: 30, silenceMs: 20_000, signal });
  t.equal(lively.problem, undefined);
  const ended = new AbortController();
  const running = runTestFile(join(folder, 'still.mjs'), {
    timeoutSeconds: 30,
    silenceMs: 60_000,
    signal: ended.signal,
  });
  ended.abort();
  t.not((await running).problem, undefined, 'nor does one outlive the run');
});

t.test('what a test file took of the processors is counted with what it has started', async t => {
  t.equal(takenOf('7 (a (b) c) S 1 7 7 0 -1 4194304 1 2 3 4 10 20 300 4000 20 0 1'), 43_300);
  const folder = t.testdir({
    'dear.mjs': `import { spawnSync } from 'node:child_process';
      const busy = 'const { user } = process.cpuUsage(); while (process.cpuUsage().user - user < 400_000);';
      spawnSync(process.execPath, ['-e', busy]);
      console.log('ok 1\\n1..1');`,
  });
  const limits = { timeoutSeconds: 30, silenceMs: 60_000, signal };
  const { problem, cpuMilliseconds } = await runTestFile(join(folder, 'dear.mjs'), limits);
  t.equal(problem, undefined);
  t.ok(cpuMilliseconds >= (existsSync('/proc/self/stat') ? 390 : 1), `${cpuMilliseconds} ms`);
});

t.test('so many at a time, what took longest first, what is not known before it', async t => {
  t.same(longestFirst(['a', 'b', 'c', 'd'], { a: 1, b: 3 }), ['c', 'd', 'b', 'a']);
  const running = new Set<string>();
  const begun: string[] = [];
  let most = 0;
  await inLanes(['a', 'b', 'c', 'd', 'e'], 2, async item => {
    begun.push(item);
    running.add(item);
    most = Math.max(most, running.size);
    await new Promise(setImmediate);
    running.delete(item);
  });
  t.same(begun, ['a', 'b', 'c', 'd', 'e']);
  t.equal(most, 2);
});

t.test(
  'an error that nobody catches is one of the innermost test that runs; after the last one it ends the process',
  async t => {
    const folder = t.testdir({
      'blame.mjs': `
      const { blameTests } = await import(process.argv[2]);
      const test = (name, start, ...running) => ({
        start, activeSubtests: new Set(running), hookDomain: { onerror: ({ message }, type) => console.log(name, message, type) },
      });
      const root = test('root', 1n, test('first', 2n), test('last', 3n, { ...test('ended', 4n), results: {} }, test('inner', 4n)));
      blameTests(root);
      setTimeout(() => { throw new Error('thrown'); });
      setTimeout(() => Promise.reject(new Error('rejected')), 20);
      setTimeout(() => { root.activeSubtests.clear(); throw new Error('between'); }, 40);
      setTimeout(() => { root.results = {}; throw new Error('after all'); }, 60);`,
    });
    const blame = pathToFileURL(join(ROOT, 'build/test/run/blame.js')).href;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'blame.mjs'), blame], {
      encoding: 'utf8',
    });
    t.same(stdout.trim().split('\n'), [
      'inner thrown uncaughtException',
      'inner rejected unhandledRejection',
      'root between uncaughtException',
    ]);
    t.equal(status, 1);
    t.match(stderr, /Error: after all/);
  },
);

/** Not as one word: the runner that joins this file, too, writes places in its stead. */
const META = ['import', 'meta'].join('.');

/** Two tests that share a module, as the compiler leaves them. */
const project = {
  'package.json': '{"type":"module"}',
  node_modules: { tap: { 'package.json': '{"type":"module","exports":"./tap.js"}', 'tap.js': 'export default 1;' } },
  build: {
    src: { deep: { 'shared.js': `export const [at, within] = [${META}.url, ${META}.dirname];` } },
    test: {
      unit: {
        'a.test.js': `import { at, within } from '../../src/deep/shared.js';\nconsole.log(at, within, ${META}.url);`,
        'b.test.js': `import { at } from '../../src/deep/shared.js';\n\nexport const b = at;\n throw new Error('in b');`,
      },
    },
  },
};

t.test('joined modules know where they were, and failures name the sources', async t => {
  const root = t.testdir(project);
  const joined = join(root, 'build/joined');
  await bundleTests(root, ['test/unit/a.test.ts', 'test/unit/b.test.ts'], joined);
  const limits = { timeoutSeconds: 30, silenceMs: 60_000, signal };
  const { output } = await runTestFile(join(joined, 'unit.a.test.js'), limits);
  const deep = join(root, 'build/src/deep');
  t.equal(output, `file://${deep}/shared.js ${deep} file://${join(root, 'build/test/unit/a.test.js')}\n`);
  t.notOk(existsSync(`${joined}.next`));

  const text = readFileSync(join(joined, 'unit.b.test.js'), 'utf8').split('\n');
  const line = text.findIndex(each => each.includes('throw new Error')) + 1;
  const place = `build/joined/unit.b.test.js`;
  t.equal(
    nameSources(
      `    f (${place}:${line}:1)\n    fileName: ${place}\n    lineNumber: ${line}\n    columnNumber: 1\n`,
      joined,
      root,
    ),
    '    f (build/test/unit/b.test.js:4:2)\n    fileName: build/test/unit/b.test.js\n    lineNumber: 4\n    columnNumber: 2\n',
  );
  t.equal(nameSources('build/other.js:1:1', joined, root), 'build/other.js:1:1', 'what is not joined stays');
  await bundleTests(root, ['test/unit/b.test.ts'], joined);
  t.notOk(existsSync(join(joined, 'unit.a.test.js')), 'what is no test any more is gone');
});
