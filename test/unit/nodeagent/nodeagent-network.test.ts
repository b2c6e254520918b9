import { createServer as createHttpServer } from 'node:http';
import { createSocket } from 'node:dgram';
import t from 'tap';
import type { Service } from '../../../src/machinery/types.js';
import { httpCall } from '../../../src/containers/network/http-client.js';
import { createIpAllocator } from '../../../src/nodeagent/network/ip-allocator.js';
import { parseCidr } from '../../../src/machinery/cidr.js';
import { POD_NETWORK_ANNOTATION } from '../../../src/nodeagent/network/peer.js';
import { type PodNamespace } from '../../../src/nodeagent/network/pod-network.js';
import { candidates } from '../../../src/containers/network/resolv-conf.js';
import { createResolver } from '../../../src/containers/network/resolver.js';
import { streamPair } from '../../../src/nodeagent/network/stream-pair.js';
import type { NetworkStep, NetNamespace } from '../../../src/containers/network/types.js';
import { createNodePorts } from '../../../src/nodeagent/proxy/node-ports.js';
import { execute } from '../../support/simulated-container.js';
import { ask, listen, service, slice, twoNodes, whoAmI } from '../../support/two-nodes.js';
import { answered, until } from '../../support/until.js';

const SERVICES = [
  service('web', {
    type: 'NodePort',
    clusterIP: '10.96.0.20',
    ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }],
  }),
  service('empty', { clusterIP: '10.96.0.21', ports: [{ port: 80, protocol: 'TCP' }] }),
  service('local', { clusterIP: '10.96.0.22', internalTrafficPolicy: 'Local', ports: [{ port: 80, protocol: 'TCP' }] }),
  service('udp', { clusterIP: '10.96.0.23', ports: [{ port: 53, protocol: 'UDP' }] }),
  service('self', { clusterIP: '10.96.0.24', ports: [{ port: 80, protocol: 'TCP' }] }),
];
const SLICES = [
  slice('web', 'TCP', 8080, ['10.244.2.2', 'node-2']),
  slice('local', 'TCP', 8080, ['10.244.2.2', 'node-2']),
  slice('udp', 'UDP', 5353, ['10.244.2.2', 'node-2']),
  slice('self', 'TCP', 8080, ['10.244.1.2', 'node-1']),
];

const SHOP = { services: SERVICES, slices: SLICES };

