import { loggingFormat } from './logging-format.js';
import type { Command } from 'commander';

/** `kubette controller-manager`. Flags carry kube-controller-manager's names. */
export function register(program: Command): void {
  program
    .command('controller-manager')
    .description('reconcile Deployments, Endpoints, EndpointSlices, garbage, namespaces, nodes; schedule Pods')
    .requiredOption('--kubeconfig <file>', 'how to reach the API server')
    .option('--controllers <list>', "'*' enables all, 'name' one, '-name' disables one", '*')
    .option('--leader-elect <bool>', 'wait for a Lease before working', 'true')
    .option('--leader-elect-lease-duration <duration>', 'how long others wait for a silent leader', '15s')
    .option('--leader-elect-renew-deadline <duration>', 'how long a leader tries to renew before it stops', '10s')
    .option('--leader-elect-retry-period <duration>', 'time between tries', '2s')
    .option('--allocate-node-cidrs <bool>', 'give every Node a podCIDR of --cluster-cidr', 'false')
    .option('--cluster-cidr <cidrs>', 'the range of Pod addresses, or one of each IP family', '10.244.0.0/16')
    .option('--node-cidr-mask-size <bits>', 'size of one Node’s range, with one IP family; default 24, or 64 of IPv6')
    .option('--node-cidr-mask-size-ipv4 <bits>', 'size of its range of IPv4; default 24')
    .option('--node-cidr-mask-size-ipv6 <bits>', 'size of its range of IPv6; default 64')
    .option(
      '--load-balancer-cidr <cidrs>',
      'range of addresses for Services of type LoadBalancer, or one of each IP family; empty: none get one',
      '',
    )
    .option('--node-monitor-period <duration>', 'time between looks at node heartbeats', '5s')
    .option('--node-monitor-grace-period <duration>', 'silence after which a node is Unknown', '50s')
    .option('--cluster-signing-cert-file <file>', 'CA that signs approved certificate requests')
    .option('--cluster-signing-key-file <file>', 'its key')
    .option('--cluster-signing-duration <duration>', 'how long signed certificates are good for', '8760h')
    .option('--root-ca-file <file>', 'CA published to every namespace; default: the CA of the kubeconfig')
    .option(
      '--service-account-private-key-file <file>',
      'key that signs tokens kept in Secrets; default: none are made',
    )
    .option('--metrics-server <bool>', 'serve metrics.k8s.io from what nodes tell, behind the API server', 'false')
    .option(
      '--ingress-kubeconfig <file>',
      'whose rights bring an ingress controller with the first Ingress of its class; default: nobody brings one',
    )
    .option('--host-address <ip>', 'address at which Pods see this machine', '172.18.0.1')
    .option('--v <level>', 'log level: error, warn, info, debug', 'warn')
    .addOption(loggingFormat())
    .action(async (options: Record<string, string>) => {
      const { runControllerManager } = await import('./run-controller-manager.js');
      await runControllerManager(options);
    });
}
