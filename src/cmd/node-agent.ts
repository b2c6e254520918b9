import { loggingFormat } from './logging-format.js';
import { addProxyFlags } from './proxy-flags.js';
import { DEFAULT_PROXY_MODE, PROXY_MODES } from '../dataplane/proxiers/modes.js';
import type { Command } from 'commander';

const collect = (value: string, previous: string[]): string[] => [...previous, value];

/** `kubette node-agent`: kubelet, proxy and pod network of one node, or of many. */
export function register(program: Command): void {
  addProxyFlags(program.command('node-agent'))
    .option('--proxy-mode <mode>', `how Services are programmed: ${PROXY_MODES.join(', ')}`, DEFAULT_PROXY_MODE)
    .option('--proxy-config <file>', 'a KubeProxyConfiguration, in the place of the flags of the proxy')
    .description('run the Pods of a node, or of many, in simulated containers, and its Service data plane')
    .requiredOption('--kubeconfig <file>', 'how to reach the API server')
    .option('--proxy-kubeconfig <file>', 'identity of the proxy; default: that of --kubeconfig')
    .requiredOption('--node-name <name>', 'name of the Node')
    .requiredOption(
      '--node-ip <ips>',
      'simulated address of the node, as Pods see it; of both families, comma separated',
    )
    .option(
      '--nodes <n>',
      'how many nodes this process runs, light ones: --node-name and --node-ip are of the first, and are counted up; no node ports on this machine',
    )
    .option(
      '--event-qps <n>',
      'with --nodes: Events that all of them write in a second; beyond a burst of 1000 they are dropped',
      '50',
    )
    .option('--node-labels <labels>', 'labels of the Node: key=value, comma separated', collect, [])
    .option('--bind-address <ip>', 'real address on which node ports are opened', '127.0.0.1')
    .option('--address <ip>', 'real address of the kubelet API and the pod network', '127.0.0.1')
    .option('--port <port>', 'port of the kubelet API; 0 takes a free one', '0')
    .option('--pod-network-port <port>', 'port of the pod network between agents; 0 takes a free one', '0')
    .option('--tls-cert-file <file>', 'serving certificate; default: one that signs itself')
    .option('--tls-private-key-file <file>', 'its key')
    .option('--client-ca-file <file>', 'CA of the clients of the kubelet API; default: that of the kubeconfig')
    .option('--cluster-dns <ip>', 'ClusterIP of the cluster DNS', '10.96.0.10')
    .option('--cluster-domain <domain>', 'zone of the cluster', 'cluster.local')
    .option('--cluster-cidr <cidrs>', 'range of all Pod addresses; of both families, comma separated', '10.244.0.0/16')
    .option(
      '--host-gateway <ips>',
      'address at which Pods see this machine; one of each family of --node-ip',
      '172.18.0.1',
    )
    .option('--capacity <resources>', 'of the Node: cpu=8,memory=16Gi,example.com/gpu=2; default: 4 CPUs, 8Gi')
    .option('--max-pods <n>', 'how many Pods the node takes', '110')
    .option(
      '--volumes-folder <folder>',
      'where the files of persistent volumes are kept, with --nodes in NODE/volumes; default: in memory',
    )
    .option('--behaviour <file>', 'what containers are told to do: rules, and Stages of kwok')
    .option(
      '--min-sync-period <duration>',
      'least time between two loads of rules; where one takes long, four times as long, up to 50ms',
      '10ms',
    )
    .option('--sync-period <duration>', 'after a failed load of rules, the next try', '30s')
    .option('--apply <where>', 'kernel: load the rules into the Linux kernel of this machine too, which needs root')
    .option('--netns <name>', 'for --apply kernel: the network namespace, as ip netns lists it')
    .option('--v <level>', 'log level: error, warn, info, debug', 'warn')
    .addOption(loggingFormat())
    .action(async (options: Record<string, string | string[] | boolean>) => {
      const { runNodeAgent } = await import('./run-node-agent.js');
      await runNodeAgent(options);
    });
}
