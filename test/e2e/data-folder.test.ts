import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { eventually, freePort, KUBETTE, run, startUp, type Finished } from '../support/up.js';

t.setTimeout(300_000);

const kubette = (...args: string[]): Promise<Finished> =>
  run(process.execPath, [KUBETTE, ...args], { timeoutMs: 60_000 });

/** Of all that clients and processes of the cluster use: kubeconfigs and keys. */
function fingerprint(dataDir: string): string {
  const hash = createHash('sha256');
  for (const file of (readdirSync(dataDir, { recursive: true }) as string[]).sort())
    if (/kubeconfig$|^pki/.test(file) && statSync(join(dataDir, file)).isFile())
      hash.update(file).update(readFileSync(join(dataDir, file)));
  return hash.digest('hex');
}

t.test('a second command on a folder in use changes nothing and says where the first one listens', async t => {
  const up = await startUp({ args: ['--nodes', '1'] });
  t.teardown(() => up.stop());
  const before = fingerprint(up.dataDir);
  const other = ['--data-dir', up.dataDir, '--secure-port', String(await freePort())];
  for (const args of [
    ['up', ...other],
    ['up', ...other, '--storage', 'memory', '--nodes', '2'],
    ['apiserver', ...other],
    ['apiserver', ...other, '--storage', 'memory', '--node-credentials', 'node-9'],
    ['apiserver', ...other, '--accept-data-loss'],
  ]) {
    const { code, stderr } = await kubette(...args);
    t.equal(code, 1, args.join(' '));
    t.match(stderr, new RegExp(`^kubette ${args[0] ?? ''}: data folder \\S+ is in use by process \\d+, [^\\n]*\\n$`));
    t.match(stderr, `listens on https://127.0.0.1:${up.port}`);
  }
  t.equal(fingerprint(up.dataDir), before);
  const agent = (await up.pids()).get('node-agent node-1') ?? 0;
  process.kill(agent, 'SIGKILL');
  await eventually(
    'the agent to come back',
    () => up.pids(),
    pids => pids.has('node-agent node-1') && pids.get('node-agent node-1') !== agent,
  );
  await up.ok('wait', '--for=condition=Ready', 'node/node-1', '--timeout=60s');
});

t.test('a damaged store is refused by name, and goes on with what is left when that is asked for', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-e2e-'));
  const args = ['--nodes', '0', '--controllers', '*,-scheduler'];
  const first = await startUp({ dataDir, args });
  await first.ok('create', 'configmap', 'kept', '--from-literal=a=1');
  await first.stop();
  const second = await startUp({ dataDir, args });
  await second.ok('create', 'configmap', 'lost', '--from-literal=a=1');
  await second.stop();
  const store = join(dataDir, 'store');
  for (const file of readdirSync(store)) if (file.endsWith('.log')) truncateSync(join(store, file), 0);
  const copy = `${dataDir}-copy`;
  cpSync(dataDir, copy, { recursive: true });
  for (const dir of [dataDir, copy]) {
    const { code, stderr } = await kubette('up', '--nodes', '0', '--data-dir', dir, '--secure-port', '0');
    t.equal(code, 1);
    t.match(stderr, /^kubette up: [^\n]* is damaged: revisions? [^\n]*missing[^\n]*--accept-data-loss[^\n]*\n$/);
  }
  const third = await startUp({ dataDir, args: [...args, '--accept-data-loss'] });
  t.teardown(() => third.stop());
  t.match(third.output(), /lost: revisions \d+ to \d+/);
  t.match(third.output(), /the folder as it was is in \S+store-damaged-1/);
  t.equal(await third.ok('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'), '1');
  t.match(await third.kubectl('get', 'configmap', 'lost'), { code: 1 });
});
