import type { ProcessTable } from '../../containers/process.js';
import { NetworkError } from '../../containers/network/errors.js';
import { joinStreams } from '../network/join-streams.js';
import { familyLike, ofFamily } from '../network/links.js';
import type { Addresses, NetNamespace, SocketAddress } from '../../containers/network/types.js';
import { podResources, showPodCgroup } from './cgroup.js';
import type { PodDependencies } from './dependencies.js';
import { podNames, resolverConfig } from './etc-files.js';
import type { PodEvents } from './pod-events.js';
import { podProcesses } from './process-namespaces.js';
import { containersOf, type ContainerRecord, type ReadonlyPod } from './types.js';

/** What the containers of a Pod share whether they run or not. */
export interface Sandbox {
  readonly network: NetNamespace;
  /** The process namespace of all containers, when they have one in common. */
  readonly processes: ProcessTable | undefined;
  detach(): void;
}

/** The sandbox could not be made: an Event says why; undefined: the node has no addresses yet. */
export type NoSandbox = { readonly retryMs: number } | undefined;

const RETRY_MS = 5_000;

/** Makes a Pod's sandbox: address, host ports, cgroup, process namespace. */
export function createSandbox(
  pod: ReadonlyPod,
  records: readonly ContainerRecord[],
  deps: PodDependencies,
  events: PodEvents,
): Sandbox | NoSandbox {
  const { network } = deps;
  const processes = podProcesses(pod, deps.nodeProcesses);
  const showCgroup = (): (() => void) =>
    showPodCgroup(deps.hostTree, pod, () =>
      podResources(records.filter(r => r.kind === 'regular').map(r => r.resources)),
    );
  if (pod.spec?.hostNetwork === true) return { network: network.node, processes, detach: showCgroup() };
  const ips = deps.ips();
  if (ips === undefined) return undefined;
  const failed = (why: string): NoSandbox => {
    events.warning('FailedCreatePodSandBox', `Failed to create pod sandbox: ${why}`);
    return { retryMs: RETRY_MS };
  };
  try {
    podNames(pod, deps.nodeName, deps.dns.domain);
  } catch (error) {
    return failed((error as Error).message);
  }
  for (const problem of resolverConfig(pod, deps.dns).problems) events.warning('DNSConfigForming', problem);
  // A Pod from before a restart of this agent keeps its address: the manager has reserved it.
  const addresses = addressesOf(pod) ?? ips.allocate();
  if (addresses === undefined) return failed('no IP addresses available in range set');
  const attached = network.attach(addresses, `pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`);
  const closers = openHostPorts(pod, addresses, deps, events);
  closers.push(showCgroup());
  return {
    network: attached,
    processes,
    detach() {
      for (const close of closers) close();
      attached.detach();
      for (const address of addresses) ips.release(address);
    },
  };
}

/** What its status says; undefined: it has none yet. */
export function addressesOf({ status }: ReadonlyPod): Addresses | undefined {
  const [first = status?.podIP, ...rest] = (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return first === undefined ? undefined : [first, ...rest];
}

/** hostPort, as the portmap CNI plugin: the node's port leads to the Pod's, in the family that it is called by. */
function openHostPorts(
  pod: ReadonlyPod,
  addresses: Addresses,
  { network }: PodDependencies,
  events: PodEvents,
): (() => void)[] {
  const running = containersOf(pod).filter(c => c.kind === 'regular' || c.kind === 'sidecar');
  return running.flatMap(({ spec }) =>
    (spec.ports ?? []).flatMap(({ hostPort, hostIP = '', containerPort, protocol = 'TCP' }) => {
      if (hostPort === undefined || hostPort === 0) return [];
      const target = (called: string): SocketAddress => ({
        address: ofFamily(addresses, familyLike(called)) ?? addresses[0],
        port: containerPort,
      });
      const on = hostIP === '' ? {} : { address: hostIP };
      const by = { protocol: protocol === 'SCTP' ? 'sctp' : 'tcp' } as const;
      try {
        if (protocol === 'UDP')
          return [
            network.node.listenUdp(
              hostPort,
              (payload, { server }) => network.node.exchange(target(server.address), payload),
              on,
            ),
          ];
        return [
          network.node.listen(
            hostPort,
            stream => {
              network.node.connect(target(stream.localAddress ?? ''), by).then(
                onward => joinStreams(stream, onward),
                () => stream.destroy(new NetworkError('ECONNRESET')),
              );
            },
            { ...on, ...by },
          ),
        ];
      } catch (error) {
        events.warning('HostPortConflict', `host port ${hostPort} is taken: ${(error as Error).message}`);
        return [];
      }
    }),
  );
}
