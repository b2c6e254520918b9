import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { Cluster } from '../../src/testing/index.js';
import { KUBETTE } from '../support/up.js';
import { until } from '../support/until.js';

t.setTimeout(280_000);

interface Ready {
  readonly kubeconfig: string;
  readonly pid: number;
  readonly url: string;
  readonly control: string;
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function start(t: Test, ...args: string[]): Promise<Ready & { readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [KUBETTE, 'test-server', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { ...(JSON.parse(line) as Ready), child };
}

const ask = async (control: string, method: string, path: string, body?: unknown) => {
  const answer = await fetch(`${control}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
};

t.test('it says where it is in one line, is steered over its control URL, and ends with its input', async t => {
  const { child, kubeconfig, control, pid } = await start(t, '--api-server-only', '--seed', '1');
  t.equal(pid, child.pid);
  t.ok(existsSync(kubeconfig));
  const post = (path: string, body: unknown) => ask(control, 'POST', path, body);
  t.match(await post('/namespace', { name: 'shop' }), { status: 200, body: { name: 'shop' } });
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: '1' } };
  t.match(await post('/apply', { source: map, namespace: 'shop' }), {
    status: 200,
    body: [{ metadata: { namespace: 'shop' } }],
  });
  t.match(await post('/wait', { object: 'cm/c', condition: 'jsonpath={.data.a}=1', namespace: 'shop' }), {
    status: 200,
    body: { data: { a: '1' } },
  });
  t.match(await post('/wait', { object: 'cm/c', condition: 'jsonpath={.data.a}=2', timeout: '1ms' }), {
    status: 400,
    body: { error: 'WaitError', message: /there is no such object/ },
  });
  const fault = await post('/faults', { fault: 'next', resource: 'configmaps', verb: 'patch', status: 503, times: 2 });
  t.match(fault, { status: 200, body: { id: '1' } });
  t.match(await post('/apply', { source: map }), { status: 503, body: { reason: 'ServiceUnavailable' } });
  t.match(await ask(control, 'GET', '/faults/1'), { status: 200, body: { hits: 1 } });
  t.match(await ask(control, 'DELETE', '/faults'), { status: 200 });
  t.match(await post('/apply', { source: map }), { status: 200 });
  const { body } = await post('/requests', { verb: 'patch', resource: 'configmaps' });
  t.match(body, [{ status: 201 }, { status: 503 }, { status: 201 }]);
  t.match(await ask(control, 'POST', '/namespace', null), { status: 200, body: { name: /^test-/ } });
  const wrong = [
    ['/faults', { fault: 'next', resorce: 'pods', status: 500 }, 400, /resorce: there is no such field, only user/],
    ['/faults', { fault: 'fire' }, 400, /want one of next/],
    ['/faults', { fault: 'next', status: 200 }, 400, /200 is no status of an error/],
    ['/nodes/node-1', { action: 'kill' }, 400, /there is no node "node-1", only none/],
    ['/clocks', {}, 404, /there is no POST \/clocks, only POST \/apply/],
  ] as const;
  for (const [path, input, status, message] of wrong)
    t.match(await post(path, input), { status, body: { message } }, `${path} ${JSON.stringify(input)}`);
  t.match(await ask(control.replace(/\w$/, '-'), 'POST', '/apply', {}), { status: 404 }, 'whoever has no secret');
  child.stdin?.end();
  await once(child, 'exit');
  t.notOk(existsSync(kubeconfig));
});

/** A process that starts another and tells its output, until it is killed. */
const parentOf = (command: readonly string[], stdin: string): string =>
  `const { spawn } = require('node:child_process');
const child = spawn(process.execPath, ${JSON.stringify(command)}, { stdio: [${JSON.stringify(stdin)}, 'pipe', 'inherit'] });
child.stdout.once('data', () => console.log(child.pid));
setInterval(() => undefined, 1000);`;

t.test('both end with the process that started them, however that ends', async t => {
  const commands = [
    { name: 'test-server', command: [KUBETTE, 'test-server', '--api-server-only'] },
    {
      name: 'apiserver',
      command: [
        ...[KUBETTE, 'apiserver', '--exit-with-parent', '--secure-port', '0', '--storage', 'memory'],
        ...['--data-dir', join(t.testdir(), 'data')],
      ],
    },
  ];
  for (const { name, command } of commands)
    for (const stdin of ['pipe', 'ignore']) {
      const parent = spawn(process.execPath, ['-e', parentOf(command, stdin)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.teardown(() => parent.kill('SIGKILL'));
      const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
      const pid = Number(line);
      t.ok(isAlive(pid), `${name} runs`);
      parent.kill('SIGKILL');
      await until(`${name} with ${stdin} has ended`, () => !isAlive(pid));
    }
});

t.test('a cluster in a process of its own is used as one in this', async t => {
  const cluster = await Cluster.create({ isolate: true, nodes: [{ name: 'worker', zone: 'a' }], seed: 1 });
  t.teardown(() => cluster.stop());
  t.not(cluster.pid, process.pid);
  const namespace = await cluster.namespace();
  const spec = { containers: [{ name: 'c', image: 'nginx' }] };
  await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }, { namespace });
  t.match(await cluster.waitFor('pod/web', 'Ready', { namespace }), { spec: { nodeName: 'worker' } });
  t.match(await cluster.trace(`${namespace}/web`, 'https://kubernetes.default/version'), { ok: true, status: 200 });
  const jane = await cluster.as('jane');
  t.match(jane.kubeconfig, /client-certificate-data/);
  t.ok(existsSync(jane.env.KUBECONFIG));
  const fault = await cluster.faults.conflict({ resource: 'pods', user: 'kubernetes-admin' });
  await t.rejects(cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }, { namespace }), {
    name: 'StatusError',
    reason: 'Conflict',
  });
  t.equal(await fault.hits(), 1);
  t.match(await cluster.requests({ user: 'kubernetes-admin', verb: 'patch', resource: 'pods' }), [
    { status: 201 },
    { status: 409 },
  ]);
  await t.rejects(cluster.node('node-9').kill(), RangeError);
  await cluster.node('worker').partition();
  await cluster.node('worker').heal();
  await cluster.stop();
  t.notOk(isAlive(cluster.pid));
  t.notOk(existsSync(cluster.kubeconfigPath));
});
