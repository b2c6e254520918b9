import type { Command } from 'commander';

/** kube-apiserver's flags of the etcd that keeps everything. */
export function addEtcdFlags(command: Command): void {
  command
    .option(
      '--etcd-servers <urls>',
      'with --storage etcd: where it is; of several URLs the next is asked when one is gone',
    )
    .option('--etcd-prefix <path>', 'how all keys in etcd begin; default: /registry')
    .option('--etcd-cafile <file>', 'CA of etcd’s certificate')
    .option('--etcd-certfile <file>', 'certificate shown to etcd')
    .option('--etcd-keyfile <file>', 'its key');
}
