import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { HOST } from '../../cluster/addresses.js';
import type { EtcdKeys } from '../../cluster/keys/etcd-keys.js';
import type { ProcessSpec } from '../supervisor.js';

/** An etcd that is started with the cluster. */
export interface OwnEtcd {
  /** The program. */
  readonly file: string;
  readonly port: number;
  readonly peerPort: number;
}

/** The etcd of this machine; undefined: it has none. */
export async function etcdInPath(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(part => part !== '')) {
    const file = join(folder, 'etcd');
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

export const etcdUrl = ({ port }: OwnEtcd): string => `https://${HOST}:${port}`;

/** One member, whose data is in the cluster's folder; only who has its keys may ask it. */
export async function etcdProcess(dataDir: string, own: OwnEtcd, keys: EtcdKeys): Promise<ProcessSpec> {
  const folder = join(dataDir, 'etcd');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [url, peer] = [etcdUrl(own), `https://${HOST}:${own.peerPort}`];
  return {
    name: 'etcd',
    program: own.file,
    args: [
      ...['--name', 'kubette', '--data-dir', folder],
      ...['--listen-client-urls', url, '--advertise-client-urls', url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `kubette=${peer}`],
      ...['--cert-file', keys.server.cert, '--key-file', keys.server.key],
      ...['--client-cert-auth', '--trusted-ca-file', keys.ca],
      ...['--peer-cert-file', keys.server.cert, '--peer-key-file', keys.server.key],
      ...['--peer-client-cert-auth', '--peer-trusted-ca-file', keys.ca],
      ...['--enable-grpc-gateway=false', '--logger', 'zap', '--log-level', 'error'],
    ],
  };
}

/** How API servers find it. */
export const etcdArguments = (own: OwnEtcd, keys: EtcdKeys): string[] => [
  ...['--etcd-servers', etcdUrl(own), '--etcd-cafile', keys.ca],
  ...['--etcd-certfile', keys.client.cert, '--etcd-keyfile', keys.client.key],
];
