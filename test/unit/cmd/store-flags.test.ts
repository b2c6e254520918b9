import { join } from 'node:path';
import t from 'tap';
import { etcdFlags, openStore, serversFlag } from '../../../src/cmd/store-flags.js';
import { SILENT } from '../../../src/machinery/logger.js';

t.test('what is wrong with the store that is asked for', async t => {
  const folder = t.testdir({ 'not-a-ca': 'x', 'some.crt': 'x' });
  const file = (name: string): string => join(folder, name);
  const https = { storage: 'etcd', etcdServers: 'https://127.0.0.1:1' };
  const rows: { name: string; flags: Record<string, string | boolean>; expect: string }[] = [
    {
      name: 'no such driver',
      flags: { storage: 'tape' },
      expect: 'invalid argument "tape" for "--storage" flag: want leveldb, memory or etcd',
    },
    { name: 'no servers', flags: { storage: 'etcd' }, expect: '--etcd-servers must be specified with --storage etcd' },
    {
      name: 'servers of another driver',
      flags: { storage: 'leveldb', etcdServers: 'http://127.0.0.1:1' },
      expect: '--etcd-servers is for --storage etcd, not leveldb',
    },
    {
      name: 'a prefix of another driver',
      flags: { storage: 'memory', etcdPrefix: '/x' },
      expect: '--etcd-prefix is for --storage etcd, not memory',
    },
    {
      name: 'data loss',
      flags: { ...https, acceptDataLoss: true },
      expect: '--accept-data-loss is about a store in a folder: etcd repairs its own',
    },
    {
      name: 'a CA without TLS',
      flags: { storage: 'etcd', etcdServers: 'http://127.0.0.1:1', etcdCafile: file('not-a-ca') },
      expect: '--etcd-cafile, --etcd-certfile and --etcd-keyfile are for servers at https:// URLs',
    },
    {
      name: 'a CA that is none',
      flags: { ...https, etcdCafile: file('not-a-ca') },
      expect: `--etcd-cafile: ${file('not-a-ca')} holds no certificate`,
    },
    {
      name: 'no such file',
      flags: { ...https, etcdCafile: file('none') },
      expect: `--etcd-cafile: ENOENT: no such file or directory, open '${file('none')}'`,
    },
    {
      name: 'a certificate without its key',
      flags: { ...https, etcdCertfile: file('some.crt') },
      expect: '--etcd-certfile and --etcd-keyfile go together',
    },
    {
      name: 'nobody there',
      flags: { storage: 'etcd', etcdServers: 'http://127.0.0.1:1,http://localhost:1' },
      expect: 'cannot reach etcd: http://localhost:1: connection refused',
    },
  ];
  for (const { name, flags, expect } of rows)
    await t.test(name, async t => void (await t.rejects(openStore(flags, SILENT), { message: expect })));
});

t.test('servers are URLs', async t => {
  for (const { value, expect } of [
    { value: 'http://127.0.0.1:2379', expect: ['http://127.0.0.1:2379'] },
    { value: 'https://a:2379/, https://[::1]:2379', expect: ['https://a:2379', 'https://[::1]:2379'] },
  ])
    t.same(serversFlag(value), expect, value);
  for (const value of ['127.0.0.1:2379', 'unix:///x', 'http://a:2379/path', 'http://u:p@a:2379', 'http://a:2379,,'])
    t.throws(
      () => serversFlag(value),
      {
        message: `invalid argument ${JSON.stringify(value)} for "--etcd-servers" flag: want a list of URLs such as https://127.0.0.1:2379`,
      },
      value,
    );
});

t.test('where keys are, when nothing is said, is where upstream has them', async t => {
  t.match(await etcdFlags({ etcdServers: 'http://a:1' }), { prefix: '/registry', tls: {} });
});
