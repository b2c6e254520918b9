import t from 'tap';
import { etcdBinaries, freshStore, startEtcd } from '../support/etcd.js';
import { storageSuite } from './storage.js';

t.jobs = 1;
t.setTimeout(300_000);

const binaries = etcdBinaries();
if (binaries.length === 0) t.test('over etcd', { skip: 'etcd is not installed' }, () => undefined);

for (const { file, version } of binaries) {
  t.test(`etcd ${version}`, async t => {
    t.jobs = 1;
    const etcd = await startEtcd(file);
    t.teardown(() => etcd.close());
    storageSuite(t, `etcd ${version}`, () => freshStore(etcd.url));
  });
}
