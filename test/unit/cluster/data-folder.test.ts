import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ensureDataFolder } from '../../../src/cluster/data-folder.js';
import { lockFolder } from '../../../src/cluster/folder-lock.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { ensurePki } from '../../../src/cluster/keys/pki.js';

t.jobs = 1;

t.test('--data-dir: what cannot be made ends in one line, whatever the path', async t => {
  const base = t.testdir({ file: '' });
  symlinkSync(join(base, 'nothing'), join(base, 'dangling'));
  symlinkSync(join(base, 'circle'), join(base, 'circle'));
  const rows: { name: string; path: string; says: RegExp; skip?: boolean }[] = [
    { name: 'empty', path: '', says: /"" cannot be used: it has no name/ },
    { name: 'NUL', path: `${base}/a\0b`, says: /\/a\\u0000b" cannot be used: its name has a NUL in it/ },
    { name: 'a file', path: join(base, 'file'), says: /it is no folder/ },
    { name: 'below a file', path: join(base, 'file', 'a', 'b'), says: /a part of its path is no folder/ },
    { name: 'a link to nothing', path: join(base, 'dangling'), says: /it is no folder/ },
    { name: 'below a link to nothing', path: join(base, 'dangling', 'a'), says: /it is no folder/ },
    { name: 'a circle', path: join(base, 'circle', 'a'), says: /its symbolic links lead in circles/ },
    { name: 'a long name', path: join(base, 'x'.repeat(300)), says: /its name is too long/ },
    { name: 'a long path', path: join(base, 'x/'.repeat(5_000)), says: /its name is too long/ },
    { name: 'a line feed', path: `${base}/file/a\nb`, says: /\/a\\nb" cannot be used/ },
    { name: '/proc', path: '/proc/x/y', says: /it cannot be made there/, skip: process.platform !== 'linux' },
    { name: 'a device', path: '/dev/null/x', says: /a part of its path is no folder/ },
  ];
  for (const { name, path, says, skip = false } of rows)
    await t.test(name, { skip }, async t => {
      const error = await ensureDataFolder(path).then(
        () => new Error('made'),
        (e: unknown) => e as Error,
      );
      t.match(error.message, says);
      t.notMatch(error.message, '\n');
      t.ok(error.message.length < 500);
    });
  for (const path of [join(base, 'a/b/c'), join(base, 'a/b/c'), base]) await ensureDataFolder(path);
  symlinkSync(join(base, 'a'), join(base, 'good'));
  await ensureDataFolder(join(base, 'good', 'd'));
  t.same(readdirSync(join(base, 'a')).sort(), ['b', 'd']);
});

t.test('a folder in use is refused before anything in it is written, with where the other one listens', async t => {
  const dir = t.testdir();
  const lock = await lockFolder(dir);
  await t.rejects(lockFolder(dir), { code: 'locked', message: new RegExp(`in use by process ${process.pid};`) });
  await lock.serving('https://127.0.0.1:6443');
  const message = new RegExp(`${dir} is in use by process ${process.pid}, which listens on https://127.0.0.1:6443; `);
  await t.rejects(lockFolder(dir), { code: 'locked', message });
  rmSync(join(dir, 'lock', 'holder'));
  await t.rejects(lockFolder(dir), { code: 'locked', message: /in use by another process;/ });
  await lock.release();
  await (await lockFolder(dir)).release();
});

t.test('a process that was killed lets go of its folder', async t => {
  const dir = t.testdir();
  const extension = import.meta.url.slice(-2);
  const lockModule = new URL(`../../../src/cluster/folder-lock.${extension}`, import.meta.url).href;
  const script = `const { lockFolder } = await import(${JSON.stringify(lockModule)});
    await lockFolder(${JSON.stringify(dir)}); console.log('locked'); setInterval(() => undefined, 1000);`;
  const loader = extension === 'ts' ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await t.rejects(lockFolder(dir), { message: new RegExp(`process ${child.pid ?? 0}`) });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await lockFolder(dir)).release();
});

t.test('a lock folder that is damaged mends itself', async t => {
  const dir = t.testdir();
  const harms: ((lock: string) => void)[] = [
    lock => rmSync(join(lock, 'CURRENT')),
    lock => writeFileSync(join(lock, 'CURRENT'), 'nonsense'),
    lock => readdirSync(lock).forEach(file => writeFileSync(join(lock, file), '')),
    lock => readdirSync(lock).forEach(file => file.startsWith('MANIFEST') && rmSync(join(lock, file))),
    lock => rmSync(lock, { recursive: true }),
  ];
  for (const harm of harms) {
    await (await lockFolder(dir)).release();
    harm(join(dir, 'lock'));
    const lock = await lockFolder(dir);
    await t.rejects(lockFolder(dir), { code: 'locked' });
    await lock.release();
  }
});

t.test('keys that cannot be used say why', async t => {
  const clock = new FakeClock();
  const begun = clock.now();
  const dir = t.testdir();
  await ensurePki(dir, { clock });
  const pki = join(dir, 'pki');
  const keep = new Map(readdirSync(pki).map(file => [file, readFileSync(join(pki, file), 'utf8')]));
  const day = 86_400_000;
  const rows: { name: string; shift?: number; harm?: () => void; says: RegExp }[] = [
    {
      name: 'clock before their start',
      shift: -10 * day,
      says: /ca\.crt and \S+ca\.key are not yet valid: they begin at \S+Z, and the clock says \S+Z$/,
    },
    { name: 'clock after their end', shift: 4_000 * day, says: /ca\.key have expired: they ended at / },
    {
      name: 'service account key gone',
      harm: () => rmSync(join(pki, 'sa.key')),
      says: /sa\.key is missing, and \S+sa\.pub is there: the keys are damaged/,
    },
    {
      name: 'public key of another',
      harm: () => writeFileSync(join(pki, 'sa.pub'), (keep.get('sa.pub') ?? '').replace(/[a-f]/, 'z')),
      says: /sa\.key is damaged: it does not belong to \S+sa\.pub; one of them is damaged/,
    },
    {
      name: 'a certificate with a flipped bit',
      harm: () => {
        const lines = (keep.get('ca.crt') ?? '').split('\n');
        const last = lines.length - 3;
        lines[last] = (lines[last] ?? '').replace(/[A-M]/, 'Z');
        writeFileSync(join(pki, 'ca.crt'), lines.join('\n'));
      },
      says: /ca\.key are damaged: /,
    },
    {
      name: 'a folder where a key belongs',
      harm: () => {
        rmSync(join(pki, 'ca.key'));
        mkdirSync(join(pki, 'ca.key'));
      },
      says: /ca\.key cannot be read: it is a folder/,
    },
  ];
  for (const { name, shift = 0, harm, says } of rows)
    await t.test(name, async t => {
      rmSync(pki, { recursive: true });
      mkdirSync(pki);
      for (const [file, text] of keep) writeFileSync(join(pki, file), text);
      harm?.();
      const error = await ensurePki(dir, { clock: new FakeClock(begun + shift) }).then(
        () => new Error('taken'),
        (e: unknown) => e as Error,
      );
      t.match(error.message, says);
    });
});
