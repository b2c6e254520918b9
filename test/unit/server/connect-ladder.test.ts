import t from 'tap';
import { mirror, startProxiedNode } from '../../support/proxied-node.js';

const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
  'Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n';
const SPDY = 'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n';

t.test('no path below a proxy leads to the API of the node', async t => {
  const node = await startProxiedNode(t);
  const heads: string[] = [];
  node.serve(mirror(heads));
  const up = '/..'.repeat(4);
  const attacks: { sent: string; seen: string }[] = [
    { sent: `${up}/containerLogs/other/secret/c`, seen: `${up}/containerLogs/other/secret/c` },
    { sent: `${up}/exec/other/secret/c?command=env&output=1`, seen: `${up}/exec/other/secret/c?command=env&output=1` },
    { sent: '/%2e%2e/%2E%2e/.%2e/%2e./containerLogs/other/secret/c', seen: `${up}/containerLogs/other/secret/c` },
    { sent: '/..%2f..%2F..%2f../containerLogs/other/secret/c', seen: `${up}/containerLogs/other/secret/c` },
    {
      sent: '/%252e%252e/%252e%252e/containerLogs/other/secret/c',
      seen: '/%252e%252e/%252e%252e/containerLogs/other/secret/c',
    },
    {
      sent: '/..\\..\\..\\containerLogs\\other\\secret\\c',
      seen: '/..%5C..%5C..%5CcontainerLogs%5Cother%5Csecret%5Cc',
    },
    { sent: '/..%5c..%5CcontainerLogs/other/secret/c', seen: '/..%5C..%5CcontainerLogs/other/secret/c' },
    { sent: '//containerLogs/other/secret/c', seen: '/containerLogs/other/secret/c' },
    { sent: '/containerLogs/other/secret/c', seen: '/containerLogs/other/secret/c' },
    { sent: '/%00/%0d%0a/../x', seen: '/%00/%0D%0A/../x' },
    { sent: '/..;/..;/containerLogs/other/secret/c', seen: '/..;/..;/containerLogs/other/secret/c' },
    { sent: '/a/./b/.', seen: '/a/./b/.' },
  ];
  for (const resource of ['pods/web', 'pods/web:80', 'services/web', 'services/web:80'])
    for (const { sent, seen } of attacks)
      for (const [kind, headers] of [
        ['plain', 'Connection: close\r\n'],
        ['WebSocket', WEBSOCKET],
        ['SPDY', SPDY],
      ] as const) {
        heads.length = 0;
        const answer = await node.raw(
          `GET /api/v1/namespaces/default/${resource}/proxy${sent} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`,
        );
        const what = `${resource} ${sent} (${kind})`;
        t.notMatch(answer, 'TOPSECRET', what);
        t.notMatch(answer, /^HTTP\/1.1 101/, what);
        t.equal(heads[0]?.split('\r\n')[0], `GET ${seen} HTTP/1.1`, `${what}: the Pod sees it`);
        if (kind === 'plain') t.match(answer, `GET ${seen} HTTP/1.1`, `${what}: the Pod's answer comes back`);
        else t.match(answer, /"message":"invalid upgrade response: status code 200","code":500/, what);
      }
});

t.test("the kubelet's own API is served for nodes/proxy only, with its dot segments resolved as upstream", async t => {
  const node = await startProxiedNode(t);
  const rows: { path: string; code: number; text: RegExp | string }[] = [
    { path: '/containerLogs/other/secret/c', code: 200, text: 'TOPSECRET\n' },
    { path: '/healthz/../containerLogs/other/secret/c', code: 200, text: 'TOPSECRET\n' },
    { path: '/../../../healthz', code: 200, text: 'ok' },
    { path: '/podProxy/default/web/80/', code: 404, text: '404 page not found\n' },
    { path: '/nothing', code: 404, text: '404 page not found\n' },
  ];
  for (const name of ['node-1', 'node-1:10250'])
    for (const { path, code, text } of rows) {
      const answer = await node.raw(
        `GET /api/v1/nodes/${name}/proxy${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      t.match(answer, new RegExp(`^HTTP/1.1 ${code} `), `${name} ${path}`);
      t.match(answer, text, `${name} ${path}`);
    }
});

t.test('a node dials no address that is not a server of the cluster', async t => {
  const node = await startProxiedNode(t);
  const web = node.objects.get('pods/default/web');
  for (const [podIP, code, message] of [
    ['127.0.0.1', 400, 'address not allowed'],
    ['0.0.0.0', 400, 'address not allowed'],
    ['169.254.169.254', 400, 'address not allowed'],
    ['224.0.0.1', 400, 'address not allowed'],
    ['255.255.255.255', 400, 'address not allowed'],
    ['', 400, 'address not allowed'],
    ['::1', 400, 'address not allowed'],
    ['172.18.0.1', 503, 'error trying to reach service: dial tcp 172.18.0.1:80: address not allowed'],
    ['10.244.9.9', 503, 'error trying to reach service: dial tcp 10.244.9.9:80: connect: no route to host'],
  ] as const) {
    node.objects.set('pods/default/web', { ...web, status: { podIP } } as never);
    const answer = await node.api.request('GET', '/api/v1/namespaces/default/pods/web/proxy/');
    t.match(answer, { status: code, body: { kind: 'Status', message } }, podIP);
  }
});
