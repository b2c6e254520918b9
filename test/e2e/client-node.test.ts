import { join } from 'node:path';
import t from 'tap';
import { driveWithClientNode } from '../clients/node/main.js';
import { startUp } from '../support/up.js';

t.test('@kubernetes/client-node does everything against separate processes', { timeout: 120_000 }, async t => {
  const up = await startUp({ args: ['--nodes', '1', '--storage', 'memory'] });
  t.teardown(() => up.stop());
  await driveWithClientNode(join(up.dataDir, 'kubeconfig'), what => t.pass(what));
});
