import { join } from 'node:path';
import t from 'tap';
import { openTerminal } from '../support/terminal.js';
import { eventually, ROOT, run, startUp, type Finished } from '../support/up.js';

// The whole file, also when it is run by itself.
t.setTimeout(600_000);

/** The README's transcript, with the real kubectl against separate processes. */
t.test('a user deploys, exposes and watches traffic', { timeout: 240_000 }, async t => {
  const up = await startUp();
  t.teardown(() => up.stop());
  const { ok } = up;
  t.match(up.output(), /export KUBECONFIG=/);

  await t.test('three nodes are ready', async t => {
    const lines = (await ok('get', 'nodes', '--no-headers')).trim().split('\n');
    t.equal(lines.length, 3);
    for (const line of lines) t.match(line, /^node-\d +Ready +/);
  });

  await t.test('deploy and expose', async t => {
    t.equal(
      await ok('create', 'deployment', 'my-app', '--image=echo', '--replicas=3'),
      'deployment.apps/my-app created\n',
    );
    t.equal(await ok('expose', 'deployment', 'my-app', '--port=80'), 'service/my-app exposed\n');
    t.match(await ok('rollout', 'status', 'deployment/my-app', '--timeout=60s'), /successfully rolled out/);
    const wide = await ok('get', 'pods,svc,endpoints,endpointslices', '-o', 'wide');
    t.match(wide, /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/);
    t.match(wide, /NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\n/);
    t.match(wide, /NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\n/);
    t.match(wide, /service\/my-app +ClusterIP +10\.96\.\d+\.\d+ +<none> +80\/TCP +\d+s +app=my-app/);
    const nodes = new Set(
      (await ok('get', 'pods', '-l', 'app=my-app', '-o', 'jsonpath={.items[*].spec.nodeName}')).split(' '),
    );
    t.equal(nodes.size, 3, 'fewest Pods first: one on each node');
  });

  await t.test('traffic from a Pod goes through DNS, the ClusterIP and the rules', async t => {
    await ok('run', 'client', '--image=busybox', '--command', '--', 'sleep', 'infinity');
    await ok('wait', '--for=condition=Ready', 'pod/client', '--timeout=30s');
    const pods = (await ok('get', 'pods', '-l', 'app=my-app', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
    const answered = new Set<string>();
    for (let i = 0; i < 40 && answered.size < 3; i++) {
      const answer = await ok('exec', 'client', '--', 'curl', '-s', 'http://my-app');
      const by = pods.find(pod => answer.includes(pod));
      t.ok(by !== undefined, `answered by one of the three: ${answer.split('\n')[0] ?? ''}`);
      answered.add(by ?? '');
    }
    t.equal(answered.size, 3, 'in time, all three answer');
    const ip = await ok('get', 'svc', 'my-app', '-o', 'jsonpath={.spec.clusterIP}');
    const lookup = await ok('exec', 'client', '--', 'nslookup', 'my-app');
    t.ok(lookup.includes(ip), lookup);
    t.match(lookup, /my-app\.default\.svc\.cluster\.local/);
    const failed = await up.kubectl('exec', 'client', '--', 'sh', '-c', 'exit 7');
    t.equal(failed.code, 7, 'exit codes arrive');
    t.equal(
      (await up.kubectlWith({ input: 'hello\n' }, 'exec', '-i', 'client', '--', 'cat')).stdout,
      'hello\n',
      'stdin arrives',
    );
  });

  await t.test('a shell at a terminal', async t => {
    const env = { KUBECONFIG: join(up.dataDir, 'kubeconfig'), HOME: up.dataDir };
    const terminal = openTerminal('kubectl exec -it client -- sh', { rows: 30, columns: 111 }, env);
    if (terminal === undefined) {
      console.error('NOT TESTED: kubectl exec -it, because neither script nor python3 is here');
      return void t.pass('a terminal', { skip: 'nothing here makes one' });
    }
    t.teardown(() => terminal.kill());
    const prompt = /\/ # $/;
    /** Types, and gives what came between the line and the next prompt. */
    const answer = async (typed: string): Promise<string> => {
      terminal.type(typed);
      const lines = (await terminal.shows(new RegExp(`\\r\\n${prompt.source}`))).split('\r\n');
      return lines.at(-2) ?? '';
    };
    await terminal.shows(prompt);
    t.equal(await answer('stty size\r'), '30 111', 'the size of the window');
    t.equal(await answer('echo one\r'), 'one');
    t.equal(await answer('\x1b[A\r'), 'one', 'arrow up: the line before');
    t.equal(await answer('echo wrld\x1b[D\x1b[D\x1b[Do\r'), 'world', 'arrow left');
    t.equal(await answer('echo abX\x7fc\r'), 'abc', 'backspace');
    t.equal(await answer('hello\x01echo \x05 there\r'), 'hello there', 'Ctrl-A and Ctrl-E');
    terminal.type('echo be"gun"; sleep 1000\r');
    await terminal.shows(/begun\r\n/);
    t.match(await answer('\x03'), /\^C/, 'Ctrl-C gives a prompt');
    t.equal(await answer('echo $?\r'), '130', 'and has ended what ran');
    terminal.type('\x04');
    t.equal(await terminal.ended, 0, 'Ctrl-D ends the shell');
  });

  await t.test('scale, delete, logs', async t => {
    await ok('scale', 'deployment', 'my-app', '--replicas=5');
    await ok('delete', 'pod', '-l', 'app=my-app', '--wait=false');
    t.match(await ok('rollout', 'status', 'deployment/my-app', '--timeout=90s'), /successfully rolled out/);
    await eventually(
      'five endpoints',
      async () =>
        await ok(
          'get',
          'endpointslices',
          '-l',
          'kubernetes.io/service-name=my-app',
          '-o',
          'jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}',
        ),
      text => text.trim().split(/\s+/).length === 5,
      60_000,
    );
    await ok('exec', 'client', '--', 'curl', '-s', 'http://my-app/logged');
    await eventually(
      'the request in a log',
      async () => await ok('logs', '-l', 'app=my-app', '--tail=20'),
      text => text.includes('/logged'),
    );
    t.equal((await up.kubectl('logs', 'deploy/my-app')).code, 0);
  });

  await t.test('the rules and the trace', async t => {
    const rules = await ok('get', '--raw', '/api/v1/nodes/node-1/proxy/rules?format=iptables-save');
    t.match(rules, /^\*(nat|filter|mangle)/m);
    t.match(rules, /-A KUBE-SERVICES .*"default\/my-app cluster IP" .*-j KUBE-SVC-/);
    const traced = (...flags: string[]): Promise<Finished> =>
      run(process.execPath, [
        join(ROOT, 'build/dist/kubette.js'),
        ...['trace', 'default/client', 'http://my-app', '--kubeconfig', join(up.dataDir, 'kubeconfig'), ...flags],
      ]);
    const short = await traced();
    t.equal(short.code, 0, short.stderr);
    t.match(short.stdout, /^OK default\/client .*: HTTP 200 from pod default\/my-app-/);
    t.match(short.stdout, /my-app\.default\.svc\.cluster\.local: A /);
    t.match(short.stdout, /KUBE-SEP-\w+ #\d: DNAT: destination becomes /);
    t.ok(short.stdout.trimEnd().split('\n').length <= 10, 'ten lines at most');
    const whole = await traced('-v');
    for (const step of [
      /my-app\.default\.svc\.cluster\.local/,
      /KUBE-SERVICES/,
      /KUBE-SVC-/,
      /KUBE-SEP-/,
      /DNAT/,
      /Service default\/my-app|service default\/my-app/i,
    ])
      t.match(whole.stdout, step);
  });

  await t.test('port-forward', async t => {
    const child = (await import('node:child_process')).spawn('kubectl', ['port-forward', 'svc/my-app', ':80'], {
      env: { ...process.env, KUBECONFIG: join(up.dataDir, 'kubeconfig') },
    });
    t.teardown(() => child.kill());
    let said = '';
    child.stdout.on('data', chunk => (said += String(chunk)));
    child.stderr.on('data', chunk => (said += String(chunk)));
    const port = await eventually(
      'the forwarded port',
      async () => /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1] ?? '',
      text => text !== '',
    );
    t.match((await run('curl', ['-s', '-m', '10', `http://127.0.0.1:${port}/forwarded`])).stdout, /forwarded/);
  });

  for (const manifest of ['market', 'ring'])
    await t.test(`kubectl apply -f ${manifest}.yaml`, async t => {
      const file = join(ROOT, 'test/e2e/manifests', `${manifest}.yaml`);
      const namespace = manifest === 'market' ? 'market' : 'default';
      await ok('apply', '-f', file);
      const names = (await ok('get', 'deployments', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}'))
        .split(' ')
        .filter(name => name !== 'my-app');
      for (const name of names)
        t.match(
          await ok('rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=60s'),
          /successfully rolled out/,
        );
      t.notMatch(await ok('apply', '-f', file), /configured|created/, 'applied again: unchanged');
    });

  await t.test('what the applications can do', async t => {
    t.match(await ok('exec', 'client', '--', 'curl', '-s', '-m', '5', 'http://stock.market:8080'), /stock-/);
    t.match(
      (await up.kubectl('exec', 'client', '--', 'curl', '-sS', '-m', '5', 'http://empty.market')).stderr,
      /Failed to connect to empty\.market port 80 after \d+ ms/,
    );
    t.match(await ok('exec', 'client', '--', 'nslookup', 'ring-a.ring'), /10\.244\.\d+\.\d+/);
    const port = await ok('get', 'svc', '-n', 'market', 'front', '-o', 'jsonpath={.spec.ports[0].nodePort}');
    const page = await eventually(
      'the node port from outside',
      async () => await run('curl', ['-s', '-m', '5', `http://${up.nodeAddress()}:${port}/`]),
      r => r.code === 0,
    );
    t.match(page.stdout, /nginx/i);
    t.equal(
      await ok('exec', '-n', 'market', 'deploy/front', '--', 'printenv', 'STOCK_URL', 'LOGIN'),
      'http://stock:8080\nmarket\n',
    );
  });

  await t.test('namespaces go with everything in them', async t => {
    await ok('delete', 'namespace', 'market', '--timeout=60s');
    t.match((await up.kubectl('get', 'deployments', '-n', 'market')).stderr, /No resources found/);
  });
});
