import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually, freePort, KUBETTE, run, startUp, type Finished } from '../support/up.js';

// The whole file, also when it is run by itself.
t.setTimeout(600_000);

const folder = (): string => mkdtempSync(join(tmpdir(), 'kubette-e2e-'));
const kubette = (...args: string[]): Promise<Finished> =>
  run(process.execPath, [KUBETTE, ...args], { timeoutMs: 30_000 });

/** One clear line, exit code 1, nothing of a stack. */
function refused(t: Test, result: Finished, says: RegExp): void {
  t.equal(result.code, 1, `exit code (stderr: ${result.stderr})`);
  const lines = result.stderr.trim().split('\n');
  t.equal(lines.length, 1, `one line: ${result.stderr}`);
  t.match(lines[0] ?? '', says);
}

t.test('what goes wrong at the start is said in one line', { timeout: 120_000 }, async t => {
  const port = String(await freePort());
  const taken = createServer();
  const busy = await new Promise<number>(resolve =>
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
  );
  t.teardown(() => taken.close());
  const file = join(folder(), 'a-file');
  writeFileSync(file, '');
  const damaged = folder();
  writeFileSync(join(damaged, 'tokens.csv'), 'only-a-token\n');
  const rows: { name: string; args: string[]; says: RegExp }[] = [
    {
      name: 'busy port',
      args: ['up', '--data-dir', folder(), '--secure-port', String(busy)],
      says: /address already in use|in use/,
    },
    { name: 'data folder is a file', args: ['up', '--data-dir', file, '--secure-port', port], says: /a-file/ },
    { name: 'bad flag', args: ['up', '--no-such-flag'], says: /no-such-flag.*kubette up --help/ },
    {
      name: 'bad number',
      args: ['up', '--nodes', 'many', '--data-dir', folder(), '--secure-port', port],
      says: /nodes/,
    },
    {
      name: 'bad storage',
      args: ['up', '--storage', 'tape', '--data-dir', folder(), '--secure-port', port],
      says: /storage/,
    },
    {
      name: 'unknown controller',
      args: ['up', '--nodes', '0', '--controllers', '*,-nope', '--data-dir', folder(), '--secure-port', port],
      says: /nope/,
    },
    {
      name: 'bad token file',
      args: [
        'apiserver',
        '--token-auth-file',
        join(damaged, 'tokens.csv'),
        '--data-dir',
        folder(),
        '--secure-port',
        port,
      ],
      says: /tokens\.csv|token/,
    },
    { name: 'unknown command', args: ['fly'], says: /fly/ },
    {
      name: 'a kubeconfig that is not there',
      args: ['controller-manager', '--kubeconfig', join(folder(), 'none')],
      says: /none/,
    },
  ];
  for (const { name, args, says } of rows) await t.test(name, async t => refused(t, await kubette(...args), says));

  await t.test(
    'folder that cannot be written',
    { skip: process.getuid?.() === 0 ? 'root may write anywhere' : false },
    async t => {
      const locked = folder();
      chmodSync(locked, 0o500);
      refused(t, await kubette('apiserver', '--data-dir', locked, '--secure-port', port), /permission|EACCES/i);
    },
  );
});

t.test('one folder, one server; Ctrl-C leaves nothing', { timeout: 120_000 }, async t => {
  const up = await startUp({ args: ['--nodes', '1'] });
  const pids = await up.pids();
  t.same([...pids.keys()].sort(), ['apiserver', 'controller-manager', 'dns', 'node-agent node-1']);
  refused(
    t,
    await kubette('apiserver', '--data-dir', up.dataDir, '--secure-port', '0'),
    /is in use by process \d+, which listens on/,
  );
  const uid = await up.ok('get', 'namespace', 'default', '-o', 'jsonpath={.metadata.uid}');
  t.equal(await up.stop(), 0);
  for (const [name, pid] of pids) t.throws(() => process.kill(pid, 0), `${name} is gone`);

  const again = await startUp({ dataDir: up.dataDir, args: ['--nodes', '1'] });
  t.equal(await again.ok('get', 'namespace', 'default', '-o', 'jsonpath={.metadata.uid}'), uid, 'state survives');
  const children = await again.pids();
  again.process.kill('SIGKILL');
  for (const [name, pid] of children)
    await eventually(
      `${name} to stop after its parent was killed`,
      async () => {
        try {
          process.kill(pid, 0);
          return true;
        } catch {
          return false;
        }
      },
      alive => !alive,
      10_000,
    );
});

