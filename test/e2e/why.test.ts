import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually, KUBETTE, ROOT, run, startUp, type Finished } from '../support/up.js';

/* What somebody types who does not know why something does not work, against a cluster of processes. */
t.setTimeout(600_000);

const MANIFEST = readFileSync(join(ROOT, 'test/fixtures/why.yaml'), 'utf8');

interface Row {
  readonly input: string;
  readonly code: number;
  /** In the first line of what it prints. */
  readonly expect: RegExp;
  /** In a line below. */
  readonly also?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    input: 'svc/ok',
    code: 0,
    expect: /^works: pod default\/app-\S+ \(10\.244\.\d+\.\d+:80\) answers HTTP 200 \(asked by node node-1\)$/,
  },
  { input: 'http://ok --from client', code: 0, expect: /^works: .*\(asked by pod default\/client\)$/ },
  { input: 'svc/ok --from deploy/app', code: 0, expect: /^works: .*\(asked by pod default\/app-/ },
  { input: 'deploy/app', code: 0, expect: /^works: Deployment default\/app has 2 of 2 Pods Ready$/ },
  {
    input: 'pod/client',
    code: 0,
    expect: /^works: Pod default\/client is Ready on node-\d/,
    also: /it listens on no TCP port/,
  },
  {
    input: 'pod/one',
    code: 0,
    expect: /^works: Pod default\/one is Ready on node-2 \(\S+\) and takes connections on 80$/,
  },
  { input: 'svc/kube-dns -n kube-system', code: 0, expect: /^works: port 53\/UDP: the host answers with \d+ bytes/ },
  {
    input: 'svc/typo',
    code: 1,
    expect: /^Service default\/typo: selector app=ap matches no Pod \(app=app would match 2\)$/,
    also: /kubectl set selector svc\/typo -n default app=app/,
  },
  {
    input: 'svc/probed',
    code: 1,
    expect: /^Service default\/probed: 1 Pod matches, not Ready: readiness probe \/nope answers 404$/,
    also: /kubectl describe pod\/probed -n default/,
  },
  {
    input: 'svc/named',
    code: 1,
    expect: /^Service default\/named: targetPort web: no container port of that name \(there is http=80\)$/,
  },
  {
    input: 'svc/wrongport',
    code: 1,
    expect: /^Service default\/wrongport: nothing listens on 8080 in app-\S+, it listens on 80$/,
  },
  {
    input: 'svc/head',
    code: 1,
    expect: /^Service default\/head: headless, so port 8000 is not translated to targetPort 80/,
  },
  { input: 'svc/local', code: 0, expect: /^works/, also: /externalTrafficPolicy Local and no endpoint on node-1/ },
  {
    input: 'svc/local --from host',
    code: 1,
    expect: /^Service default\/local: externalTrafficPolicy Local and no endpoint on node-1 \(there is on node-2\)$/,
  },
  {
    input: 'svc/ilocal --from node/node-1',
    code: 1,
    expect: /^Service default\/ilocal: internalTrafficPolicy Local and no endpoint on node-1 \(there is on node-2\)$/,
  },
  { input: 'svc/ilocal --from node/node-2', code: 0, expect: /^works/ },
  {
    input: 'http://172.18.0.3:30080',
    code: 0,
    expect: /^works: pod default\/one .*\(asked by 172\.18\.0\.1, outside\)$/,
  },
  { input: 'svc/ok:81', code: 1, expect: /^Service default\/ok: port 81 is no port of the Service \(80\)$/ },
  {
    input: 'http://ok:81 --from client',
    code: 1,
    expect: /^Service default\/ok: port 81 is no port of the Service \(80\)$/,
  },
  {
    input: 'udp://ok:80',
    code: 1,
    expect: /^Service default\/ok: port 80\/UDP is no port of the Service \(80\/TCP\)$/,
  },
  {
    input: 'svc/ok --from host',
    code: 1,
    expect: /^Service default\/ok: no address outside of the cluster, its type is ClusterIP$/,
  },
  { input: 'http://example.com', code: 1, expect: /^no outside network: example\.com cannot be resolved$/ },
  { input: 'http://1.1.1.1', code: 1, expect: /^no outside network: 1\.1\.1\.1 is no address of this cluster$/ },
  {
    input: 'svc/ext',
    code: 1,
    expect: /^Service default\/ext: ExternalName example\.com: no outside network: example\.com/,
  },
  { input: 'svc/nosel', code: 1, expect: /^Service default\/nosel: no selector, and no EndpointSlice$/ },
  {
    input: 'http://okk',
    code: 1,
    expect: /^okk is NXDOMAIN: there is no Service okk in namespace default \(there is ok\)$/,
  },
  {
    input: 'http://okk --from client',
    code: 1,
    expect: /^okk is NXDOMAIN: there is no Service okk in namespace default \(there is ok\)$/,
  },
  { input: 'svc/okk', code: 1, expect: /^there is no Service okk in namespace default \(there is ok\)$/ },
  { input: 'svc/locked', code: 0, expect: /^works/, also: /NetworkPolicy deny says who may come in/ },
  {
    input: 'svc/locked --from node/node-2',
    code: 1,
    expect: /^NetworkPolicy default\/deny selects default\/locked for ingress/,
  },
  {
    input: 'svc/locked --from client',
    code: 1,
    expect: /^NetworkPolicy default\/deny selects default\/locked for ingress/,
  },
  { input: 'pod/crash', code: 1, expect: /^Pod default\/crash: not Ready: container c: .*exit code 3 \(restarted/ },
  {
    input: 'pod/big',
    code: 1,
    expect: /^Pod default\/big: not Ready: no node takes it: 0\/2 nodes are available: 2 Insufficient cpu/,
  },
  {
    input: 'pod/vol',
    code: 1,
    expect: /^Pod default\/vol: not Ready: PersistentVolumeClaim data is Pending: storageclass\S* "fast" not found$/,
  },
  { input: 'node/node-1', code: 0, expect: /^works: node node-1 is Ready$/ },
];

t.test('why something does not work', async t => {
  const up = await startUp({ args: ['--nodes', '2'] });
  t.teardown(() => up.stop());
  const kubette = (...args: string[]): Promise<Finished> =>
    run(process.execPath, [KUBETTE, ...args], { env: { KUBECONFIG: join(up.dataDir, 'kubeconfig') } });
  await eventually(
    'the default ServiceAccount',
    () => up.kubectl('get', 'serviceaccount', 'default'),
    ({ code }) => code === 0,
  );
  const applied = await up.kubectlWith({ input: MANIFEST }, 'apply', '-f', '-');
  t.equal(applied.code, 0, applied.stderr);
  for (const { input, code, expect, also } of ROWS) {
    const answer = await eventually(
      `kubette why ${input}`,
      () => kubette('why', ...input.split(' ')),
      ({ stdout, code: its }) => its === code && expect.test(stdout.split('\n', 1)[0] ?? ''),
    );
    t.equal(answer.stderr, '', input);
    t.ok(answer.stdout.split('\n').length <= 6, `${input}: a few lines`);
    if (also !== undefined) t.match(answer.stdout, also, input);
  }

  const json = await kubette('why', 'svc/typo', '--json');
  t.match(JSON.parse(json.stdout), {
    works: false,
    code: 'NoMatchingPods',
    objects: [{ kind: 'Service', name: 'typo' }],
  });

  for (const [input, says] of [
    ['sts/x', /of no kind that is known here/],
    ['svc/ok --from nobody', /there is no Pod nobody in namespace default/],
    ['svc/ok --wrong', /unknown option/],
    ['svc/ok --kubeconfig /nonexistent', /nonexistent/],
  ] as const) {
    const { code, stderr, stdout } = await kubette('why', ...input.split(' '));
    t.equal(code, 2, `${input}: a wrong call`);
    t.equal(stdout, '', input);
    t.match(stderr, says, input);
    t.equal(stderr.trim().split('\n').length, 1, `${input}: in one line`);
  }

  for (const from of ['client', 'deploy/app', 'svc/ok', 'node/node-2']) {
    const { code, stdout } = await kubette('trace', from, 'svc/ok');
    t.equal(code, 0, `a trace from ${from}`);
    t.ok(stdout.trimEnd().split('\n').length <= 10, `from ${from}: ten lines\n${stdout}`);
  }
  t.match((await kubette('trace', 'host', 'svc/local')).stdout, /^FAILED .*externalTrafficPolicy Local/);

  // Its agent is gone: the node says so after a while, and so does whatever ran there.
  const pid = (await up.pids()).get('node-agent node-2');
  if (pid === undefined) throw new Error('node-2 has an agent');
  process.kill(pid, 'SIGSTOP');
  t.teardown(() => process.kill(pid, 'SIGCONT'));
  await up.ok('wait', 'node/node-2', '--for=condition=Ready=Unknown', '--timeout=2m');
  const silent = await kubette('why', 'node/node-2');
  t.equal(silent.code, 1);
  t.match(silent.stdout, /^node node-2 is not Ready: /);
  t.match((await kubette('why', 'pod/one')).stdout, /^Pod default\/one: not Ready: node node-2 is not Ready: /);
});
