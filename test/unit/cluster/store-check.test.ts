import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { lockFolder } from '../../../src/cluster/folder-lock.js';
import { openFolderStore } from '../../../src/cluster/store.js';
import { checkStore, type Checked } from '../../../src/cluster/store-care/check.js';
import { defragStore } from '../../../src/cluster/store-care/defrag.js';
import { withStore } from '../../../src/cluster/store-care/place.js';
import { realClock } from '../../../src/machinery/clock.js';
import {
  parseEncryptionConfiguration,
  type EncryptionConfiguration,
} from '../../../src/server/encryption/configuration.js';
import { createTransformers } from '../../../src/server/encryption/transformers.js';

const SERVICE = '/registry/services/specs/default/web';
const ADDRESS = '/registry/ipaddresses/10.96.0.5';
const PORT = '/registry/ranges/servicenodeports/30080';
const SECRET = '/registry/secrets/default/s';

const meta = (name: string, namespace?: string) => ({ name, namespace, uid: `uid-of-${name}` });
const parentRef = (name: string) => ({ parentRef: { resource: 'services', namespace: 'default', name } });
const web = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web', 'default'),
  spec: { type: 'NodePort', clusterIPs: ['10.96.0.5'], ports: [{ port: 80, nodePort: 30080 }] },
};
const address = (holder: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: { ...meta('10.96.0.5'), labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
  spec: parentRef(holder),
});
const port = (holder: string) => ({
  apiVersion: 'v1',
  kind: 'NodePort',
  metadata: meta('30080'),
  spec: parentRef(holder),
});
const WHOLE = { [SERVICE]: web, [ADDRESS]: address('web'), [PORT]: port('web') };

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
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: meta('s', 'default') };
const sealed = (key: string): Uint8Array =>
  createTransformers(CONFIGURATION)({ group: '', resource: 'secrets' })?.seal(
    Buffer.from(JSON.stringify(secret)),
    key,
  ) ?? Buffer.alloc(0);

interface Row {
  readonly name: string;
  readonly stored: Readonly<Record<string, object | Uint8Array>>;
  readonly encryption?: EncryptionConfiguration;
  readonly expect: readonly string[];
  readonly encrypted?: number;
}

const ROWS: readonly Row[] = [
  { name: 'a Service and what is reserved for it', stored: WHOLE, expect: [] },
  {
    name: 'no object of its kind',
    stored: { '/registry/pods/default/a': { apiVersion: 'v1', kind: 'Pod', metadata: meta('a', 'default'), spec: [] } },
    expect: [
      '/registry/pods/default/a: is no object: Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec',
    ],
  },
  {
    name: 'called otherwise',
    stored: {
      '/registry/configmaps/default/a': { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('b', 'default') },
    },
    expect: ['/registry/configmaps/default/a: is called "default/b"'],
  },
  {
    name: 'a custom resource, of which metadata is known',
    stored: {
      '/registry/example.com/things/default/a': { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 1 } },
      '/registry/example.com/things/default/b': {
        apiVersion: 'example.com/v1',
        kind: 'Thing',
        metadata: meta('b', 'default'),
      },
    },
    expect: [
      '/registry/example.com/things/default/a: is no object: ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string',
    ],
  },
  {
    name: 'an address that is not reserved',
    stored: { [SERVICE]: web, [PORT]: port('web') },
    expect: [`${ADDRESS}: is missing: Service default/web has it (an API server mends it when it starts)`],
  },
  {
    name: 'a port that is reserved for another',
    stored: { ...WHOLE, [PORT]: port('gone') },
    expect: [`${PORT}: is reserved for Service default/gone, and default/web has it`],
  },
  {
    name: 'reservations of nobody',
    stored: { [ADDRESS]: address('gone') },
    expect: [
      `${ADDRESS}: is reserved for Service default/gone, which has it not (an API server mends it when it starts)`,
    ],
  },
  { name: 'encrypted, and nobody says how', stored: { [SECRET]: sealed(SECRET) }, expect: [], encrypted: 1 },
  { name: 'encrypted', stored: { [SECRET]: sealed(SECRET) }, encryption: CONFIGURATION, expect: [] },
  {
    name: 'encrypted for another place',
    stored: { [SECRET]: sealed('/registry/secrets/default/other') },
    encryption: CONFIGURATION,
    expect: [`${SECRET}: cannot be decrypted: cipher: message authentication failed`],
  },
];

async function fill(dataDir: string, stored: Row['stored']): Promise<void> {
  const store = await openFolderStore(dataDir, { clock: realClock });
  for (const [key, value] of Object.entries(stored)) {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
    await store.commit([], [{ type: 'put', key, value: bytes }]);
  }
  await store.close();
}

async function check(dataDir: string, encryption?: EncryptionConfiguration): Promise<Checked & { lines: string[] }> {
  const lines: string[] = [];
  const checked = await withStore(
    dataDir,
    place => checkStore(place, { found: ({ about, problem }) => lines.push(`${about}: ${problem}`), encryption }),
    { readOnly: true },
  );
  return { ...checked, lines };
}

for (const { name, stored, encryption, expect, encrypted = 0 } of ROWS)
  t.test(`check: ${name}`, async t => {
    const dataDir = t.testdir();
    await fill(dataDir, stored);
    const checked = await check(dataDir, encryption);
    t.strictSame(checked.lines, expect);
    t.equal(checked.encrypted, encrypted);
    t.equal(checked.objects, Object.keys(stored).length);
  });

t.test('a store that a server has is left alone, and one that is not there is said to be missing', async t => {
  const dataDir = t.testdir();
  await fill(dataDir, WHOLE);
  const lock = await lockFolder(dataDir);
  await lock.serving('https://127.0.0.1:6443');
  await t.rejects(check(dataDir), {
    code: 'locked',
    message: new RegExp(`in use by process ${process.pid}, which listens on https://127.0.0.1:6443; stop it first`),
  });
  await lock.release();
  await rm(join(dataDir, 'store'), { recursive: true });
  await t.rejects(check(dataDir), { message: `there is no store in ${dataDir}` });
});

t.test(
  'a folder that cannot be written is checked',
  { skip: process.getuid?.() === 0 && 'root may write' },
  async t => {
    const dataDir = t.testdir();
    await fill(dataDir, WHOLE);
    for (const dir of ['store', '']) await chmod(join(dataDir, dir), 0o500);
    t.teardown(() => chmod(dataDir, 0o700));
    t.same((await check(dataDir)).lines, []);
  },
);

t.test('defrag gives room back, and changes nothing else', async t => {
  const dataDir = t.testdir();
  const store = await openFolderStore(dataDir, { clock: realClock });
  for (let i = 0; i < 200; i++) {
    const value = Buffer.from(JSON.stringify({ ...web, data: `${i}`.repeat(4_000) }));
    await store.commit([], [{ type: 'put', key: SERVICE, value }]);
  }
  await store.compact(200);
  await store.close();
  const { before, after } = await withStore(dataDir, defragStore);
  t.ok(after < before / 10, `${before} bytes before, ${after} after`);
  const again = await openFolderStore(dataDir, { clock: realClock });
  t.equal(again.observed(), 200);
  t.equal((await again.range('/')).items.length, 1);
  await again.close();
});
