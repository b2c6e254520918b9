import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { KUBETTE, run, startApiServer, type Finished } from '../support/up.js';

t.setTimeout(300_000);

const base = mkdtempSync(join(tmpdir(), 'kubette-e2e-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
const dataDir = join(base, 'data');

const store = (...args: string[]): Promise<Finished> =>
  run(process.execPath, [KUBETTE, 'store', ...args], { cwd: base, timeoutMs: 60_000 });

/** With files of at most so many blocks, as on a disk that is full. */
const storeWithin = (blocks: number, ...args: string[]): Promise<Finished> =>
  run(
    'bash',
    ['-c', `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`, 'bash', process.execPath, KUBETTE, 'store', ...args],
    {
      cwd: base,
      timeoutMs: 60_000,
    },
  );

t.test('commands of the store say what is wrong in one line, and leave nothing half-made', async t => {
  for (const driver of ['leveldb', 'memory']) {
    const server = await startApiServer(['--data-dir', dataDir, '--storage', driver]);
    for (const args of [['check'], ['repair'], ['defrag'], ['restore', 'none']]) {
      const { code, stderr } = await store(...args, '--data-dir', dataDir);
      t.equal(code, 1, args.join(' '));
      t.match(stderr, /^kubette store: data folder \S+ is in use by process \d+[^\n]*; stop it first[^\n]*\n$/);
    }
    const backup = await store('backup', driver, '--data-dir', dataDir);
    t.match(backup.stdout, /^\d+ objects as of revision \d+ in \w+ \(\d+ kB\)\n$/, backup.stderr);
    await server.stop();
  }
  mkdirSync(join(base, 'folder'));
  writeFileSync(join(base, 'text'), 'text\n');
  const whole = readFileSync(join(base, 'leveldb'), 'utf8');
  writeFileSync(join(base, 'cut'), whole.slice(0, whole.length / 2));
  const empty = join(base, 'empty');
  const rows: readonly { run: () => Promise<Finished>; says: RegExp }[] = [
    { run: () => store('check', '--data-dir', empty), says: /there is no store in \S+empty$/ },
    { run: () => store('backup', 'x', '--data-dir', empty), says: /there is no store in \S+empty$/ },
    { run: () => store('backup', 'folder', '--data-dir', dataDir), says: /folder: it is a folder$/ },
    { run: () => store('backup', 'no/where', '--data-dir', dataDir), says: /no such file or directory/ },
    { run: () => storeWithin(50, 'backup', 'x', '--data-dir', dataDir), says: /x: no space left on device$/ },
    { run: () => store('restore', 'none', '--data-dir', empty), says: /no such file or directory/ },
    { run: () => store('restore', 'folder', '--data-dir', empty), says: /folder: it is a folder$/ },
    { run: () => store('restore', 'text', '--data-dir', empty), says: /text: it is no backup of a store$/ },
    { run: () => store('restore', 'cut', '--data-dir', empty), says: /cut: (line \d+|it is cut off)/ },
    { run: () => storeWithin(50, 'restore', 'leveldb', '--data-dir', empty), says: /no space left on device$/ },
    {
      run: () => store('restore', 'leveldb', '--data-dir', dataDir),
      says: /there is a store in \S+; --force keeps it aside$/,
    },
  ];
  for (const { run: start, says } of rows) {
    const { code, stderr } = await start();
    t.equal(code, 1, stderr);
    t.match(stderr.trimEnd(), says);
    t.equal(stderr.trimEnd().split('\n').length, 1, 'in one line');
  }
  t.same(readdirSync(base).sort(), ['cut', 'data', 'empty', 'folder', 'leveldb', 'memory', 'text']);
  t.same(readdirSync(empty), ['lock']);
  const { code, stdout } = await store('check', '--data-dir', dataDir);
  t.equal(code, 0, stdout);
});
