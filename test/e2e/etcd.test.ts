import { readFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ClusterRecord } from '../../src/cmd/clusters/record.js';
import type { KubeObject, Lease, Pod, Service } from '../../src/machinery/types.js';
import { etcdBinaries } from '../support/etcd.js';
import { claimsOf, startLoad, type Load } from '../support/shared-store-load.js';
import { eventually, KUBETTE, run, startUp, type RunningUp } from '../support/up.js';

t.jobs = 1;
t.setTimeout(600_000);

const skip = etcdBinaries().length === 0 && 'etcd is not installed';
const PATIENCE_MS = 120_000;

const listed = async <T extends KubeObject>(up: RunningUp, ...args: string[]): Promise<T[]> =>
  (JSON.parse(await up.ok('get', '-o', 'json', ...args)) as { items: T[] }).items;

const processes = async ({ dataDir }: RunningUp): Promise<ClusterRecord['components']> =>
  (JSON.parse(await readFile(join(dataDir, 'up.json'), 'utf8')) as ClusterRecord).components;

const holder = async (up: RunningUp): Promise<string> =>
  (JSON.parse(await up.ok('get', 'lease', '-n', 'kube-system', 'kube-controller-manager', '-o', 'json')) as Lease).spec
    ?.holderIdentity ?? '';

/** Kills a process as hard as can be, and waits until there is another one of its name. */
async function kill(up: RunningUp, name: string): Promise<void> {
  const pid = (await processes(up))[name] ?? 0;
  process.kill(pid, 'SIGKILL');
  const is = async (): Promise<number> => (await processes(up))[name] ?? 0;
  await eventually(`another ${name}`, is, now => now !== 0 && now !== pid, PATIENCE_MS);
}

const goesOn = async (load: Load, by = 100): Promise<void> => {
  const before = load.answers();
  await eventually(
    'the load goes on',
    async () => load.answers() - before,
    done => done >= by,
    PATIENCE_MS,
  );
};

t.test('one of each is killed in turn under load: nothing is lost or doubled', { skip }, async t => {
  const up = await startUp({
    args: ['--storage', 'etcd', '--apiservers', '2', '--controller-managers', '2', '--nodes', '1', '--no-ingress'],
  });
  t.teardown(async () => {
    await up.stop();
    rmSync(up.dataDir, { recursive: true, force: true });
  });
  t.match(up.output(), /etcd +https:\/\/127\.0\.0\.1:\d+\n/);
  t.match(up.output(), /API server +https:\/\/127\.0\.0\.1:\d+ before 2 of them\n/);
  const began = await processes(up);
  t.same(
    Object.keys(began)
      .filter(name => !name.startsWith('node-agent'))
      .sort(),
    ['apiserver', 'apiserver-2', 'controller-manager', 'controller-manager-2', 'dns', 'etcd'],
  );

  await up.ok('create', 'deployment', 'web', '--image=nginx', '--replicas=3');
  const load = await startLoad(join(up.dataDir, 'kubeconfig'), 6);
  await goesOn(load);
  for (const name of ['apiserver', 'apiserver-2']) {
    await kill(up, name);
    await goesOn(load);
  }
  const first = await holder(up);
  await up.ok('scale', 'deployment', 'web', '--replicas=5');
  for (const name of ['controller-manager', 'controller-manager-2']) {
    await kill(up, name);
    await goesOn(load, 20);
  }
  const second = await eventually(
    'another leader',
    () => holder(up),
    now => !['', first].includes(now),
    PATIENCE_MS,
  );
  t.not(second, first, 'the Lease has another holder');

  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', String((await processes(up))['etcd'])]);
  const etcd = /^\s*(\d+) etcd$/m.exec(stdout)?.[1];
  const errors = load.errors();
  process.kill(Number(etcd), 'SIGKILL');
  await eventually(
    'they are told',
    async () => load.errors(),
    now => now > errors,
    PATIENCE_MS,
  );
  await goesOn(load);
  await up.ok('scale', 'deployment', 'web', '--replicas=4');
  await load.stop();
  t.comment(`${load.answers()} answers, ${load.errors()} errors, ${load.held.size} Services held`);

  const maps = new Map(
    (await listed(up, 'configmaps')).map(({ metadata, data }) => [
      metadata.name,
      Number((data as { value?: string })?.value),
    ]),
  );
  for (const [name, { acknowledged, tried }] of load.values) {
    const value = maps.get(name) ?? -1;
    t.ok(value >= acknowledged && value <= tried, `${name}: ${acknowledged} <= ${value} <= ${tried}`);
  }
  const services = await listed<Service>(up, 'services', '-A');
  const uids = new Map(services.map(({ metadata }) => [metadata.name, metadata.uid]));
  t.same(
    [...load.held].filter(([name, { uid }]) => uids.get(name) !== uid),
    [],
    'every Service that was answered is there, and the same',
  );
  t.same(load.twice, [], 'no value was anybody else’s while it was held');
  const claims = services.flatMap(claimsOf);
  t.equal(new Set(claims).size, claims.length, 'every value has one holder');
  const addresses = (await listed(up, 'ipaddresses')).map(({ metadata }) => metadata.name ?? '').sort();
  const clusterIps = claims.filter(claim => !claim.startsWith('port ') && claim !== 'None').sort();
  t.same(addresses, clusterIps, 'IPAddresses are those of the Services');

  const pods = (): Promise<Pod[]> => listed<Pod>(up, 'pods', '-l', 'app=web');
  const ready = await eventually(
    'the Deployment is as it was asked for',
    pods,
    all => all.length === 4 && all.every(({ status }) => status?.phase === 'Running'),
    PATIENCE_MS,
  );
  t.equal(ready.length, 4);
  t.equal((await listed(up, 'replicasets', '-l', 'app=web')).length, 1);
});

t.test('up says what it cannot start', async t => {
  const folder = t.testdir();
  const rows: { name: string; args: string[]; path?: string; expect: string }[] = [
    {
      name: 'several servers over a folder',
      args: ['--apiservers', '2'],
      expect: '--apiservers 2 wants --storage etcd: leveldb is for one server',
    },
    {
      name: 'no etcd',
      args: ['--storage', 'etcd'],
      path: '/nowhere',
      expect: '--storage etcd wants --etcd-servers, or an etcd in $PATH that it can start itself',
    },
    {
      name: 'keys for nobody',
      args: ['--storage', 'etcd', '--etcd-cafile', 'x'],
      expect: '--etcd-cafile goes with --etcd-servers',
    },
    {
      name: 'an etcd that is not there',
      args: ['--storage', 'etcd', '--etcd-servers', 'http://127.0.0.1:1'],
      expect: 'cannot reach etcd: http://127.0.0.1:1: connection refused',
    },
  ];
  for (const { name, args, path, expect } of rows)
    await t.test(name, async t => {
      const given = ['up', '--data-dir', join(folder, 'data'), '--secure-port', '0', '--nodes', '0', ...args];
      const env = path === undefined ? {} : { PATH: path };
      const { code, stderr } = await run(process.execPath, [KUBETTE, ...given], { env });
      t.same([code, stderr], [1, `kubette up: ${expect}\n`]);
    });
});
