import t from 'tap';
import { mirror, startProxiedNode } from '../../support/proxied-node.js';

const LOG = '/api/v1/namespaces/other/pods/secret/log';
const EXEC = '/api/v1/namespaces/other/pods/secret/exec?command=true&stdout=1';
const PROXY = '/api/v1/namespaces/default/pods/web/proxy/x';
const NODE = '/api/v1/nodes/node-1/proxy/healthz';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const length = SMUGGLED.length;

/** Each leaves a server that copies headers in doubt about where the request ends. */
const HEADERS: { name: string; headers: string; body?: string }[] = [
  { name: 'a body that never comes', headers: `Content-Length: ${length}\r\n` },
  { name: 'a body that looks like a request', headers: `Content-Length: ${length}\r\n`, body: SMUGGLED },
  { name: 'half of a body', headers: `Content-Length: ${length + 10}\r\n`, body: SMUGGLED },
  { name: 'chunks that never end', headers: 'Transfer-Encoding: chunked\r\n', body: '5\r\nhello\r\n' },
  {
    name: 'length and chunks',
    headers: 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
    body: `0\r\n\r\n${SMUGGLED}`,
  },
  {
    name: 'chunks and length',
    headers: 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
    body: `0\r\n\r\n${SMUGGLED}`,
  },
  { name: 'two lengths', headers: 'Content-Length: 0\r\nContent-Length: 40\r\n', body: SMUGGLED },
  { name: 'a list of lengths', headers: 'Content-Length: 0, 40\r\n', body: SMUGGLED },
  { name: 'an unknown coding', headers: 'Transfer-Encoding: gzip, chunked\r\n', body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'a coding in disguise', headers: 'Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n', body: SMUGGLED },
  { name: 'an expectation', headers: `Expect: 100-continue\r\nContent-Length: ${length}\r\n` },
  { name: 'the length named hop by hop', headers: `Connection: Content-Length\r\nContent-Length: ${length}\r\n` },
  { name: 'an upgrade that is none', headers: `Upgrade: websocket\r\nContent-Length: ${length}\r\n`, body: SMUGGLED },
  {
    name: 'an upgrade with a body',
    headers: `Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${length}\r\n`,
    body: SMUGGLED,
  },
  {
    name: 'an upgrade with chunks',
    headers: 'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nTransfer-Encoding: chunked\r\n',
    body: `0\r\n\r\n${SMUGGLED}`,
  },
];

t.test('no request leaves something behind for the next user of a connection', async t => {
  const node = await startProxiedNode(t);
  const heads: string[] = [];
  node.serve(mirror(heads));
  for (const path of [LOG, PROXY, NODE, EXEC])
    for (const { name, headers, body = '' } of HEADERS) {
      const socket = await node.api.socket();
      socket.on('error', () => undefined);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`, 'latin1');
      const [log, health, page] = await Promise.all([
        node.api.request('GET', LOG),
        node.api.request('GET', NODE),
        node.api.request('GET', PROXY),
      ]);
      t.equal(log.text, 'TOPSECRET\n', `${path}, ${name}: the log of somebody else`);
      t.equal(health.text, 'ok', `${path}, ${name}: the node for somebody else`);
      t.equal(page.text, 'GET /x HTTP/1.1', `${path}, ${name}: the page of somebody else`);
      socket.destroy();
    }
  t.notMatch(heads.map(head => head.split('\r\n')[0]).join('\n'), 'smuggled', 'the Pod saw no request but those');
});

t.test('headers are rebuilt: what belongs to a connection ends with it', async t => {
  const node = await startProxiedNode(t);
  const heads: string[] = [];
  node.serve(mirror(heads));
  await node.raw(
    `GET ${PROXY}?a=%2e&b HTTP/1.1\r\nHost: front.example\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 3\r\nTE: trailers\r\n` +
      'Proxy-Connection: x\r\nProxy-Authorization: x\r\nAuthorization: Bearer abc\r\nImpersonate-User: nobody-real\r\nExpect: 100-continue\r\n' +
      'X-Remote-User: root\r\nHTTP2-Settings: AAA\r\nX-Forwarded-For: 1.2.3.4\r\nCookie: a=b\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n',
  );
  const [head = ''] = heads;
  t.strictSame(
    head
      .split('\r\n')
      .map(line => line.toLowerCase())
      .sort(),
    [
      'cookie: a=b',
      'get /x?a=%2e&b http/1.1',
      'host: front.example',
      'x-forwarded-for: 1.2.3.4, 127.0.0.1',
      'x-forwarded-uri: /api/v1/namespaces/default/pods/web/proxy/x',
      'x-twice: 1',
      'x-twice: 2',
    ],
  );
});

t.test('a body arrives as it was sent, whatever the method', async t => {
  const node = await startProxiedNode(t);
  const texts: string[] = [];
  node.serve(stream => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes('\r\n\r\nhello') && !text.includes('0\r\n\r\n')) return;
      texts.push(text);
      stream.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    for (const framing of [
      'Content-Length: 5\r\n\r\nhello',
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ]) {
      texts.length = 0;
      const answer = await node.raw(`${method} ${PROXY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${framing}`);
      t.match(answer, /^HTTP\/1.1 204 /, `${method} ${framing}`);
      t.match(
        texts[0]?.toLowerCase(),
        framing.split('\r\n')[0]?.toLowerCase(),
        `${method}: the framing is the client's`,
      );
    }
});

t.test('a Pod that answers what it was not asked ends its own connection only', async t => {
  const node = await startProxiedNode(t);
  const rows: { name: string; answer: string; code: number; message?: RegExp }[] = [
    { name: 'nothing', answer: '', code: 503, message: /error trying to reach service: EOF/ },
    { name: 'no HTTP', answer: 'SSH-2.0-x\r\n', code: 503, message: /error trying to reach service/ },
    {
      name: 'another protocol',
      answer: 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      code: 503,
      message: /without being asked/,
    },
    {
      name: 'length and chunks',
      answer: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      code: 503,
      message: /error trying to reach service/,
    },
    {
      name: 'two answers',
      answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
      code: 200,
    },
  ];
  for (const { name, answer, code, message } of rows) {
    node.serve(stream => stream.once('data', () => void stream.end(answer)));
    const got = await node.api.request('GET', PROXY);
    t.equal(got.status, code, name);
    if (message !== undefined) t.match(got.body, { kind: 'Status', reason: 'ServiceUnavailable', message }, name);
    else t.equal(got.text, 'ok', name);
  }
  t.equal((await node.api.request('GET', NODE)).text, 'ok');
});
