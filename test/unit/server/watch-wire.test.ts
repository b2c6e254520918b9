import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { startFakeApi, type FakeApi } from '../../support/fake-api.js';

const WATCH = '/api/v1/namespaces/d/configmaps?watch=true';

async function open(api: FakeApi, version: '1.0' | '1.1'): Promise<{ socket: TLSSocket; text: () => string }> {
  const socket = await api.socket();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const before = api.registry('configmaps').listeners.size;
  socket.write(`GET ${WATCH} HTTP/${version}\r\nHost: x\r\n\r\n`);
  while (!text.includes('\r\n\r\n')) await once(socket, 'data');
  t.equal(api.registry('configmaps').listeners.size, before + 1);
  return { socket, text: () => text };
}

const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

/** What the chunks of a body say. @throws Error where it is not made of chunks */
function unchunk(body: string): { text: string; ended: boolean } {
  let text = '';
  for (let at = 0; at < body.length;) {
    const line = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.slice(at, line), 16);
    if (Number.isNaN(length)) throw new Error(`no chunk begins at ${at}: ${body.slice(at, at + 20)}`);
    if (length === 0) return { text, ended: body.slice(line) === '\r\n\r\n' };
    text += body.slice(line + 2, line + 2 + length);
    at = line + 2 + length + 2;
  }
  return { text, ended: false };
}

const names = (lines: string): string[] =>
  lines
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as { object: { metadata: { name: string } } }).object.metadata.name);

t.test('all watchers get all events in order, as chunks that end, and their connections go on', async t => {
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const fake = api.registry('configmaps');
  const watchers = [await open(api, '1.1'), await open(api, '1.1'), await open(api, '1.1')];
  const expected: string[] = [];
  for (let i = 0; i < 200; i++) {
    expected.push(`a${i}`);
    fake.put('d', { metadata: { name: `a${i}` }, data: { x: 'x'.repeat(i * 10) } });
    if (i % 7 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  // What has just been told is still to be written when the watch ends.
  for (const listener of [...fake.listeners]) listener.end();
  for (const { socket, text } of watchers) {
    while (!text().endsWith('0\r\n\r\n')) await once(socket, 'data');
    const { text: lines, ended } = unchunk(bodyOf(text()));
    t.ok(ended);
    t.same(names(lines), expected);
    const from = text().length;
    socket.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n');
    while (text().length === from) await once(socket, 'data');
    t.match(text().slice(from), /^HTTP\/1\.1 200 OK\r\n/, 'the next request is answered');
    socket.destroy();
  }
});

t.test('a client of HTTP/1.0 gets lines, and the end of the connection', async t => {
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const fake = api.registry('configmaps');
  const { socket, text } = await open(api, '1.0');
  const closed = once(socket, 'close');
  for (const name of ['a', 'b', 'c']) fake.put('d', { metadata: { name } });
  for (const listener of [...fake.listeners]) listener.end();
  await closed;
  t.notMatch(text(), /transfer-encoding/i);
  t.same(names(bodyOf(text())), ['a', 'b', 'c']);
});

t.test('who goes while something waits for it leaves nothing behind', async t => {
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const fake = api.registry('configmaps');
  const { socket } = await open(api, '1.1');
  fake.put('d', { metadata: { name: 'a' } });
  socket.destroy();
  while (fake.listeners.size > 0) {
    fake.put('d', { metadata: { name: 'b' } }, 'MODIFIED');
    await new Promise(resolve => setImmediate(resolve));
  }
  t.equal(api.context.backlog.total(), 0);
  t.same(api.logged, []);
});
