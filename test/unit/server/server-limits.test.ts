import { once } from 'node:events';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { requestedFields } from '../../../src/server/pipeline/requested-fields.js';
import { parseRequestInfo, splitPath } from '../../../src/server/pipeline/request-info.js';
import { createInFlight } from '../../../src/server/pipeline/in-flight.js';
import { TooManyRequestsError } from '../../../src/server/pipeline/too-many-requests.js';
import { durationProblem, parseDuration } from '../../../src/machinery/duration.js';
import { parseJwt } from '../../../src/machinery/jwt.js';
import { writeOptions } from '../../../src/server/handlers/write-options.js';
import { parseInt64, parseUint64 } from '../../../src/server/registry/strconv.js';
import type { StatusError } from '../../../src/machinery/status.js';
import { startFakeApi, type FakeApi } from '../../support/fake-api.js';
import { until } from '../../support/until.js';

async function withApi(t: Test, options?: Parameters<typeof startFakeApi>[0]): Promise<FakeApi> {
  const api = await startFakeApi(options);
  t.teardown(() => api.close());
  return api;
}

const LONG = 60_000;
const SECRETS = '/api/v1/namespaces/d/secrets';

t.test('durations are read in one pass, in the words of time.ParseDuration', async t => {
  const digits = '9'.repeat(LONG);
  const rows: { name: string; input: string; expect: number | string }[] = [
    { name: 'digits and a letter', input: `${digits}x`, expect: `time: invalid duration "${digits}x"` },
    { name: 'digits alone', input: digits, expect: `time: invalid duration "${digits}"` },
    { name: 'a fraction that never ends', input: `0.${digits}s`, expect: 1000 },
    { name: 'many parts', input: '1s'.repeat(LONG), expect: LONG * 1000 },
    { name: 'no unit', input: '3', expect: 'time: missing unit in duration "3"' },
    { name: 'an unknown unit', input: '1d', expect: 'time: unknown unit "d" in duration "1d"' },
    { name: 'a sign alone', input: '-', expect: 'time: invalid duration "-"' },
    { name: 'a point alone', input: '.s', expect: 'time: invalid duration ".s"' },
    { name: 'more than an int64 of nanoseconds', input: '9999999h', expect: 'time: invalid duration "9999999h"' },
    { name: 'nothing', input: '', expect: 'time: invalid duration ""' },
  ];
  for (const { name, input, expect } of rows) t.same(durationProblem(input) ?? parseDuration(input), expect, name);
});

t.test('what is long is refused before it is worked on', async t => {
  t.same(splitPath(`/a${'/'.repeat(LONG)}`), ['a'], 'slashes at the end of a path');
  t.equal(parseJwt('.'.repeat(2_000_000)), undefined, 'a token of dots');
  t.throws(() => parseInt64('9'.repeat(LONG)), /value out of range/, 'an int64');
  t.throws(() => parseUint64('9'.repeat(LONG)), /value out of range/, 'a uint64');
  t.equal(parseInt64(`-${'0'.repeat(LONG)}7`), -7, 'leading zeros do not count');
  const manager = '\u0001'.repeat(LONG);
  try {
    writeOptions('CreateOptions', new URLSearchParams({ fieldManager: manager }), undefined);
    t.fail('a field manager of control characters');
  } catch (error) {
    const causes = (error as StatusError).status.details?.causes;
    t.equal(causes?.length, 1, 'a field manager of control characters is told once that it is too long');
  }
});

