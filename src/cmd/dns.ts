import { loggingFormat } from './logging-format.js';
import type { Command } from 'commander';

/** `kubette dns`: what CoreDNS is in a cluster. */
export function register(program: Command): void {
  program
    .command('dns')
    .description('answer the names of Services and Pods over UDP and TCP')
    .requiredOption('--kubeconfig <file>', 'how to reach the API server')
    .option('--port <port>', 'UDP and TCP port; 0 takes a free one', '0')
    .option('--bind-address <ip>', 'address to listen on', '127.0.0.1')
    .option('--cluster-domain <domain>', 'zone of the cluster', 'cluster.local')
    .option('--cluster-ip <ip>', 'ClusterIP of the Service kube-system/kube-dns', '10.96.0.10')
    .option(
      '--forward <servers>',
      'who is asked for all other names: addresses, comma separated, or a file like /etc/resolv.conf; empty: nobody, they do not exist',
      '',
    )
    .option('--host-address <ip>', 'address at which Pods see this machine', '172.18.0.1')
    .option('--metrics-port <port>', 'HTTP port of /metrics, /health and /ready; 0 takes a free one', '0')
    .option('--v <level>', 'log level: error, warn, info, debug', 'warn')
    .addOption(loggingFormat())
    .action(async (options: Record<string, string>) => {
      const { runDns } = await import('./run-dns.js');
      await runDns(options);
    });
}
