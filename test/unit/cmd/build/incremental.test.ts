import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type BuildStep, runSteps } from '../../../../src/cmd/build/incremental.js';
import { FakeClock } from '../../../../src/machinery/clock.js';

interface Tree {
  readonly root: string;
  /** Builds; the steps that ran. */
  build(): Promise<string[]>;
  /** What a step does beside its work. */
  during: Partial<Record<string, () => void>>;
}

/** Two steps: "compile" copies each file of src, "join" makes one file of those of lib, as they are compiled. */
function tree(t: Test): Tree {
  const root = t.testdir({ src: { 'a.ts': 'a', 'b.ts': 'b' }, lib: { 'l.ts': 'l' } });
  const listed = (folder: string): string[] => readdirSync(join(root, folder)).map(file => join(folder, file));
  const during: Tree['during'] = {};
  let ran: string[] = [];
  const step = (name: string, folders: string[], outputs: () => string[], work: () => void): BuildStep => ({
    name,
    title: name,
    inputs: () => folders.flatMap(listed),
    outputs,
    async run() {
      ran.push(name);
      work();
      during[name]?.();
    },
  });
  const compiled = (): string[] => ['src', 'lib'].flatMap(listed).map(file => join('out', file));
  const steps = [
    step('compile', ['src', 'lib'], compiled, () => {
      for (const folder of ['src', 'lib']) mkdirSync(join(root, 'out', folder), { recursive: true });
      for (const file of ['src', 'lib'].flatMap(listed)) writeFileSync(join(root, 'out', file), read(root, file));
    }),
    step(
      'join',
      ['lib'],
      () => ['out/joined'],
      () =>
        writeFileSync(
          join(root, 'out/joined'),
          listed('lib')
            .map(file => read(root, join('out', file)))
            .join(''),
        ),
    ),
  ];
  // Long after whatever is written here.
  const clock = new FakeClock(Date.now() + 3_600_000);
  return {
    root,
    during,
    async build() {
      ran = [];
      await runSteps(steps, { root, stateFile: join(root, 'out/state.json'), clock, write: () => undefined });
      return ran;
    },
  };
}

const read = (root: string, file: string): string => readFileSync(join(root, file), 'utf8');

const CHANGES: readonly { name: string; input: (root: string) => void; expect: readonly string[] }[] = [
  { name: 'nothing', input: () => undefined, expect: [] },
  { name: 'a source', input: root => appendFileSync(join(root, 'src/a.ts'), '+'), expect: ['compile'] },
  { name: 'a source of both', input: root => appendFileSync(join(root, 'lib/l.ts'), '+'), expect: ['compile', 'join'] },
  {
    name: 'a source, of the same size and with the time that it had',
    input: root => {
      const file = join(root, 'src/a.ts');
      const { atime, mtime } = statSync(file);
      writeFileSync(file, 'z');
      utimesSync(file, atime, mtime);
    },
    expect: ['compile'],
  },
  { name: 'the time of a source', input: root => utimesSync(join(root, 'src/a.ts'), 1, 1), expect: [] },
  { name: 'a source that is new', input: root => writeFileSync(join(root, 'src/c.ts'), ''), expect: ['compile'] },
  { name: 'a source that is gone', input: root => rmSync(join(root, 'src/b.ts')), expect: ['compile'] },
  {
    name: 'the name of a source',
    input: root => renameSync(join(root, 'lib/l.ts'), join(root, 'lib/k.ts')),
    expect: ['compile', 'join'],
  },
  {
    name: 'two sources that have become each other',
    input: root => {
      renameSync(join(root, 'src/a.ts'), join(root, 'x'));
      renameSync(join(root, 'src/b.ts'), join(root, 'src/a.ts'));
      renameSync(join(root, 'x'), join(root, 'src/b.ts'));
    },
    expect: ['compile'],
  },
  { name: 'an output that is gone', input: root => rmSync(join(root, 'out/joined')), expect: ['join'] },
  {
    name: 'an output that somebody wrote',
    input: root => writeFileSync(join(root, 'out/src/a.ts'), 'x'),
    expect: ['compile'],
  },
  { name: 'what is remembered', input: root => rmSync(join(root, 'out/state.json')), expect: ['compile', 'join'] },
  {
    name: 'half of what is remembered',
    input: root => writeFileSync(join(root, 'out/state.json'), '{"done":'),
    expect: ['compile', 'join'],
  },
];

t.test('what is built again when something has changed', async t => {
  for (const { name, input, expect } of CHANGES)
    await t.test(name, async t => {
      const { root, build } = tree(t);
      t.same(await build(), ['compile', 'join'], 'the first time');
      input(root);
      t.same(await build(), expect);
      t.same(await build(), [], 'then nothing');
      t.equal(
        read(root, 'out/joined'),
        readdirSync(join(root, 'lib'))
          .map(file => read(root, join('lib', file)))
          .join(''),
      );
    });
});

t.test('a step that failed is not done, nor is what comes after it', async t => {
  const { during, build } = tree(t);
  during['compile'] = () => {
    throw new Error('a type is wrong');
  };
  for (let time = 0; time < 2; time++) await t.rejects(build(), { message: 'a type is wrong' });
  during['compile'] = undefined;
  t.same(await build(), ['compile', 'join']);
});

t.test('a step that failed after it had succeeded is not done with what it was given then', async t => {
  const { root, during, build } = tree(t);
  await build();
  appendFileSync(join(root, 'src/a.ts'), '+');
  during['compile'] = () => {
    throw new Error('a type is wrong');
  };
  await t.rejects(build(), { message: 'a type is wrong' });
  during['compile'] = undefined;
  writeFileSync(join(root, 'src/a.ts'), 'a');
  t.same(await build(), ['compile'], 'it has written something of what failed');
});

t.test('sources that change while they are built are built again', async t => {
  const { root, during, build } = tree(t);
  during['compile'] = () => appendFileSync(join(root, 'lib/l.ts'), '+');
  await t.rejects(build(), { message: /sources changed while "compile" ran/ });
  during['compile'] = undefined;
  t.same(await build(), ['compile', 'join']);
  t.equal(read(root, 'out/joined'), 'l+');
});