t.test('authorization and the registry read field selectors alike', async t => {
  const rows: { name: string; method?: string; url: string; expect: string; fields?: number }[] = [
    { name: 'a name', url: `${SECRETS}?fieldSelector=metadata.name%3Ds1`, expect: 's1', fields: 1 },
    {
      name: 'a name among others',
      url: `${SECRETS}?fieldSelector=type!%3Da,metadata.name%3Ds1`,
      expect: 's1',
      fields: 2,
    },
    { name: 'a comma that is a character', url: `${SECRETS}?fieldSelector=type!%3D%5C,metadata.name%3Ds1`, expect: '' },
    { name: 'an escaped name', url: `${SECRETS}?fieldSelector=metadata.name%3Da%5C%2Cb`, expect: 'a,b', fields: 1 },
    {
      name: 'two names',
      url: `${SECRETS}?fieldSelector=metadata.name%3Ds2,metadata.name%3Ds1`,
      expect: 's1',
      fields: 2,
    },
    { name: 'not a name', url: `${SECRETS}?fieldSelector=metadata.name!%3Ds1`, expect: '', fields: 1 },
    { name: 'what no path could hold', url: `${SECRETS}?fieldSelector=metadata.name%3Da/b`, expect: '', fields: 1 },
    {
      name: 'other options that cannot be read',
      url: `${SECRETS}?limit=x&fieldSelector=metadata.name%3Ds1`,
      expect: '',
      fields: 1,
    },
    {
      name: 'labels that cannot be read',
      url: `${SECRETS}?labelSelector=!!&fieldSelector=metadata.name%3Ds1`,
      expect: '',
      fields: 1,
    },
    {
      name: 'the deprecated prefix',
      url: `/api/v1/watch/namespaces/d/secrets?fieldSelector=metadata.name%3Ds1`,
      expect: '',
    },
    {
      name: 'a deletion of several',
      method: 'DELETE',
      url: `${SECRETS}?fieldSelector=metadata.name%3Ds1`,
      expect: '',
      fields: 1,
    },
    { name: 'one object', url: `${SECRETS}/s2?fieldSelector=metadata.name%3Ds1`, expect: '' },
  ];
  for (const { name, method = 'GET', url, expect, fields } of rows) {
    const [path = '', text = ''] = url.split('?');
    const query = new URLSearchParams(text);
    const found = requestedFields(parseRequestInfo(method, path, query), query);
    t.equal(found.name, expect, name);
    t.equal(found.fields?.length, fields, `${name}: requirements`);
  }
});

t.test('a watch of one object under the deprecated prefix cannot be widened', async t => {
  const api = await withApi(t);
  const asked = api.request('GET', `/api/v1/watch/namespaces/d/secrets/s1?fieldSelector=type!%3D%5C`);
  asked.catch(() => undefined);
  const { calls } = api.registry('secrets');
  while (calls.length === 0) await new Promise(resolve => setImmediate(resolve));
  t.match(calls[0], { verb: 'watch', args: ['d', { fieldSelector: 'metadata.name=s1,type!=\\' }] });
  api.stop();
});

t.test('a request head has its limits', async t => {
  const api = await withApi(t);
  const rows: { name: string; path?: string; headers?: Record<string, string>; code: number }[] = [
    { name: 'a header of 15 KiB', headers: { 'x-a': 'a'.repeat(15 << 10) }, code: 200 },
    { name: 'a header of 17 KiB', headers: { 'x-a': 'a'.repeat(17 << 10) }, code: 431 },
    { name: 'a header of 200 KiB', headers: { 'x-a': 'a'.repeat(200 << 10) }, code: 431 },
    { name: 'a path of slashes', path: `/a${'/'.repeat(LONG)}`, code: 404 },
    { name: 'a timeout of digits', path: `/api?timeout=${'9'.repeat(LONG)}x`, code: 400 },
    { name: 'a path of 200 KiB', path: `/${'a'.repeat(200 << 10)}`, code: 431 },
  ];
  for (const { name, path = '/api', headers = {}, code } of rows) {
    const { status, headers: answered } = await api.request('GET', path, { headers });
    t.equal(status, code, name);
    if (code === 431) t.equal(answered.connection, 'close', `${name}: the connection ends`);
  }
});

