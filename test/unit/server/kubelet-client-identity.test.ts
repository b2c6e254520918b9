import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { realClock } from '../../../src/machinery/clock.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { ensurePki } from '../../../src/cluster/keys/pki.js';

const NAME = 'kube-apiserver-kubelet-client';

t.test('what the API server shows to nodes belongs to no group, also where an earlier version made it', async t => {
  const dir = t.testdir();
  const { ca, kubeletClient } = await ensurePki(dir, { clock: realClock });
  t.equal(new X509Certificate(kubeletClient.cert).subject, `CN=${NAME}`);
  const now = realClock.now();
  const old = issueCertificate({
    subject: { commonName: NAME, organizations: ['system:masters'] },
    usage: 'client',
    issuer: ca,
    notBefore: now - 1000,
    notAfter: now + 300 * 86_400_000,
  });
  const file = join(dir, 'pki', 'apiserver-kubelet-client.crt');
  await writeFile(file, old.cert);
  await writeFile(join(dir, 'pki', 'apiserver-kubelet-client.key'), old.key);
  const again = await ensurePki(dir, { clock: realClock });
  t.equal(new X509Certificate(again.kubeletClient.cert).subject, `CN=${NAME}`);
  t.equal(await readFile(file, 'utf8'), again.kubeletClient.cert, 'it is replaced in the folder');
  t.equal(again.ca.cert, ca.cert, 'and nothing else is');
});
