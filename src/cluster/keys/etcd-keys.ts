import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../machinery/clock.js';
import { keyFolder } from './files.js';
import { ensureCa, ensureLeaf } from './pki.js';

/** Files under kubeadm's names. */
export interface EtcdKeys {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  /** What API servers show to etcd. */
  readonly client: { readonly cert: string; readonly key: string };
}

/**
 * Keys for an etcd that only API servers may ask. Its CA is its own: whoever has a certificate of the cluster is a user of
 * the API, and must not be one of etcd. @throws PkiError
 */
export async function ensureEtcdKeys(dataDir: string, host: string, clock: Clock): Promise<EtcdKeys> {
  const folder = join(dataDir, 'pki', 'etcd');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = keyFolder(folder);
  const ca = await ensureCa(files, 'ca', 'etcd-ca', clock);
  await Promise.all([
    ensureLeaf(files, 'server', ca, clock, {
      subject: { commonName: 'kubette-etcd' },
      usage: 'server',
      subjectAltNames: ['localhost', host],
    }),
    ensureLeaf(files, 'apiserver-etcd-client', ca, clock, {
      subject: { commonName: 'kube-apiserver-etcd-client' },
      usage: 'client',
    }),
  ]);
  const pair = (name: string): EtcdKeys['server'] => ({
    cert: files.path(`${name}.crt`),
    key: files.path(`${name}.key`),
  });
  return { ca: files.path('ca.crt'), server: pair('server'), client: pair('apiserver-etcd-client') };
}
