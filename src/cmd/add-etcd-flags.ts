import type { Command } from 'commander';

/** What commander calls their values. */
export const ETCD_FLAGS = ['etcdServers', 'etcdPrefix', 'etcdCafile', 'etcdCertfile', 'etcdKeyfile'] as const;

/** kube-apiserver's flags of the etcd that keeps everything. `otherwise`: what is done when nobody says where it is. */
export function addEtcdFlags(command: Command, otherwise = ''): void {
  command
    .option(
      '--etcd-servers <urls>',
      `with --storage etcd: where it is; of several the next is asked when one is gone${otherwise && `; ${otherwise}`}`,
    )
    .option('--etcd-prefix <path>', 'how all keys in etcd begin; default: /registry')
    .option('--etcd-cafile <file>', 'CA of etcd’s certificate')
    .option('--etcd-certfile <file>', 'certificate shown to etcd')
    .option('--etcd-keyfile <file>', 'its key');
}