t.test('where a connection goes', async t => {
  const { one, two, close } = await twoNodes(SHOP);
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  const neighbour = one.network.attach(['10.244.1.3'], 'pod default/neighbour');
  const b = two.network.attach(['10.244.2.2'], 'pod default/b');
  for (const namespace of [a, neighbour, b]) whoAmI(namespace, 8080);
  whoAmI(one.network.node, 9000);
  whoAmI(two.network.node, 9000);
  a.listen(7000, stream => stream.end('private'), { loopbackOnly: true });
  const host = createHttpServer((_request, response) => response.end('the host'));
  const hostPort = await listen(host);

  const rows: { name: string; from: NetNamespace; to: [string, number]; expect: string | RegExp }[] = [
    { name: 'itself by address', from: a, to: ['10.244.1.2', 8080], expect: '10.244.1.2 -> 10.244.1.2:8080' },
    { name: 'itself by loopback', from: a, to: ['127.0.0.1', 8080], expect: '127.0.0.1 -> 127.0.0.1:8080' },
    { name: 'a loopback listener', from: a, to: ['127.0.0.1', 7000], expect: 'private' },
    { name: 'another’s loopback listener', from: neighbour, to: ['10.244.1.2', 7000], expect: 'ECONNREFUSED' },
    { name: 'a Pod of the same node', from: a, to: ['10.244.1.3', 8080], expect: '10.244.1.2 -> 10.244.1.3:8080' },
    { name: 'a Pod of another node', from: a, to: ['10.244.2.2', 8080], expect: '10.244.1.2 -> 10.244.2.2:8080' },
    { name: 'a closed port', from: a, to: ['10.244.1.3', 81], expect: 'ECONNREFUSED' },
    { name: 'a closed port elsewhere', from: a, to: ['10.244.2.2', 81], expect: 'ECONNREFUSED' },
    { name: 'an address nobody has', from: a, to: ['10.244.2.99', 80], expect: 'EHOSTUNREACH' },
    { name: 'the internet', from: a, to: ['93.184.216.34', 80], expect: 'EHOSTUNREACH' },
    { name: 'a ClusterIP', from: a, to: ['10.96.0.20', 80], expect: '10.244.1.2 -> 10.244.2.2:8080' },
    {
      name: 'a ClusterIP from the node',
      from: one.network.node,
      to: ['10.96.0.20', 80],
      expect: '172.18.0.2 -> 10.244.2.2:8080',
    },
    { name: 'a ClusterIP without endpoints', from: a, to: ['10.96.0.21', 80], expect: 'ECONNREFUSED' },
    { name: 'a Local ClusterIP without local endpoint', from: a, to: ['10.96.0.22', 80], expect: 'ETIMEDOUT' },
    {
      name: 'a Local ClusterIP from its node',
      from: b,
      to: ['10.96.0.22', 80],
      expect: '172.18.0.3 -> 10.244.2.2:8080',
    },
    { name: 'its own Service (hairpin)', from: a, to: ['10.96.0.24', 80], expect: '172.18.0.2 -> 10.244.1.2:8080' },
    {
      name: 'a node port of its node',
      from: a,
      to: ['172.18.0.2', 30080],
      expect: /^172\.18\.0\.2 -> 10\.244\.2\.2:8080$/,
    },
    {
      name: 'a node port of another node',
      from: a,
      to: ['172.18.0.3', 30080],
      expect: /^172\.18\.0\.3 -> 10\.244\.2\.2:8080$/,
    },
    { name: 'its node', from: a, to: ['172.18.0.2', 9000], expect: '10.244.1.2 -> 172.18.0.2:9000' },
    { name: 'another node', from: a, to: ['172.18.0.3', 9000], expect: '10.244.1.2 -> 172.18.0.3:9000' },
    { name: 'nothing on the host', from: a, to: ['172.18.0.1', 1], expect: 'ECONNREFUSED' },
  ];
  for (const { name, from, to, expect } of rows) {
    const got = await ask(from, ...to);
    if (typeof expect === 'string') t.equal(got, expect, name);
    else t.match(got, expect, name);
  }

  const { response, stream } = await httpCall(a, {
    to: { address: '172.18.0.1', port: hostPort },
    method: 'GET',
    path: '/',
    headers: [['Host', 'host']],
  });
  let text = '';
  for await (const chunk of response) text += String(chunk);
  t.equal(text, 'the host', 'the machine behind the gateway');
  stream.destroy();
  host.close();

  two.peers.close();
  one.directory.update({
    ...two.object,
    metadata: { ...two.object.metadata, annotations: { [POD_NETWORK_ANNOTATION]: '127.0.0.1:1' } },
  });
  t.equal(await ask(a, '10.244.2.2', 8080), 'EHOSTUNREACH', 'a node whose agent is gone');
  one.directory.remove('node-2');
  t.equal(await ask(a, '10.244.2.2', 8080), 'EHOSTUNREACH', 'a node that is gone');
  b.detach();
  close();
});

t.test('datagrams, and a trace of everything', async t => {
  const { one, two, close } = await twoNodes(SHOP);
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  const b = two.network.attach(['10.244.2.2'], 'pod default/b');
  b.listenUdp(5353, (payload, { client }) => Buffer.from(`${client.address} said ${payload.toString()}`));
  whoAmI(b, 8080);
  const reply = await a.exchange({ address: '10.96.0.23', port: 53 }, Buffer.from('hi'));
  t.equal(reply.toString(), '10.244.1.2 said hi');
  await t.rejects(a.exchange({ address: '10.244.2.2', port: 1 }, Buffer.from('hi')), { code: 'ECONNREFUSED' });
  const socket = createSocket('udp4');
  const port = await new Promise<number>(resolve => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)));
  await t.rejects(a.exchange({ address: '172.18.0.1', port }, Buffer.from('hi'), { timeoutMs: 50 }), {
    code: 'ETIMEDOUT',
  });
  socket.on('message', (message, from) => socket.send(`host ${message.toString()}`, from.port, from.address));
  t.equal((await a.exchange({ address: '172.18.0.1', port }, Buffer.from('hi'))).toString(), 'host hi');
  socket.close();

  const steps: NetworkStep[] = [];
  const stream = await a.connect({ address: '10.96.0.20', port: 80 }, { observe: step => void steps.push(step) });
  t.same([stream.remoteAddress, stream.remotePort], ['10.96.0.20', 80], 'the caller sees the address it dialled');
  stream.destroy();
  t.same(
    steps.map(s => `${s.node} ${s.kind}${s.kind === 'netfilter' ? ` ${s.direction} ${s.hook}` : ''}`),
    [
      'node-1 netfilter request prerouting',
      'node-1 route',
      'node-2 netfilter request prerouting',
      'node-2 route',
      'node-2 deliver',
      'node-2 netfilter reply prerouting',
      'node-1 netfilter reply prerouting',
    ],
  );
  t.match(steps[0], {
    verdict: 'accept',
    in: { dst: '10.96.0.20', dstPort: 80 },
    out: { dst: '10.244.2.2', dstPort: 8080 },
  });
  const rules = steps[0]?.kind === 'netfilter' ? steps[0].rules : [];
  t.ok(
    rules.some(r => r.origin?.kind === 'Service' && r.origin.name === 'web'),
    'the object behind a rule is named',
  );
  t.match(steps.at(-1), { out: { src: '10.96.0.20', srcPort: 80, dst: '10.244.1.2' } });

  const failed: NetworkStep[] = [];
  await t.rejects(a.connect({ address: '10.96.0.21', port: 80 }, { observe: step => void failed.push(step) }), {
    code: 'ECONNREFUSED',
  });
  t.match(failed.at(-1), { kind: 'fail', node: 'node-1', code: 'ECONNREFUSED', message: /rejected with/ });
  close();
});