t.test('kill -9 of any process in the middle of a rollout', { timeout: 300_000 }, async t => {
  const up = await startUp();
  t.teardown(() => up.stop());
  const shape = async (name: string): Promise<string> => {
    // While the API server is away, kubectl fails: that is a state, too.
    const read = (): Promise<string> => state().catch((error: unknown) => (error as Error).message);
    const state = async (): Promise<string> => {
      const pods = JSON.parse(await up.ok('get', 'pods', '-l', `app=${name}`, '-o', 'json')) as {
        items: {
          spec: { containers: { image: string }[] };
          status: { phase: string; podIP?: string; conditions?: { type: string; status: string }[] };
          metadata: { deletionTimestamp?: string };
        }[];
      };
      const slices = JSON.parse(
        await up.ok('get', 'endpointslices', '-l', `kubernetes.io/service-name=${name}`, '-o', 'json'),
      ) as { items: { endpoints: { addresses: string[]; conditions: { ready: boolean } }[] | null }[] };
      const sets = JSON.parse(await up.ok('get', 'replicasets', '-l', `app=${name}`, '-o', 'json')) as {
        items: { spec: { replicas: number } }[];
      };
      const ips = pods.items.map(pod => pod.status.podIP).sort();
      const ready = slices.items
        .flatMap(slice => slice.endpoints ?? [])
        .filter(e => e.conditions.ready)
        .map(e => e.addresses[0])
        .sort();
      return JSON.stringify({
        pods: pods.items.map(pod => [
          pod.spec.containers[0]?.image,
          pod.status.phase,
          pod.status.conditions?.find(c => c.type === 'Ready')?.status,
          pod.metadata.deletionTimestamp !== undefined,
        ]),
        endpointsAreThePods: JSON.stringify(ips) === JSON.stringify(ready),
        replicas: sets.items.map(set => set.spec.replicas).sort(),
      });
    };
    const settled = JSON.stringify({
      pods: Array.from({ length: 6 }, () => ['nginx:2', 'Running', 'True', false]),
      endpointsAreThePods: true,
      replicas: [0, 6],
    });
    return eventually(`${name} to settle`, read, text => text === settled, 120_000);
  };
  const rollout = async (name: string, kill?: string): Promise<string> => {
    await up.ok('create', 'deployment', name, '--image=nginx:1', '--replicas=6');
    await up.ok('expose', 'deployment', name, '--port=80');
    await up.ok('rollout', 'status', `deployment/${name}`, '--timeout=90s');
    await up.ok('set', 'image', `deployment/${name}`, 'nginx=nginx:2');
    if (kill !== undefined) {
      const pid = (await up.pids()).get(kill);
      t.ok(pid !== undefined, `${kill} runs`);
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
    return shape(name);
  };
  const undisturbed = await rollout('calm');
  for (const [i, victim] of ['controller-manager', 'node-agent node-2', 'apiserver', 'dns'].entries())
    await t.test(victim, async t => {
      const name = `storm-${i}`;
      t.equal(await rollout(name, victim), undisturbed);
      t.match(up.output(), new RegExp(`${victim} was ended by SIGKILL; starting it again`));
      await eventually(
        `${victim} to be back`,
        async () => [...(await up.pids()).keys()],
        names => names.includes(victim),
      );
      await up.ok('delete', 'deployment,service', name, '--wait=false');
    });
});
