import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { keysInMemory } from '../../../src/cluster/keys/files.js';
import { createPki } from '../../../src/cluster/keys/pki.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { createApiServer } from '../../../src/server/create-server.js';
import { parseEncryptionConfiguration } from '../../../src/server/encryption/configuration.js';
import { BACKUP_PATH } from '../../../src/server/endpoints/backup.js';
import type { ApiServerOptions } from '../../../src/server/options.js';
import { readBackup } from '../../../src/storage/backup/read.js';
import type { KeyValue, KvStore } from '../../../src/storage/kv-store.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { until } from '../../support/until.js';

const keys = createPki(keysInMemory(), { clock: realClock });

async function start(t: Test, options: Partial<ApiServerOptions> = {}) {
  const pki = await keys;
  const tokens = new Map([
    ['admin', { name: 'admin', groups: ['system:masters'] }],
    ['jane', { name: 'jane', groups: [] }],
  ]);
  const server = await createApiServer({ store: createMemoryStore(), pki, tokens, ...options });
  const { port } = await server.listen();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= server.close());
  t.teardown(close);
  const open = (method: string, path: string, token = 'admin', body = ''): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = httpsRequest({ host: '127.0.0.1', port, method, path, ca: pki.ca.cert, headers, agent: false });
      sent.once('error', reject);
      sent.once('response', resolve);
      sent.end(body);
    });
  return { open, close };
}

async function objectsOf(answer: IncomingMessage): Promise<readonly KeyValue[]> {
  const objects: KeyValue[] = [];
  for await (const part of readBackup(answer)) if ('object' in part) objects.push(part.object);
  return objects;
}

const CONFIGURATION = parseEncryptionConfiguration(
  'encryption.yaml',
  `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aesgcm:
      keys: [{ name: one, secret: ${Buffer.alloc(16, 7).toString('base64')} }]
`,
);

t.test('a backup has all that is stored, as it is stored', async t => {
  const store = createMemoryStore();
  const { open } = await start(t, { store, encryption: CONFIGURATION });
  const secret = JSON.stringify({ metadata: { name: 's' }, stringData: { password: 'hunter2' } });
  t.equal((await open('POST', '/api/v1/namespaces/default/secrets', 'admin', secret)).statusCode, 201);
  const answer = await open('GET', BACKUP_PATH);
  t.equal(answer.statusCode, 200);
  const objects = await objectsOf(answer);
  const { items } = await store.range('');
  t.strictSame(
    objects.map(({ key }) => key),
    items.map(({ key }) => key),
  );
  const kept = objects.find(({ key }) => key === '/registry/secrets/default/s');
  t.match(Buffer.from(kept?.value ?? '').toString('latin1'), /^k8s:enc:aesgcm:v1:one:/);
});

t.test('it is for administrators, to be read, and not shown among the paths', async t => {
  const { open } = await start(t);
  t.equal((await open('GET', BACKUP_PATH, 'jane')).statusCode, 403);
  t.equal((await open('POST', BACKUP_PATH)).statusCode, 405);
  let index = '';
  for await (const chunk of await open('GET', '/')) index += String(chunk);
  t.notMatch(index, /backup/);
});

t.test('a store that has tools of its own is none of it', async t => {
  const store = createMemoryStore();
  delete store.scan;
  const { open } = await start(t, { store });
  t.equal((await open('GET', BACKUP_PATH)).statusCode, 404);
});

/** More than any connection holds on to. */
const pageOfMany = (revision: number): KeyValue[] =>
  Array.from({ length: 100 }, (_, i) => ({
    key: `/many/${i}`,
    value: Buffer.alloc(100_000, 'x'),
    createRevision: 1,
    modRevision: revision,
  }));

/** Scans that go on for as long as somebody takes them. */
function endless(): { store: KvStore; open: () => number } {
  const store = createMemoryStore();
  let open = 0;
  store.scan = async function* (signal) {
    open++;
    try {
      for (;;) {
        signal.throwIfAborted();
        yield { revision: 9, items: pageOfMany(9) };
      }
    } finally {
      open--;
    }
  };
  return { store, open: () => open };
}

t.test('who does not read, goes away, or meets a server that stops keeps nothing open; a third one waits', async t => {
  const clock = new FakeClock(realClock.now());
  const { store, open: scans } = endless();
  const { open, close } = await start(t, { store, clock });
  const [slow, gone] = [await open('GET', BACKUP_PATH), await open('GET', BACKUP_PATH)];
  const third = await open('GET', BACKUP_PATH);
  t.equal(third.statusCode, 429);
  t.ok(Number(third.headers['retry-after']) > 0);
  gone.destroy();
  slow.on('error', () => undefined);
  await until('the one who is gone has none', () => scans() === 1);
  await until('who does not read has none', async () => {
    await clock.advance(5_000);
    return scans() === 0;
  });
  const last = await open('GET', BACKUP_PATH);
  last.on('error', () => undefined);
  last.resume();
  await close();
  await until('the server has ended it', () => scans() === 0);
});
