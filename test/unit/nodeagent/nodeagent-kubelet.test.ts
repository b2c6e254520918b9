import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { hostKernels, hostRoutes } from '../../support/host-routes.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { createLogBuffer } from '../../../src/containers/log-buffer.js';
import { captured } from '../../../src/containers/io.js';
import { createTty } from '../../../src/containers/terminal.js';
import { chooseLog, logOptions } from '../../../src/nodeagent/kubelet-api/logs.js';
import { createKubeletServer } from '../../support/kubelet-server.js';
import { newRecord } from '../../../src/nodeagent/pods/types.js';
import { kubeletFacts, pod, startNode } from '../../support/simulated-node.js';

const day = 86_400_000;
const issue = (
  commonName: string,
  usage: 'ca' | 'client' | 'server',
  issuer?: ReturnType<typeof issueCertificate>,
  organizations: string[] = [],
) =>
  issueCertificate({
    subject: { commonName, organizations },
    usage,
    notBefore: Date.now() - day,
    notAfter: Date.now() + day,
    ...(issuer === undefined ? {} : { issuer }),
  });

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly type: string | undefined;
}

t.test('the kubelet API', async t => {
  const node = startNode();
  node.load(
    pod('web', { containers: [{ name: 'web', image: 'echo' }] }),
    pod('stuck', { containers: [{ name: 'c', image: 'x/does-not-exist' }] }),
  );
  node.start();
  await node.until('Ready', () => node.condition('web', 'Ready')?.status === 'True');
  await node.until(
    'stuck waits',
    () => node.status('stuck').containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull',
  );
  const manager = node.manager;
  if (manager === undefined) throw new Error('the node runs');
  const ca = issue('ca', 'ca');
  const serving = issue('node-1', 'server', ca);
  const kernel = createKernel({ clock: realClock, random: () => 0.5, routes: hostRoutes('172.18.0.2') });
  kernel.load({
    kind: 'ipvs',
    family: 'IPv4',
    full: true,
    virtualServers: [{ protocol: 'tcp', address: '10.96.0.1', port: 443, scheduler: 'rr', realServers: [] }],
    goneServers: [],
    ipsets: [{ name: 'S', type: 'hash:ip', add: ['10.0.0.1'], remove: [] }],
    addresses: { link: 'kube-ipvs0', add: ['10.96.0.1'], remove: [] },
    sysctls: {},
    xtables: undefined,
  });
  const server = createKubeletServer({
    context: {
      ...kubeletFacts(),
      nodeName: 'node-1',
      pods: manager,
      network: node.network,
      kernels: hostKernels(kernel),
      clock: realClock,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    dns: { address: '10.96.0.10', domain: 'cluster.local', hostNameservers: [] },
    ...serving,
    clientCa: ca.cert,
    hostGateways: ['172.18.0.1'],
    allowedNames: ['kube-apiserver-kubelet-client'],
    allowedOrganizations: [],
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = {
    none: undefined,
    apiserver: issue('kube-apiserver-kubelet-client', 'client', ca),
    stranger: issue('somebody', 'client', ca),
    forged: issue('kube-apiserver-kubelet-client', 'client', issue('other ca', 'ca')),
  };
  const get = (path: string, who: keyof typeof clients = 'apiserver'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = httpsRequest(
        { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false, ...clients[who] },
        response => {
          let text = '';
          response.on('data', chunk => (text += String(chunk)));
          response.on('end', () =>
            resolve({ code: response.statusCode ?? 0, text, type: response.headers['content-type'] }),
          );
        },
      );
      sent.on('error', reject);
      sent.end();
    });
  const rows: { path: string; who?: keyof typeof clients; code: number; text?: string | RegExp; type?: string }[] = [
    { path: '/healthz', who: 'none', code: 200, text: 'ok' },
    { path: '/pods', who: 'none', code: 401 },
    { path: '/pods', who: 'stranger', code: 401 },
    { path: '/pods', who: 'forged', code: 401 },
    { path: '/pods', code: 200, text: /"kind":"PodList".*"name":"web"/ },
    { path: '/containerLogs/default/web/web', code: 200, text: 'echo: serving 80/tcp\n' },
    { path: '/containerLogs/default/web/web?tailLines=0', code: 200, text: '' },
    { path: '/containerLogs/default/web/web?tailLines=x', code: 400, text: 'invalid value for tailLines: "x"\n' },
    { path: '/containerLogs/default/web/nope', code: 404, text: 'container "nope" not found in pod "web"\n' },
    { path: '/containerLogs/default/nope/c', code: 404, text: 'pod "nope" does not exist\n' },
    {
      path: '/containerLogs/default/stuck/c',
      code: 400,
      text: 'container "c" in pod "stuck" is waiting to start: image can\'t be pulled\n',
    },
    { path: '/exec/default/web/web?command=ls', code: 400, text: 'Upgrade request required\n' },
    { path: '/nothing', code: 404, text: '404 page not found\n' },
    { path: '/constructor', code: 404 },
    {
      path: '/rules?format=yaml',
      code: 400,
      text: 'unknown format "yaml": there are iptables-save, nft, nft-json, ipvsadm-save, ipvsadm-list, ipset-save, json\n',
    },
    {
      path: '/rules?format=nft-json',
      code: 200,
      text: '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}]}\n',
      type: 'application/json',
    },
    { path: '/rules?format=ipvsadm-save', code: 200, text: '-A -t 10.96.0.1:443 -s rr\n' },
    { path: '/rules?format=ipvsadm-list', code: 200, text: /^TCP {2}10\.96\.0\.1:443 rr$/m },
    { path: '/rules?format=ipset-save', code: 200, text: /^add S 10\.0\.0\.1$/m },
    { path: '/rules', code: 200, text: '-A -t 10.96.0.1:443 -s rr\n' },
    {
      path: '/rules?format=json',
      code: 200,
      text: /^\{"node":"node-1","proxy":\{"mode":"iptables".*\},"family":"IPv4","tables":\[/,
    },
    {
      path: '/rules?format=json&table=raw',
      code: 200,
      text: /"family":"IPv4","tables":\[[^\]]*\],"nftables":\[\],"ipvs":\[\],"ipsets":\[\]\}/,
    },
    { path: '/trace?pod=default/nope&url=x', code: 404 },
    { path: '/trace?pod=default/web&url=http://10.244.1.2/', code: 200, text: /"reply":\{"status":200/ },
    { path: '/%zz', code: 400 },
  ];
  for (const { path, who = 'apiserver', code, text, type } of rows) {
    const answer = await get(path, who);
    t.equal(answer.code, code, `${who} ${path}: ${answer.text}`);
    if (type !== undefined) t.equal(answer.type, type, path);
    if (typeof text === 'string') t.equal(answer.text, text, path);
    else if (text !== undefined) t.match(answer.text, text, path);
  }
  server.close();
  server.closeAllConnections();
  node.stop();
});

t.test('logs', async t => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const log = createLogBuffer(clock);
  log.write('stdout', 'one\ntw');
  clock.step(1000);
  log.write('stderr', 'err\n');
  log.write('stdout', 'o\n');
  const read = async (options: object): Promise<string> => {
    let text = '';
    for await (const part of log.read(options)) text += part;
    return text;
  };
  t.equal(await read({}), 'one\ntwerr\no\n');
  t.equal(await read({ tailLines: 2 }), 'err\no\n');
  t.equal(await read({ limitBytes: 5 }), 'one\nt');
  t.equal(await read({ stream: 'stderr' }), 'err\n');
  t.equal(await read({ since: clock.now() }), 'err\no\n');
  t.match(await read({ timestamps: true, tailLines: 1 }), '2026-01-01T00:00:01.000000000Z o\n');
  const following = read({ follow: true, tailLines: 0 });
  log.write('stdout', 'later ');
  await new Promise(resolve => setImmediate(resolve));
  log.write('stdout', 'on\n');
  log.close();
  t.equal(await following, 'later on\n');

  const small = createLogBuffer(clock, 100);
  for (let i = 0; i < 50; i++) small.write('stdout', `line ${i}\n`);
  const kept: string[] = [];
  for await (const part of small.read({})) kept.push(part);
  t.ok(kept.length < 20 && kept.at(-1) === 'line 49\n', 'the oldest lines go');

  const now = 10_000;
  t.match(logOptions(new URLSearchParams('follow=true&tailLines=3&sinceSeconds=4&stream=Stdout'), now), {
    follow: true,
    tailLines: 3,
    since: 6_000,
    stream: 'stdout',
    previous: false,
  });
  const record = newRecord({ name: 'c' }, 'regular');
  t.throws(() => chooseLog(record, 'p', false), {
    message: 'container "c" in pod "p" is waiting to start: ContainerCreating',
  });
  t.throws(() => chooseLog(record, 'p', true), { message: 'previous terminated container "c" in pod "p" not found' });
});

t.test('a terminal', async t => {
  const screen = captured();
  let interrupts = 0;
  const tty = createTty(screen, () => void interrupts++);
  await tty.type(Buffer.from('lx\x7fs\r'));
  t.equal((await tty.stdin.read())?.toString(), 'ls\n');
  t.equal(screen.text(), 'lx\b \bs\r\n');
  await tty.type(Buffer.from('\x03'));
  t.equal(interrupts, 1);
  await tty.output.write('a\nb\r\n');
  t.match(screen.text(), /a\r\nb\r\n$/);
  await tty.type(Buffer.from('\x04'));
  t.equal(await tty.stdin.read(), undefined);
});
