import type { Command } from 'commander';
import { addExitCodes } from './exit-codes.js';
import { PROXY_MODES } from '../dataplane/proxiers/modes.js';

/** `kubette trace`: one real request, explained step by step. */
export function register(program: Command): void {
  const command = program
    .command('trace')
    .description(
      'send a request and say what became of it: name lookup, rules, NAT, route, answer, or why there is none',
    )
    .argument(
      '<from>',
      'a Pod (name or namespace/name), deploy/NAME, svc/NAME, node/NAME, host (the machine outside) or an address outside',
    )
    .argument('<to>', 'e.g. http://my-app, svc/my-app, tcp://10.96.0.10:53 or udp://kube-dns.kube-system:53')
    .option('-n, --namespace <name>', "whose names are meant; default: the kubeconfig's")
    .option('--kubeconfig <file>', 'how to reach the API server; default: $KUBECONFIG, then .kubette/kubeconfig')
    .option('--node <name>', 'where packets from outside come in; default: the first node that is ready')
    .option('--mode <mode>', `how the node would treat it as ${PROXY_MODES.join(', ')}`)
    .option('--proto <protocol>', 'http, https, tcp, udp or sctp, where <to> does not say it')
    .option('--family <family>', 'ipv4 or ipv6: ask for addresses of that family only')
    .option('--count <n>', 'send so many requests, and say who answered how often')
    .option('--seed <n>', 'what chance decides on the node is the same for the same seed')
    .option('-v, --verbose', 'every rule, and what was answered')
    .option('-o, --output <format>', 'text or json (api-schemas/trace.v1.json)', 'text')
    .option('--json', 'the same as --output json')
    .option('--dns', 'also show how each name query crossed the rules')
    .action(async (from: string, to: string, options: Record<string, string | boolean>) => {
      const { runTrace } = await import('./run-trace.js');
      await runTrace(from, to, options);
    });
  addExitCodes(command, { 0: 'the request was answered', 1: 'it was not, or could not be sent' });
}
