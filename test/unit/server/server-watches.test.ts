import { once } from 'node:events';
import t from 'tap';
import WebSocket from 'ws';
import { until } from '../../support/until.js';
import { CONFIGMAPS, configMap, withApi, TABLE } from '../../support/server-requests.js';

t.test('watches', async t => {
  const api = await withApi(t);
  const fake = api.registry('configmaps');
  const lines = (text: string): unknown[] =>
    text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown);

  const open = async (path: string, accept = 'application/json') => {
    const socket = await api.socket();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`);
    const body = (): string =>
      text
        .slice(text.indexOf('\r\n\r\n') + 4)
        .split('\r\n')
        .filter((_, i) => i % 2 === 1)
        .join('');
    return { socket, head: () => text, body };
  };

  await t.test('headers come at once, events as they happen, a clean end when the server stops', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`);
    await until('headers', () => watch.head().includes('\r\n\r\n'));
    t.match(watch.head(), /^HTTP\/1\.1 200 OK/);
    t.match(watch.head(), /transfer-encoding: chunked/i);
    fake.put('d', configMap('a'));
    fake.send([{ type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true }]);
    await until('events', () => watch.body().includes('BOOKMARK'));
    t.match(lines(watch.body()), [
      { type: 'ADDED', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } } },
      {
        type: 'BOOKMARK',
        object: {
          kind: 'ConfigMap',
          apiVersion: 'v1',
          metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } },
        },
      },
    ]);
    watch.socket.destroy();
    await until('the registry hears of it', () => fake.listeners.size === 0);
  });

  await t.test('as Table: columns once', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`, TABLE);
    await until('watching', () => fake.listeners.size === 1);
    fake.put('d', configMap('b'));
    fake.put('d', configMap('c'));
    await until('events', () => watch.body().includes('"c"'));
    t.match(lines(watch.body()), [
      { type: 'ADDED', object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }], rows: [{}] } },
      { type: 'ADDED', object: { kind: 'Table', columnDefinitions: null, rows: [{}] } },
    ]);
    watch.socket.destroy();
    await until('gone', () => fake.listeners.size === 0);
  });

  await t.test('under the old prefix, for one object', async t => {
    const watch = await open('/api/v1/watch/namespaces/d/configmaps/a?resourceVersion=5');
    await until('watching', () => fake.listeners.size === 1);
    t.same(fake.calls.at(-1), {
      verb: 'watch',
      args: ['d', { resourceVersion: '5', fieldSelector: 'metadata.name=a' }],
    });
    watch.socket.destroy();
    await until('gone', () => fake.listeners.size === 0);
  });

  await t.test('a client that stops reading is seen by the registry and can be cut off', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`);
    await until('watching', () => fake.listeners.size === 1);
    watch.socket.pause();
    const [listener] = fake.listeners;
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 400 && (listener?.backlog() ?? 0) < 4 << 20; i++)
      fake.put('d', configMap('big', { text: 'x'.repeat(64 << 10) }), 'MODIFIED');
    t.ok((listener?.backlog() ?? 0) > 1 << 20, 'what the client does not take is counted');
    t.ok(process.memoryUsage().rss - before < 300 << 20);
    listener?.end();
    fake.listeners.clear();
    watch.socket.destroy();
  });

  await t.test('over a WebSocket', async t => {
    const url = `wss://127.0.0.1:${api.port}${CONFIGMAPS}?watch=true`;
    const refused = new WebSocket(url, { rejectUnauthorized: false });
    const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    t.equal(answer.statusCode, 403, 'no Origin');
    refused.on('error', () => undefined);
    refused.terminate();
    const socket = new WebSocket(url, { rejectUnauthorized: false, origin: 'http://x' });
    await once(socket, 'open');
    await until('watching', () => fake.listeners.size === 1);
    const frame = once(socket, 'message');
    fake.put('d', configMap('ws'));
    const [data, binary] = (await frame) as [Buffer, boolean];
    t.notOk(binary, 'JSON is sent as text');
    t.match(data.toString(), /^\{"type":"ADDED".*\}\n$/);
    socket.close();
    await until('gone', () => fake.listeners.size === 0);
    const none = await api.request('GET', `${CONFIGMAPS}/none`, {
      headers: { connection: 'upgrade', upgrade: 'websocket' },
    });
    t.equal(none.status, 404, 'an upgrade request may fail like any other');
  });

  await t.test('server stop', async t => {
    const watch = await open(`${CONFIGMAPS}?watch=true`);
    await until('watching', () => fake.listeners.size === 1);
    api.stop();
    await until('a clean end', () => watch.head().endsWith('0\r\n\r\n'));
    t.pass();
  });
});
