import type { Command } from 'commander';

/** `kubette rules`: what is programmed on a node for Services. */
export function register(program: Command): void {
  program
    .command('rules')
    .description('print what a node has programmed for Services, as iptables-save or nft does')
    .argument('<node>', 'name of the Node')
    .option('--kubeconfig <file>', 'how to reach the API server; default: $KUBECONFIG, then .kubette/kubeconfig')
    .option('--service <namespace/name>', 'only the rules and elements of this Service')
    .option('--diff <node>', 'what another node has programmed otherwise: "-" is of the first, "+" of the other')
    .action(async (node: string, options: Record<string, string>) => {
      const { runRules } = await import('./run-rules.js');
      await runRules(node, options);
    });
}
