import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { KubeConfigError, loadKubeConfig } from '../../../src/client/kubeconfig.js';

t.test('kubeconfig', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-test-'));
  const file = join(folder, 'config');
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'shop' } }],
      clusters: [
        {
          name: 'k',
          cluster: {
            server: 'https://127.0.0.1:6443/',
            'certificate-authority-data': Buffer.from('CA').toString('base64'),
          },
        },
      ],
      users: [{ name: 'u', user: { token: 'secret' } }],
    }),
  );
  t.match(await loadKubeConfig(file), {
    server: 'https://127.0.0.1:6443',
    ca: 'CA',
    token: 'secret',
    namespace: 'shop',
  });
  await t.rejects(loadKubeConfig(file, 'other'), KubeConfigError);
  await t.rejects(loadKubeConfig(join(folder, 'nothing')), KubeConfigError);
});
