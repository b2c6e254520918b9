import { request as httpsRequest } from 'node:https';
import t, { type Test } from 'tap';
import { realClock, type Clock } from '../../../../src/machinery/clock.js';
import { keysInMemory } from '../../../../src/cluster/keys/files.js';
import { createPki } from '../../../../src/cluster/keys/pki.js';
import { createApiServer } from '../../../../src/server/create-server.js';
import type { EncryptionConfiguration, Key, Provider } from '../../../../src/server/encryption/configuration.js';
import type { ApiServerOptions } from '../../../../src/server/options.js';
import type { KvStore } from '../../../../src/storage/kv-store.js';
import { createMemoryStore } from '../../../../src/storage/memory/memory-store.js';
import { until } from '../../../support/until.js';

const keys = createPki(keysInMemory(), { clock: realClock });
const SECRETS = '/api/v1/namespaces/default/secrets';

const key = (name: string, fill: number): Key => ({ name, secret: Buffer.alloc(32, fill).toString('base64') });
const of = (...providers: Provider[]): EncryptionConfiguration => ({
  resources: [{ resources: ['secrets'], providers }],
});
const OLD: Provider = { aescbc: { keys: [key('key1', 1)] } };
const NEW: Provider = { aesgcm: { keys: [key('key2', 2)] } };
const IDENTITY: Provider = { identity: {} };

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A server over a store that outlives it. */
async function start(
  t: Test,
  store: KvStore,
  encryption: EncryptionConfiguration | undefined,
  more: Partial<ApiServerOptions> = {},
) {
  const pki = await keys;
  const tokens = new Map([['admin', { name: 'admin', groups: ['system:masters'] }]]);
  const kept = Object.create(store, { close: { value: () => Promise.resolve() } }) as KvStore;
  const server = await createApiServer({
    store: kept,
    pki,
    tokens,
    ...(encryption === undefined ? {} : { encryption }),
    ...more,
  });
  const { port } = await server.listen();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= server.close());
  t.teardown(close);
  const call = (method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: 'Bearer admin', 'content-type': type };
      const sent = httpsRequest(
        { host: '127.0.0.1', port, method, path, ca: pki.ca.cert, headers, agent: false },
        response => {
          let text = '';
          response.on('data', chunk => (text += String(chunk)));
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : { text },
            }),
          );
        },
      );
      sent.once('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return { call, close };
}

const secret = (name: string): object => ({ metadata: { name }, stringData: { word: 'open sesame' } });
const stored = async (store: KvStore, name: string): Promise<string> =>
  Buffer.from((await store.get(`/registry/secrets/default/${name}`))?.value ?? '').toString('latin1');

t.test('values are encrypted in the store and nowhere else, and keys are rotated by their order', async t => {
  const store = createMemoryStore();
  const plain = await start(t, store, undefined);
  t.equal((await plain.call('POST', SECRETS, secret('plain'))).status, 201);
  await plain.close();

  const first = await start(t, store, of(OLD, IDENTITY));
  t.equal((await first.call('POST', SECRETS, secret('a'))).status, 201);
  t.match(await stored(store, 'a'), /^k8s:enc:aescbc:v1:key1:/);
  t.notMatch(await stored(store, 'a'), 'b3BlbiBzZXNhbWU');
  t.match(await stored(store, 'plain'), /^\{/);
  t.match(await first.call('GET', `${SECRETS}/a`), { status: 200, body: { data: { word: 'b3BlbiBzZXNhbWU=' } } });
  t.match(await first.call('GET', `${SECRETS}/plain`), { status: 200, body: { data: { word: 'b3BlbiBzZXNhbWU=' } } });
  await first.close();

  const second = await start(t, store, of(NEW, OLD, IDENTITY));
  const list = await second.call('GET', SECRETS);
  t.match(list.body, { items: [{ metadata: { name: 'a' } }, { metadata: { name: 'plain' } }] });
  for (const name of ['a', 'plain']) {
    const before = await second.call('GET', `${SECRETS}/${name}`);
    const same = await second.call('PUT', `${SECRETS}/${name}`, before.body);
    t.equal(same.status, 200);
    t.match(await stored(store, name), /^k8s:enc:aesgcm:v1:key2:/, 'a write that changes nothing encrypts it anew');
    const again = await second.call('PUT', `${SECRETS}/${name}`, same.body);
    t.same(again.body['metadata'], same.body['metadata'], 'and the next one is no write');
  }
  const patched = await second.call(
    'PATCH',
    `${SECRETS}/a`,
    { data: { more: 'eA==' } },
    'application/merge-patch+json',
  );
  t.match(patched.body, { data: { word: 'b3BlbiBzZXNhbWU=', more: 'eA==' } });
  t.equal((await second.call('DELETE', `${SECRETS}/plain`)).status, 200);
  await second.close();

  const third = await start(t, store, of(NEW));
  t.match(
    await third.call('GET', `${SECRETS}/a`),
    { status: 200, body: { data: { more: 'eA==' } } },
    'the old key has gone',
  );
});

t.test('what cannot be read is an error, as it is upstream, and is there when its key is back', async t => {
  const store = createMemoryStore();
  const first = await start(t, store, of(OLD));
  await first.call('POST', SECRETS, secret('a'));
  await first.close();
  const before = await stored(store, 'a');

  const reasons: [string, EncryptionConfiguration | undefined, string][] = [
    [
      'another key',
      of({ aescbc: { keys: [key('key2', 2)] } }),
      'no matching key was found for the provided AES transformer',
    ],
    ['another provider', of(NEW), 'no matching prefix found'],
    ['none', of(IDENTITY), 'no matching prefix found'],
    ['no configuration', undefined, 'identity transformer tried to read encrypted data'],
  ];
  for (const [name, encryption, reason] of reasons) {
    const { call, close } = await start(t, store, encryption);
    const failed = (why: string): object => ({
      status: 500,
      body: {
        message: `Internal error occurred: ${why}`,
        reason: 'InternalError',
        details: { causes: [{ message: why }] },
      },
    });
    const untransformed = `unable to transform key "/registry/secrets/default/a": ${reason}`;
    const merge = 'application/merge-patch+json';
    t.match(await call('GET', `${SECRETS}/a`), failed(reason), `${name}: get`);
    t.match(await call('PATCH', `${SECRETS}/a`, { data: { x: 'eA==' } }, merge), failed(reason), `${name}: patch`);
    t.match(await call('DELETE', `${SECRETS}/a`), failed(reason), `${name}: delete`);
    t.match(await call('GET', SECRETS), failed(untransformed), `${name}: list`);
    t.match(await call('GET', `${SECRETS}?limit=1`), failed(untransformed), `${name}: page`);
    t.match(await call('DELETE', SECRETS), failed(untransformed), `${name}: delete all`);
    t.match(
      await call('POST', SECRETS, secret('a')),
      { status: 409, body: { reason: 'AlreadyExists' } },
      `${name}: create`,
    );
    for (const query of ['resourceVersion=0', 'watch=1'])
      t.match(
        await call('GET', `${SECRETS}?${query}`),
        {
          status: 429,
          body: {
            message: `storage is (re)initializing: failed to list *core.Secret: ${untransformed}`,
            reason: 'TooManyRequests',
            details: { retryAfterSeconds: 1 },
          },
        },
        `${name}: ${query}`,
      );
    t.equal((await call('GET', '/api/v1/namespaces/default/configmaps')).status, 200, 'others are read as ever');
    await close();
    t.equal(await stored(store, 'a'), before, 'nothing was lost');
  }
  const last = await start(t, store, of(OLD));
  t.match(await last.call('GET', `${SECRETS}/a`), { status: 200, body: { data: { word: 'b3BlbiBzZXNhbWU=' } } });
});

t.test('custom resources are encrypted as others are', async t => {
  const store = createMemoryStore();
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names,
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
  const configuration: EncryptionConfiguration = { resources: [{ resources: ['*.example.com'], providers: [NEW] }] };
  const first = await start(t, store, configuration);
  const made = await first.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  t.equal(made.status, 201);
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, word: 'open sesame' };
  await until('widgets are served', async () => (await first.call('POST', WIDGETS, widget)).status === 201);
  const kept = Buffer.from((await store.get('/registry/example.com/widgets/default/w'))?.value ?? '').toString(
    'latin1',
  );
  t.match(kept, /^k8s:enc:aesgcm:v1:key2:/);
  t.notMatch(kept, 'sesame');
  await first.close();
  const second = await start(t, store, configuration);
  await until('widgets are served again', async () => (await second.call('GET', WIDGETS)).status === 200);
  t.match(await second.call('GET', `${WIDGETS}/w`), { status: 200, body: { word: 'open sesame' } });
});

