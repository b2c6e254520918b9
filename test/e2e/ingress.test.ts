import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually, ROOT, run, startUp, type Finished } from '../support/up.js';

/* An Ingress as somebody uses it: kubectl, and curl on the machine. */
t.setTimeout(300_000);

const EXAMPLE = join(ROOT, 'examples/ingress.yaml');

t.test('an Ingress answers on its load balancer’s address', async t => {
  const up = await startUp({ args: ['--nodes', '2', '--publish'] });
  t.teardown(() => up.stop());
  t.match(await up.ok('get', 'ingressclass'), /^kubette +kubette\.io\/ingress-controller /m);
  t.equal(await up.ok('get', 'pods', '-A', '-o', 'name'), '', 'nothing else is there before somebody needs it');

  await up.ok('apply', '-f', EXAMPLE);
  await up.ok('-n', 'ingress', 'rollout', 'status', 'deployment', 'shop', 'pictures');
  const address = await eventually(
    'the address of the Ingress',
    () => up.ok('-n', 'ingress', 'get', 'ingress', 'shop', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'),
    ip => ip !== '',
  );
  t.equal(
    address,
    await up.ok(
      '-n',
      'kubette-ingress',
      'get',
      'svc',
      'kubette-ingress',
      '-o',
      'jsonpath={.status.loadBalancer.ingress[0].ip}',
    ),
  );
  /** Where the machine finds a port of the load balancer. */
  const at = async (port: number): Promise<string> => {
    const said = await eventually(
      `port ${port} to be published`,
      async () => new RegExp(`port ${port}/tcp is at (\\S+) of this machine`).exec(up.output())?.[1] ?? '',
      found => found !== '',
    );
    return said;
  };
  const [http, https] = [await at(80), await at(443)];
  const curl = (...args: string[]): Promise<Finished> => run('curl', ['-s', '-w', '\n%{http_code}', ...args]);
  const get = async (host: string, path = '/'): Promise<string> =>
    (await curl('-H', `Host: ${host}`, `http://${http}${path}`)).stdout;
  /** What is answered once a change has come to the controller. */
  const soon = (what: string, ask: () => Promise<string>, expect: RegExp): Promise<string> =>
    eventually(what, ask, said => expect.test(said));

  await soon('the shop', () => get('shop.example.com'), /\n200$/);
  t.match(await get('shop.example.com', '/x/../y'), /\n200$/);
  t.match(await get('shop.example.com', '/pictures/'), /nginx[^]*\n404$/, 'another Service');
  t.notMatch(await get('shop.example.com', '/pictureshow'), /nginx/);
  t.match(await get('other.example.com'), /404 Not Found[^]*kubette[^]*\n404$/, 'nobody’s');

  await up.ok('-n', 'ingress', 'scale', 'deployment', 'shop', '--replicas', '0');
  await soon('nobody in the shop', () => get('shop.example.com'), /\n503$/);
  await up.ok('-n', 'ingress', 'scale', 'deployment', 'shop', '--replicas', '1');
  await soon('somebody', () => get('shop.example.com'), /\n200$/);

  const [cert, key] = [join(up.dataDir, 'cert.pem'), join(up.dataDir, 'key.pem')];
  const host = 'tls.example.com';
  const pair = ['-keyout', key, '-out', cert, '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '3',
    ...pair,
  ]);
  t.match(readFileSync(cert, 'utf8'), /BEGIN CERTIFICATE/);
  await up.ok('-n', 'ingress', 'create', 'secret', 'tls', 'cert', '--cert', cert, '--key', key);
  await up.ok('-n', 'ingress', 'create', 'ingress', 'tls', `--rule=${host}/*=shop:http,tls=cert`);
  const secure = async (...args: string[]): Promise<string> => {
    const port = https.slice(https.lastIndexOf(':') + 1);
    const { stdout } = await curl('--connect-to', `::${https}`, ...args, `https://${host}:${port}/`);
    return stdout;
  };
  await soon('the certificate by its name', () => secure('--cacert', cert), /\n200$/);
  t.match(await get(host, '/x?y=1'), /\n308$/, 'plain requests are sent there');
  const other = await curl('-k', '-v', '--connect-to', `::${https}`, 'https://nobody.example.com/');
  t.match(other.stderr, /Kubette Ingress default certificate/);

  await up.ok('-n', 'ingress', 'create', 'ingress', 'bad', '--class=kubette', '--rule=bad.example.com/*=nobody:80');
  await soon(
    'an Event for its owner',
    () => up.ok('-n', 'ingress', 'get', 'events', '--field-selector', 'involvedObject.name=bad'),
    /Warning +ServiceNotFound +ingress\/bad +Service "ingress\/nobody" does not exist/,
  );
  const log = await up.ok('-n', 'kubette-ingress', 'logs', 'deployment/kubette-ingress');
  t.match(log, /"GET \/ HTTP\/1\.1" 200 "shop\.example\.com" \[Ingress ingress\/shop\] 10\.244\./);

  const pod = await up.ok('-n', 'kubette-ingress', 'get', 'pods', '-o', 'name');
  await up.ok('-n', 'kubette-ingress', 'delete', ...pod.trim().split('\n'));
  await soon('another Pod of the controller', () => get('shop.example.com'), /\n200$/);
});

t.test('without it', async t => {
  const up = await startUp({ args: ['--nodes', '1', '--no-ingress'] });
  t.teardown(() => up.stop());
  t.equal(await up.ok('get', 'ingressclass', '-o', 'name'), '');
});
