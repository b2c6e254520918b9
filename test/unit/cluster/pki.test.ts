import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { ensurePki, PkiError } from '../../../src/cluster/keys/pki.js';

t.jobs = 1;

const pem = (kind: string): RegExp => new RegExp(`^-----BEGIN ${kind}-----\n`);

t.test('pki: made once, kept, renewed when it must be', async t => {
  const dir = t.testdir();
  const clock = new FakeClock();
  const first = await ensurePki(dir, { clock, serverNames: ['10.96.0.1', 'my-host'] });
  t.match(first.ca.cert, pem('CERTIFICATE'));
  t.match(first.serviceAccountKey, pem('RSA PRIVATE KEY'));
  const cert = new X509Certificate(first.serving.cert);
  for (const name of ['localhost', 'kubernetes', 'kubernetes.default.svc.cluster.local', 'my-host'])
    t.equal(cert.checkHost(name), name);
  for (const ip of ['127.0.0.1', '::1', '10.96.0.1']) t.equal(cert.checkIP(ip), ip);
  t.ok(cert.checkIssued(new X509Certificate(first.ca.cert)));
  t.ok(cert.verify(new X509Certificate(first.ca.cert).publicKey));
  for (const file of ['ca.key', 'apiserver.key', 'sa.key'])
    t.equal((await stat(join(dir, 'pki', file))).mode & 0o777, 0o600, file);

  const names = ['10.96.0.1', 'my-host'];
  const same = await ensurePki(dir, { clock, serverNames: names });
  t.same([same.ca, same.serving, same.serviceAccountKey], [first.ca, first.serving, first.serviceAccountKey]);
  const renamed = await ensurePki(dir, { clock, serverNames: [...names, '10.97.0.1'] });
  t.same(renamed.ca, first.ca);
  t.not(renamed.serving.cert, first.serving.cert, 'another name, another certificate');
  clock.step(340 * 86_400_000);
  const renewed = await ensurePki(dir, { clock, serverNames: [...names, '10.97.0.1'] });
  t.same(renewed.ca, first.ca);
  t.not(renewed.serving.cert, renamed.serving.cert, 'about to expire');
  t.notOk((await readdir(join(dir, 'pki'))).some(file => file.endsWith('.tmp')));
});

t.test('pki: what a crash leaves behind, and what is really broken', async t => {
  const cases: { name: string; break: (pki: string) => Promise<void>; error?: RegExp; newCa?: boolean }[] = [
    { name: 'key of the CA written, certificate not', break: pki => rm(join(pki, 'ca.crt')), newCa: true },
    { name: 'serving key without certificate', break: pki => rm(join(pki, 'apiserver.crt')) },
    { name: 'serving certificate without key', break: pki => rm(join(pki, 'apiserver.key')) },
    { name: 'serving certificate cut short', break: pki => writeFile(join(pki, 'apiserver.crt'), '-----BEGIN') },
    { name: 'public key of service accounts', break: pki => rm(join(pki, 'sa.pub')) },
    { name: 'key of the CA lost', break: pki => rm(join(pki, 'ca.key')), error: /ca\.key is missing$/ },
    {
      name: 'CA damaged',
      break: pki => writeFile(join(pki, 'ca.crt'), 'x'),
      error: /are damaged: /,
    },
    {
      name: 'service account key damaged',
      break: pki => writeFile(join(pki, 'sa.key'), ''),
      error: /sa\.key is damaged/,
    },
  ];
  for (const c of cases) {
    await t.test(c.name, async t => {
      const dir = t.testdir();
      const before = await ensurePki(dir, { clock: realClock });
      await c.break(join(dir, 'pki'));
      if (c.error !== undefined) {
        const error = await ensurePki(dir, { clock: realClock }).catch((e: unknown) => e);
        t.ok(error instanceof PkiError);
        t.match((error as Error).message, c.error);
        return;
      }
      const after = await ensurePki(dir, { clock: realClock });
      t.equal(after.ca.cert === before.ca.cert, c.newCa !== true);
      t.equal(after.serviceAccountKey, before.serviceAccountKey);
      t.ok(new X509Certificate(after.serving.cert).verify(new X509Certificate(after.ca.cert).publicKey));
    });
  }
});

t.test('a data folder that is a file', async t => {
  const dir = t.testdir();
  await mkdir(join(dir, 'x'));
  await writeFile(join(dir, 'x', 'pki'), '');
  await t.rejects(ensurePki(join(dir, 'x'), { clock: realClock }));
});
