import { proxySettings } from '../../src/nodeagent/proxy/proxy-settings.js';
import { createSyncFeed } from '../../src/nodeagent/proxy/sync-feed.js';
import { realClock } from '../../src/machinery/clock.js';
import { createBehaviours } from '../../src/containers/behaviour/behaviours.js';
import { NO_BEHAVIOUR, type BehaviourFile } from '../../src/containers/behaviour/file.js';
import { nodeStageFacts } from '../../src/nodeagent/stages/stage-facts.js';
import { createTree } from '../../src/containers/file-system.js';
import { PODS, SERVICES } from '../../src/client/resources.js';
import type { Client, ResourceClient, ResourceRef } from '../../src/client/types.js';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { hostKernels, hostRoutes } from './host-routes.js';
import type { DeepReadonly, KubeObject, Node, Pod, PodStatus, Service } from '../../src/machinery/types.js';
import { createIpAllocator } from '../../src/nodeagent/network/ip-allocator.js';
import { parseCidr } from '../../src/machinery/cidr.js';
import { createPeerLinks } from '../../src/nodeagent/network/link/peer-links.js';
import { createNodeDirectory } from '../../src/nodeagent/network/node-directory.js';
import { createPodNetwork } from '../../src/nodeagent/network/pod-network.js';
import { createCounters } from '../../src/nodeagent/node/counters.js';
import { createNodeUsage } from '../../src/nodeagent/node/summary.js';
import { capacityOf } from '../../src/nodeagent/node/node-object.js';
import { addressesInUse, runPodManager } from '../../src/nodeagent/pods/pod-manager.js';
import { createMachine } from '../../src/containers/machine/machine.js';
import { createNodeProcesses } from '../../src/nodeagent/pods/process-namespaces.js';
import { createSources } from '../../src/nodeagent/pods/sources.js';
import { createFakeCluster } from './fake-cluster.js';

export const pod = (name: string, spec: object, extra: Partial<Pod['metadata']> = {}, status: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1, ...extra },
    spec: { nodeName: 'node-1', restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...spec },
    status: {
      phase: 'Pending',
      conditions: [
        { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
      ...status,
    },
  }) as unknown as Pod;

/** What the fake client's merge patch lacks: conditions merge by type, and patch directives are obeyed. */
function strategic(current: Pod, patch: { status?: Record<string, unknown> }): object {
  const { conditions, podIPs, ...rest } = patch.status ?? {};
  const own = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('$')));
  const types = (list: unknown): { type: string; $patch?: string }[] => (list ?? []) as { type: string }[];
  const named = types(conditions);
  const changed = named.filter(c => c.$patch !== 'delete');
  const kept = types(current.status?.conditions).filter(c => !named.some(other => other.type === c.type));
  return {
    status: {
      ...own,
      ...(conditions === undefined ? {} : { conditions: [...kept, ...changed] }),
      ...(podIPs === undefined ? {} : { podIPs: (podIPs as object[]).filter(ip => !('$patch' in ip)) }),
    },
  };
}

/** Lets everything that is ready run: microtasks, timers that are due, module loads. */
export async function eventually<T>(what: string, read: () => T | undefined | false): Promise<T> {
  const limit = AbortSignal.timeout(60_000);
  for (let turn = 0; !limit.aborted; turn++) {
    const value = read();
    if (value !== undefined && value !== false) return value;
    await new Promise(resolve => setImmediate(resolve));
    if (turn > 500) await new Promise(resolve => setTimeout(resolve, 1));
  }
  throw new Error(`did not happen: ${what}`);
}

/** What the kubelet API says of a node beside its Pods. */
export const kubeletFacts = () => ({
  figures: {
    nodeName: 'node-1',
    startedAt: Date.parse('2026-01-01T00:00:00Z'),
    capacity: capacityOf(110),
    used: createNodeUsage(),
  },
  counters: createCounters(),
  proxy: proxySettings('iptables', ['10.244.0.0/16']),
  syncs: createSyncFeed(realClock),
  random: () => 0.5,
  version: 'v1.35.4',
  configuration: () => ({ maxPods: 110 }),
  keptVolumes: { remove: async () => undefined },
});

