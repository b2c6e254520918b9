import type { Addresses } from '../../containers/network/types.js';
import { formatTime } from '../../machinery/clock.js';
import type { Node } from '../../machinery/types.js';
import type { ImageReference } from '../../containers/images/reference.js';
import { POD_NETWORK_ANNOTATION } from '../network/peer.js';

export interface NodeFacts {
  readonly name: string;
  /** The simulated addresses, as Pods see the node. */
  readonly nodeIPs: Addresses;
  /** Where the kubelet API really listens: by house convention the Node's InternalDNS. */
  readonly kubeletAddress: string;
  readonly kubeletPort: number;
  /** "host:port" of the pod network between agents. */
  readonly podNetwork: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxPods: number;
  readonly capacity?: Readonly<Record<string, string>>;
  readonly version: string;
  readonly machineID: string;
  readonly bootID: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const architecture = (): string => ARCHITECTURES[process.arch] ?? process.arch;

/** A small machine, unless `own` says more; simulated containers use next to nothing of it. */
export const capacityOf = (maxPods: number, own: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  cpu: '4',
  'ephemeral-storage': '100Gi',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  memory: '8Gi',
  ...own,
  pods: String(maxPods),
});

export const nodeLabels = (facts: Pick<NodeFacts, 'name' | 'labels'>): Record<string, string> => ({
  'beta.kubernetes.io/arch': architecture(),
  'beta.kubernetes.io/os': 'linux',
  'kubernetes.io/arch': architecture(),
  'kubernetes.io/hostname': facts.name,
  'kubernetes.io/os': 'linux',
  ...facts.labels,
});

type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

const CONDITIONS: readonly (readonly [string, 'True' | 'False', string, string])[] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
];

const READY = ['True', 'KubeletReady', 'kubelet is posting ready status'] as const;
const NOT_READY = [
  'False',
  'KubeletNotReady',
  'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:the node has no podCIDR yet',
] as const;

/** The conditions a heartbeat posts; a condition's transition time stays until its status changes. */
export function nodeConditions(old: readonly NodeCondition[], networkReady: boolean, now: number): NodeCondition[] {
  const time = formatTime(now);
  const ready = networkReady ? READY : NOT_READY;
  return [...CONDITIONS, ['Ready', ...ready] as const].map(([type, status, reason, message]) => {
    const before = old.find(c => c.type === type);
    const since = before?.status === status ? before.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastHeartbeatTime: time,
      lastTransitionTime: since ?? time,
      reason,
      message,
    };
  });
}

/** --node-status-max-images */
const MAX_IMAGES = 50;

/** What the runtime of a simulated node can do, under its default and its only named handler. */
const HANDLER_FEATURES = { recursiveReadOnlyMounts: true, userNamespaces: false };

export function nodeStatus(
  facts: NodeFacts,
  old: readonly NodeCondition[],
  networkReady: boolean,
  now: number,
  images: Iterable<ImageReference> = [],
) {
  const capacity = capacityOf(facts.maxPods, facts.capacity);
  return {
    capacity,
    allocatable: capacity,
    conditions: nodeConditions(old, networkReady, now),
    addresses: [
      ...facts.nodeIPs.map(address => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: facts.name },
      { type: 'InternalDNS', address: facts.kubeletAddress },
    ],
    images: [...images]
      .sort((a, b) => (a.canonical < b.canonical ? -1 : 1))
      .slice(0, MAX_IMAGES)
      .map(({ id, canonical }) => ({ names: id === canonical ? [id] : [id, canonical], sizeBytes: 0 })),
    features: { supplementalGroupsPolicy: true },
    runtimeHandlers: ['', 'runc'].map(name => ({ name, features: HANDLER_FEATURES })),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    nodeInfo: {
      machineID: facts.machineID,
      systemUUID: facts.machineID,
      bootID: facts.bootID,
      kernelVersion: '6.1.0-kubette',
      osImage: 'Kubette simulated node',
      containerRuntimeVersion: 'kubette://0.1.0',
      kubeletVersion: facts.version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: architecture(),
      swap: { capacity: 0 },
    },
  };
}

export const nodeAnnotations = (facts: Pick<NodeFacts, 'podNetwork'>): Record<string, string> => ({
  [POD_NETWORK_ANNOTATION]: facts.podNetwork,
  'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
});
