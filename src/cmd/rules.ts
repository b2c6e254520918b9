import type { Command } from 'commander';
import { addExitCodes } from './exit-codes.js';
import { PROXY_MODES } from '../dataplane/proxiers/modes.js';

/** `kubette rules`: what is programmed on a node for Services. */
export function register(program: Command): void {
  const command = program
    .command('rules')
    .description('print what a node has programmed for Services, as iptables-save or nft does')
    .argument('<node>', 'name of the Node')
    .option('--kubeconfig <file>', 'how to reach the API server; default: $KUBECONFIG, then .kubette/kubeconfig')
    .option('--service <namespace/name>', 'only the rules and elements of this Service')
    .option('--family <family>', 'ipv4 or ipv6; default: the primary one of the node')
    .option('--mode <mode>', `what the node would have programmed as ${PROXY_MODES.join(', ')}`)
    .option(
      '--diff <node-or-mode>',
      'what another node, or this one in another mode, has otherwise: "-" is of the first, "+" of the other',
    )
    .option('--watch', 'show each sync: the API changes that caused it, and what it changed')
    .action(async (node: string, options: Record<string, string | boolean>) => {
      const { runRules } = await import('./run-rules.js');
      await runRules(node, options);
    });
  addExitCodes(command, {
    0: 'printed; with --diff: both sides have the same',
    1: 'it could not be done; with --diff also: they differ',
  });
}