/** The Pods of a node over a fake API and a fake clock; everything else is real. */
export function startNode(services: readonly Service[] = [], behaviour: BehaviourFile = NO_BEHAVIOUR) {
  const cluster = createFakeCluster();
  const { client: bare, informers } = cluster.context();
  const client: Client = {
    ...bare,
    resource<T extends KubeObject>(ref: ResourceRef): ResourceClient<T> {
      const resource = bare.resource<T>(ref);
      if (ref.resource !== 'pods') return resource;
      return {
        ...resource,
        patch: async (key, patch, options) => {
          const current = (await resource.get(key)) as unknown as Pod;
          return resource.patch(key, strategic(current, patch as never), options);
        },
      };
    },
  };
  cluster.load(SERVICES, ...(services as unknown as KubeObject[]));
  const { clock } = cluster;
  const kernels = hostKernels(createKernel({ clock, random: () => 0.5, routes: hostRoutes('172.18.0.2') }));
  const network = createPodNetwork({
    random: () => 0.5,
    nodeName: 'node-1',
    nodeAddresses: ['172.18.0.2'],
    kernels,
    directory: createNodeDirectory({ nodeName: 'node-1', kernels }),
    links: createPeerLinks(clock),
    clock,
    hostGateways: ['172.18.0.1'],
    hostAddress: '127.0.0.1',
  });
  const stopping = new AbortController();
  const counters = createCounters();
  const events: { type: string; reason: string; message: string; fieldPath?: string }[] = [];
  const cidr = parseCidr('10.244.1.0/24');
  if (cidr === undefined) throw new Error('bad CIDR');
  const ips = createIpAllocator([cidr]);
  const problems: string[] = [];
  const log = {
    info: () => undefined,
    warn: (fields: object, message: string) => void problems.push(`${message} ${JSON.stringify(fields)}`),
    error: (fields: object, message: string) => void problems.push(`${message} ${JSON.stringify(fields)}`),
  };
  const podInformer = informers.informer<Pod>(PODS);
  const start = () => {
    for (const address of addressesInUse(podInformer.indexer.list())) ips.reserve(address);
    return runPodManager({
      informer: podInformer,
      signal: stopping.signal,
      deps: {
        behaviours: createBehaviours(behaviour),
        stages: behaviour.stages.filter(({ kind }) => kind === 'Pod'),
        stageFacts: () =>
          nodeStageFacts({
            name: 'node-1',
            ip: '172.18.0.2',
            kubeletPort: () => 10250,
            version: 'v1.35.4',
            startedAt: clock.now(),
            clock,
          }),
        hostTree: createTree(),
        nodeName: 'node-1',
        nodeIPs: ['172.18.0.2'],
        clock,
        random: () => 0.5,
        network,
        dns: { address: '10.96.0.10', domain: 'cluster.local', hostNameservers: [] },
        ips: () => ips,
        pods: client.resource<Pod>(PODS),
        sources: createSources(client, clock),
        services: () => informers.informer<Service>(SERVICES).indexer.list(),
        allocatable: capacityOf(110),
        node: () => node.object,
        nodeProcesses: createNodeProcesses(),
        counters,
        machine: createMachine(clock),
        nodeTrees: new Map(),
        presentImages: new Set(),
        recorder: {
          event: (_object, type, reason, message, options) =>
            void events.push({
              type,
              reason,
              message,
              ...(options?.fieldPath === undefined ? {} : { fieldPath: options.fieldPath }),
            }),
          flush: async () => undefined,
        },
        log,
      },
    });
  };
  const get = (name: string): Pod | undefined => cluster.get(PODS, `default/${name}`);
  const node = {
    cluster,
    clock,
    network,
    events,
    problems,
    counters,
    /** The Node that admission looks at. */
    object: {
      metadata: { name: 'node-1' },
      status: { allocatable: capacityOf(110) },
    } as DeepReadonly<Node>,
    manager: undefined as ReturnType<typeof runPodManager> | undefined,
    start() {
      node.manager = start();
    },
    load: (...pods: Pod[]) => cluster.load(PODS, ...(pods as unknown as KubeObject[])),
    get,
    status: (name: string): PodStatus => get(name)?.status ?? {},
    /** Marks the Pod as being deleted, as the API server does for a graceful DELETE. */
    remove(name: string, seconds: number) {
      const found = get(name);
      if (found === undefined) throw new Error(`no Pod ${name}`);
      const metadata = {
        ...found.metadata,
        deletionTimestamp: '2026-01-01T00:00:00Z',
        deletionGracePeriodSeconds: seconds,
      };
      cluster.load(PODS, { ...found, metadata });
    },
    condition: (name: string, type: string) => get(name)?.status?.conditions?.find(c => c.type === type),
    until: (what: string, check: () => boolean) => eventually(`${what}; ${JSON.stringify(problems)}`, check),
    reasons: () => events.map(e => e.reason),
    stop: () => stopping.abort(new Error('the test is over')),
  };
  return node;
}