t.test('requests that come at once are begun one after the other', async t => {
  const api = await withApi(t);
  const configMaps = api.registry('configmaps');
  for (const name of ['a', 'b', 'c']) configMaps.put('d', { metadata: { name } });
  const socket = await api.socket();
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const line = (name: string): string => `GET /api/v1/namespaces/d/configmaps/${name} HTTP/1.1\r\nHost: x\r\n\r\n`;
  socket.write(['a', 'b', 'c', 'a'].map(line).join(''));
  while (text.split('HTTP/1.1 200').length < 5) await once(socket, 'data');
  const names = [...text.matchAll(/"name":"([abc])"/g)].map(match => match[1]);
  t.same(names, ['a', 'b', 'c', 'a']);
  socket.write(line('b'));
  await once(socket, 'data');
  t.match(text, /"name":"b"/, 'and the connection goes on');
});

t.test('a large request behind a large answer that is still going out is read', async t => {
  const api = await withApi(t);
  const configMaps = api.registry('configmaps');
  for (let i = 0; i < 24; i++)
    configMaps.put('d', { metadata: { name: `big-${i}` }, data: { k: 'v'.repeat(1 << 20) } });
  const socket = await api.socket();
  t.teardown(() => socket.destroy());
  const path = '/api/v1/namespaces/d/configmaps';
  const body = JSON.stringify({ metadata: { name: 'new' }, data: { k: 'v'.repeat(300_000) } });
  const { calls } = configMaps;
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await until('the first is read', () => calls.length === 1);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  // The whole of it is on its way before the answer is taken.
  await until('the second is on its way', () => socket.writableLength === 0);
  let tail = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (tail = (tail + chunk).slice(-400_000)));
  socket.resume();
  await until('an answer to the second', () => /HTTP\/1.1 (201|4)/.test(tail));
  t.equal(/HTTP\/1.1 (201|4..)/.exec(tail)?.[1], '201');
});

t.test('a connection whose request came to an end is not kept by a body that does not come', async t => {
  const api = await withApi(t);
  const socket = await api.socket();
  socket.on('error', () => undefined);
  socket.resume();
  socket.write('GET /version HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n');
  await once(socket, 'close');
  t.pass('closed by the server');
});

const held = (api: FakeApi): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = tlsConnect({ host: '127.0.0.1', port: api.port, rejectUnauthorized: false });
    // Half open: does not close its side when the server does.
    socket.allowHalfOpen = true;
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });

t.test('a client that ignores the end of its connection is cut off', async t => {
  const api = await withApi(t);
  const socket = await held(api);
  socket.on('error', () => undefined);
  socket.write('this is not HTTP\r\n\r\n');
  socket.resume();
  const [connections] = await new Promise<[number]>(resolve => {
    const look = (): void =>
      void api.connections().then(count => (count === 0 ? resolve([count]) : setImmediate(look)));
    look();
  });
  t.equal(connections, 0);
  socket.destroy();
});

t.test('more requests than are worked on at a time are told to come again', async t => {
  const limits = createInFlight({ reading: 1, writing: 1 });
  const user = { name: 'u', groups: ['system:authenticated'] };
  const leave = limits.enter('list', user);
  limits.enter('create', user);
  t.throws(() => limits.enter('get', user), TooManyRequestsError, 'reading');
  t.throws(() => limits.enter('create', user), TooManyRequestsError, 'writing');
  t.doesNotThrow(
    () => limits.enter('get', { name: 'root', groups: ['system:masters'] }).release(),
    'but for cluster admins',
  );
  leave.release();
  leave.release();
  limits.enter('get', user);
  t.throws(() => limits.enter('get', user), TooManyRequestsError, 'a place is given back once');

  const refuse = (): never => {
    throw new TooManyRequestsError();
  };
  const api = await withApi(t, { inFlight: { enter: refuse }, flowControl: undefined });
  const { status, headers, text } = await api.request('GET', '/api');
  t.equal(status, 429);
  t.equal(headers['retry-after'], '1');
  t.equal(text, 'Too many requests, please try again later.\n');
});