t.test('node ports on the real machine', async t => {
  const { one, two, close } = await twoNodes(SHOP);
  const b = two.network.attach(['10.244.2.2'], 'pod default/b');
  b.listen(8080, stream => {
    stream.resume();
    stream.end(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`);
  });
  const busy: string[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const options = {
    proxies: [one],
    network: one.network,
    nodeAddresses: [one.nodeIP] as const,
    // Its own: clusters of other tests have the same node port at 127.0.0.1.
    bindAddress: '127.77.0.1',
    hostGateways: ['172.18.0.1'] as const,
    log,
  };
  const ports = createNodePorts({ ...options, onBusy: (_service, message) => void busy.push(message) });
  ports.update();
  const get = (): Promise<string> => answered(async () => (await fetch('http://127.77.0.1:30080/')).text());
  t.equal(await get(), 'ok');
  const second = createNodePorts({ ...options, onBusy: (_service, message) => void busy.push(message) });
  second.update();
  await until('the port is busy', () => busy.length > 0);
  t.match(busy, [/node port 30080\/tcp cannot be opened on 127\.77\.0\.1: .*EADDRINUSE/]);
  second.close();
  one.proxy.onServiceDelete(SERVICES[0] as Service);
  one.proxy.sync();
  ports.update();
  await t.rejects(fetch('http://127.77.0.1:30080/'), 'closed with the Service');
  ports.close();
  close();
});

t.test('programs over the network', async t => {
  const { one, two, close } = await twoNodes(SHOP);
  const a: PodNamespace = one.network.attach(['10.244.1.2'], 'pod default/a');
  const b = two.network.attach(['10.244.2.2'], 'pod default/b');
  const server = createHttpServer((request, response) => {
    if (request.url === '/missing') response.statusCode = 404;
    response.setHeader('X-Test', 'yes');
    let body = '';
    request.on('data', chunk => (body += String(chunk)));
    request.on('end', () => response.end(`${request.method ?? ''} ${request.url ?? ''} ${body}\n`));
  });
  b.listen(8080, stream => void server.emit('connection', stream));
  const { decode, encode } = (await import('dns-packet')).default;
  const asked: string[] = [];
  const answer = (payload: Buffer): Buffer => {
    const query = decode(payload);
    const name = query.questions?.[0]?.name ?? '';
    asked.push(name);
    const known = name === 'web.default.svc.cluster.local' && query.questions?.[0]?.type === 'A';
    return encode({
      type: 'response',
      id: query.id ?? 0,
      flags: known ? 0 : 3,
      questions: query.questions ?? [],
      answers: known ? [{ type: 'A', name, ttl: 5, data: '10.96.0.20' }] : [],
    });
  };
  b.listenUdp(5353, answer);
  b.listenUdp(53, answer);
  const hosts = '127.0.0.1\tlocalhost\n10.96.0.20\tweb\n10.96.0.21\tempty\n10.96.0.22\tlocal\n';
  const fixture = { network: a, files: { '/etc/hosts': hosts } };
  const rows: { script: string; stdout?: string | RegExp; stderr?: string | RegExp; exit?: number; image?: string }[] =
    [
      { script: 'curl -s http://web/x', stdout: 'GET /x \n' },
      { script: 'curl -s -d a=1 http://web/', stdout: 'POST / a=1\n' },
      { script: 'curl -s -X PUT -H "Content-Type: text/plain" -d hello web', stdout: 'PUT / hello\n' },
      { script: 'curl -s -o /dev/null -w "%{http_code}\\n" http://web/missing', stdout: '404\n' },
      { script: 'curl -sf http://web/missing', exit: 22 },
      {
        script: 'curl -sSf http://web/missing',
        stderr: 'curl: (22) The requested URL returned error: 404\n',
        exit: 22,
      },
      { script: 'curl -sI http://web/ | grep -i x-test', stdout: 'X-Test: yes\r\n' },
      { script: 'curl -s -o /tmp/f http://web/; cat /tmp/f', stdout: 'GET / \n' },
      { script: 'curl -s http://empty', exit: 7 },
      {
        script: 'curl -sS http://empty',
        stderr: /^curl: \(7\) Failed to connect to empty port 80 after \d+ ms: Could not connect to server\n$/,
        exit: 7,
      },
      {
        script: 'curl -sS -m 0.1 http://local',
        stderr: /^curl: \(28\) Connection timed out after \d+ milliseconds\n$/,
        exit: 28,
      },
      { script: 'wget -qO- http://web/y', stdout: 'GET /y \n' },
      {
        script: 'wget -qO- http://web/missing',
        stderr: 'wget: server returned error: HTTP/1.1 404 Not Found\n',
        exit: 1,
      },
      {
        script: 'wget -q -O - http://empty',
        stderr: "wget: can't connect to remote host (10.96.0.21): Connection refused\n",
        exit: 1,
      },
      { script: 'nc -zv web 80', stderr: 'web (10.96.0.20:80) open\n' },
      { script: 'nc -zv -w 1 empty 80', stderr: 'nc: empty (10.96.0.21:80): Connection refused\n', exit: 1 },
      { script: 'printf "GET /raw HTTP/1.0\\r\\n\\r\\n" | nc web 80 | tail -n 1', stdout: 'GET /raw \n' },
      {
        script: 'nslookup web.default.svc.cluster.local 10.244.2.2',
        stdout:
          'Server:\t\t10.244.2.2\nAddress:\t10.244.2.2:53\n\nName:\tweb.default.svc.cluster.local\nAddress: 10.96.0.20\n\n',
      },
      { script: 'nslookup nope. 10.244.2.2', stdout: /server can't find nope\.: NXDOMAIN/, exit: 1 },
      { script: 'dig +short web.default.svc.cluster.local @10.244.2.2', stdout: '10.96.0.20\n', image: 'netshoot' },
    ];
  for (const { script, stdout = '', stderr = '', exit = 0, image = 'busybox' } of rows) {
    const result = await execute(['sh', '-c', script], { ...fixture, image });
    t.match(result, { exit }, script);
    if (typeof stdout === 'string') t.equal(result.stdout, stdout, script);
    else t.match(result.stdout, stdout, script);
    if (typeof stderr === 'string') t.equal(result.stderr, stderr, script);
    else t.match(result.stderr, stderr, script);
  }

  asked.length = 0;
  const config = {
    nameservers: ['10.96.0.23'],
    search: ['default.svc.cluster.local', 'svc.cluster.local'],
    ndots: 5,
    timeoutMs: 500,
    attempts: 1,
  };
  const resolver = createResolver({ random: () => 0.5, config, network: a, hosts: async () => '' });
  t.match(await resolver.lookup('web'), { addresses: ['10.96.0.20'], canonicalName: 'web.default.svc.cluster.local' });
  t.match(await resolver.lookup('web.default.svc.cluster.local'), { addresses: ['10.96.0.20'] });
  t.match(await resolver.lookup('nope'), { addresses: [], failure: 'NXDOMAIN' });
  const names = [
    'web.default.svc.cluster.local',
    'web.default.svc.cluster.local.default.svc.cluster.local',
    'web.default.svc.cluster.local.svc.cluster.local',
    'web.default.svc.cluster.local',
    'nope.default.svc.cluster.local',
    'nope.svc.cluster.local',
    'nope',
  ];
  // For addresses of both families.
  t.same(
    asked,
    names.flatMap(name => [name, name]),
  );
  close();
});

t.test('small parts', async t => {
  t.same(candidates('a.b', { search: ['x'], ndots: 1 }), ['a.b', 'a.b.x']);
  t.same(candidates('a', { search: ['x', 'y'], ndots: 5 }), ['a.x', 'a.y', 'a']);
  t.same(candidates('a.', { search: ['x'], ndots: 5 }), ['a']);

  const cidr = parseCidr('10.244.1.0/29');
  if (cidr === undefined) throw new Error('bad CIDR');
  const ips = createIpAllocator([cidr]);
  ips.reserve('10.244.1.4');
  t.same(
    [1, 2, 3].map(() => ips.allocate()),
    [['10.244.1.5'], ['10.244.1.6'], ['10.244.1.2']],
  );
  ips.release('10.244.1.5');
  t.same(
    [1, 2, 3].map(() => ips.allocate()),
    [['10.244.1.3'], ['10.244.1.5'], undefined],
  );

  const { client, server } = streamPair({ address: '1.1.1.1', port: 1 }, { address: '2.2.2.2', port: 2 });
  let text = '';
  for (const stream of [client, server]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  client.end('ping');
  await new Promise(resolve => server.once('end', resolve));
  t.equal(text, 'ping');
  server.end('pong');
  await new Promise(resolve => client.once('end', resolve));
  t.equal(text, 'pingpong', 'half-close');
});
