import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KUBETTE, ROOT, run, type Finished } from '../support/up.js';

t.setTimeout(280_000);

const EXAMPLES = join(ROOT, 'examples/testing');
const TIMEOUT_MS = 200_000;
const isThere = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

const passes = (t: Test, { code, stdout, stderr }: Finished, sign: RegExp): void => {
  t.equal(code, 0, `it passes\n${stdout}\n${stderr}`);
  t.match(`${stdout}${stderr}`, sign, 'it has run');
};

t.test('node:test', async t => {
  const args = ['--test', join(EXAMPLES, 'node/web.test.mjs')];
  passes(t, await run(process.execPath, args, { cwd: ROOT, timeoutMs: TIMEOUT_MS }), /pass 2/);
});

t.test('tap', async t => {
  const args = [join(EXAMPLES, 'tap/web.test.mjs')];
  passes(t, await run(process.execPath, args, { cwd: ROOT, timeoutMs: TIMEOUT_MS }), /ok 1 - the web is there/);
});

t.test('pytest', async t => {
  if (!isThere('python3', '-m', 'pytest', '--version')) return t.comment('SKIPPED: there is no pytest');
  const env = { KUBETTE: `${process.execPath} ${KUBETTE}`, PYTHONDONTWRITEBYTECODE: '1' };
  const args = ['-m', 'pytest', '-p', 'no:cacheprovider', '-q'];
  passes(t, await run('python3', args, { cwd: join(EXAMPLES, 'pytest'), env, timeoutMs: TIMEOUT_MS }), /2 passed/);
});

t.test('go test', async t => {
  if (!isThere('go', 'version')) return t.comment('SKIPPED: there is no Go');
  const env = { KUBETTE: `${process.execPath} ${KUBETTE}` };
  const args = ['test', '-count=1', './...'];
  passes(t, await run('go', args, { cwd: join(EXAMPLES, 'go'), env, timeoutMs: TIMEOUT_MS }), /ok\s+example.com\/web/);
});

const FRAMEWORKS = [
  { name: 'vitest', wanted: 'vitest@3', command: ['vitest', 'run'], sign: /1 passed/ },
  { name: 'jest', wanted: 'jest@30', command: ['jest'], sign: /1 passed/ },
];

/** All at once, as npm's own time is most of it. undefined: as it should be. */
async function install(home: string): Promise<string | undefined> {
  const quickly = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline', '--fetch-retries=0'];
  const packages = FRAMEWORKS.map(({ wanted }) => wanted);
  const { code, stderr } = await run('npm', ['install', ...quickly, ...packages], { cwd: home, timeoutMs: TIMEOUT_MS });
  if (code !== 0) return stderr.trim();
  symlinkSync(ROOT, join(home, 'node_modules/kubette'));
  return undefined;
}

const home = t.testdir({ 'package.json': '{ "private": true, "type": "module" }' });
const problem = install(home);

for (const { name, command, sign } of FRAMEWORKS)
  t.test(name, async t => {
    const why = await problem;
    if (why !== undefined) return t.comment(`SKIPPED: ${name} cannot be installed: ${why}`);
    cpSync(join(EXAMPLES, 'web.yaml'), join(home, 'web.yaml'));
    cpSync(join(EXAMPLES, name), join(home, name), { recursive: true });
    const env = { NODE_OPTIONS: '--experimental-vm-modules', NO_COLOR: '1' };
    const [program = '', ...args] = command;
    const finished = await run(join(home, 'node_modules/.bin', program), args, {
      cwd: join(home, name),
      env,
      timeoutMs: TIMEOUT_MS,
    });
    passes(t, finished, sign);
    t.notMatch(finished.stderr, /did not exit|force exiting/i, 'nothing is left that keeps it');
  });
