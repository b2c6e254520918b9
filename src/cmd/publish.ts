import type { Command } from 'commander';
import { loggingFormat } from './logging-format.js';

/** `kubette publish`: load balancers on loopback. */
export function register(program: Command): void {
  program
    .command('publish')
    .description('make the addresses of load balancers reachable on loopback, through the rules of the nodes')
    .requiredOption('--kubeconfig <file>', 'how to reach the API server')
    .option('--host-gateway <ips>', 'address that packets of this machine carry; one of each family', '172.18.0.1')
    .option('--v <level>', 'log level: error, warn, info, debug', 'warn')
    .addOption(loggingFormat())
    .action(async (options: Record<string, string>) => {
      const { runPublish } = await import('./run-publish.js');
      await runPublish(options);
    });
}
