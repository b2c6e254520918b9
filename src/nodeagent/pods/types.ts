import type { ProcessTable } from '../../containers/process.js';
import type { Credentials } from '../../containers/credentials.js';
import type { LogBuffer } from '../../containers/log-buffer.js';
import type { RunningContainer } from '../../containers/container.js';
import type { Container, ContainerStatus, DeepReadonly, Pod } from '../../machinery/types.js';

export type ReadonlyPod = DeepReadonly<Pod>;
export type ReadonlyContainer = DeepReadonly<Container>;

/** Where in the Pod's spec a container stands. A sidecar is an init container with restartPolicy Always. */
export type ContainerKind = 'init' | 'sidecar' | 'regular' | 'ephemeral';

export interface Terminated {
  readonly kind: 'terminated';
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  /** Clock milliseconds; undefined when it never ran. */
  readonly startedAt?: number;
  readonly finishedAt: number;
  readonly containerID: string;
}

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAt: number; readonly containerID: string }
  | Terminated;

/** What has come of pulling a container's image. */
export interface Pulls {
  /** Clock milliseconds at which the pull under way began. */
  began: number | undefined;
  /** The same of the end of the latest one that failed. */
  failedAt: number;
  /** How many have failed that were told to fail. */
  failed: number;
  /** One that was told how to go has succeeded: from then on the image is there. */
  done: boolean;
}

/** What the agent knows of one container of a Pod. Changed by the Pod's worker only. */
export interface ContainerRecord {
  readonly name: string;
  readonly kind: ContainerKind;
  state: ContainerState;
  /** How the previous run ended. */
  last: Terminated | undefined;
  restartCount: number;
  /** status.image and imageID; what the spec says until it is pulled. */
  image: string;
  imageID: string;
  running: RunningContainer | undefined;
  logs: LogBuffer | undefined;
  previousLogs: LogBuffer | undefined;
  /** Passed its startup probe, or has none. */
  started: boolean;
  /** Passes its readiness probe, or has none. */
  ready: boolean;
  /** Has been started since this agent has the Pod; before a restart of the agent does not count. */
  startedHere: boolean;
  /** Clock milliseconds before which it is not tried again: it waits for an image or its configuration. */
  retryAt: number;
  readonly pulls: Pulls;
  /** The spec's image when it was started: another one now means a restart. */
  startedImage: string;
  /** What its latest run takes of processor and memory. */
  usage: ((now: number) => ContainerUsage) | undefined;
  /** What its latest run has written to its own file system. */
  disk: (() => ContainerDisk) | undefined;
  /** The process namespace it runs in, since it was started. */
  processes: ProcessTable | undefined;
  /** Who its processes are, since it was started. */
  user: Credentials | undefined;
  /** The resources it runs with: the spec's until that is resized. */
  resources: Resources;
  /** Being stopped: not to be stopped again. */
  stopping: boolean;
}

export const newRecord = (spec: ReadonlyContainer, kind: ContainerKind): ContainerRecord => ({
  name: spec.name,
  kind,
  state: { kind: 'waiting', reason: 'ContainerCreating' },
  last: undefined,
  restartCount: 0,
  image: spec.image ?? '',
  imageID: '',
  running: undefined,
  logs: undefined,
  previousLogs: undefined,
  started: false,
  ready: false,
  startedHere: false,
  retryAt: 0,
  pulls: { began: undefined, failedAt: 0, failed: 0, done: false },
  startedImage: spec.image ?? '',
  usage: undefined,
  disk: undefined,
  processes: undefined,
  user: undefined,
  resources: spec.resources ?? {},
  stopping: false,
});

/** Every container of a spec with its kind, in the order in which they start. */
export function containersOf(pod: ReadonlyPod): { spec: ReadonlyContainer; kind: ContainerKind }[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? { containers: [] };
  return [
    ...initContainers.map(spec => ({
      spec,
      kind: spec.restartPolicy === 'Always' ? ('sidecar' as const) : ('init' as const),
    })),
    ...containers.map(spec => ({ spec, kind: 'regular' as const })),
    ...ephemeralContainers.map(spec => ({ spec: spec, kind: 'ephemeral' as const })),
  ];
}

export const containerStatuses = (pod: ReadonlyPod): readonly DeepReadonly<ContainerStatus>[] => [
  ...(pod.status?.initContainerStatuses ?? []),
  ...(pod.status?.containerStatuses ?? []),
  ...(pod.status?.ephemeralContainerStatuses ?? []),
];

/** "name_namespace(uid)", as the kubelet writes Pods in messages. */
export const formatPod = ({ metadata }: ReadonlyPod): string =>
  `${metadata.name ?? ''}_${metadata.namespace ?? ''}(${metadata.uid ?? ''})`;

export const isTerminalPhase = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

export type Resources = DeepReadonly<NonNullable<Container['resources']>>;

/** Bytes of a container on the node's disk. */
export interface ContainerDisk {
  /** The writable layer: what it has written beside its image. */
  readonly rootfs: number;
  readonly logs: number;
}

/** What a container takes of processor and memory. */
export interface ContainerUsage {
  /** Since it started. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}