t.test('another file is taken into use while the server serves', async t => {
  const store = createMemoryStore();
  const before = await start(t, store, of(OLD));
  await before.call('POST', SECRETS, secret('lost'));
  await before.close();
  await start(t, store, of(NEW)).then(async ({ call, close }) => {
    await call('POST', SECRETS, secret('a'));
    await close();
  });

  const file = (...providers: Provider[]): string =>
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', ...of(...providers) });
  let content = file(NEW);
  /** A minute has passed for whoever sleeps so long. */
  const asleep: (() => void)[] = [];
  const minute = (): void => asleep.splice(0).forEach(wake => wake());
  const clock = Object.create(realClock, {
    sleep: {
      value: (ms: number, signal: AbortSignal) =>
        ms === 60_000 ? new Promise<void>(resolve => void asleep.push(resolve)) : realClock.sleep(ms, signal),
    },
  }) as Clock;
  const { call } = await start(t, store, of(NEW), {
    clock,
    encryptionFile: { path: 'enc.yaml', content, read: () => Promise.resolve(content) },
  });
  const reloads = async (status: string): Promise<number> => {
    const { body } = await call('GET', '/metrics');
    const line = new RegExp(
      `^apiserver_encryption_config_controller_automatic_reloads_total\\{.*${status}"\\} (\\d+)$`,
      'm',
    );
    return Number(line.exec(String(body['text']))?.[1] ?? 0);
  };
  t.equal((await call('GET', '/readyz/kms-providers')).status, 200);
  t.equal((await call('GET', `${SECRETS}/lost`)).status, 500);

  content = 'kind: Nonsense';
  minute();
  await until('refused', async () => (await reloads('failure')) > 0);
  t.equal((await call('GET', `${SECRETS}/a`)).status, 200, 'what was there stays');

  const THIRD: Provider = { secretbox: { keys: [key('key3', 3)] } };
  content = file(THIRD, NEW, OLD);
  minute();
  await until('in use', async () => (await reloads('success')) === 1);
  t.equal((await call('GET', `${SECRETS}/lost`)).status, 200, 'a key that has come back reads');
  t.match((await call('GET', SECRETS)).body, { items: [{ metadata: { name: 'a' } }, { metadata: { name: 'lost' } }] });
  for (const name of ['a', 'lost']) {
    const { body } = await call('GET', `${SECRETS}/${name}`);
    t.equal((await call('PUT', `${SECRETS}/${name}`, body)).status, 200);
    t.match(await stored(store, name), /^k8s:enc:secretbox:v1:key3:/, 'a write that changes nothing encrypts it anew');
  }
  await call('POST', SECRETS, secret('b'));
  t.match(await stored(store, 'b'), /^k8s:enc:secretbox:v1:key3:/);
});
