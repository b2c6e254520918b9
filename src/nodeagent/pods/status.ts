import { formatTime } from '../../machinery/clock.js';
import type { ContainerStatus, DeepReadonly, PodStatus } from '../../machinery/types.js';
import type { PendingResize } from './resize.js';
import { restarts } from './plan.js';
import {
  containersOf,
  isTerminalPhase,
  type ContainerRecord,
  type ReadonlyContainer,
  type ReadonlyPod,
  type Terminated,
} from './types.js';

export type Condition = NonNullable<PodStatus['conditions']>[number];

/** Why the agent itself ended a Pod, e.g. DeadlineExceeded. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  /** Message of the condition DisruptionTarget, for Pods that were ended for the sake of others. */
  readonly disruption?: string;
}

/** What the status is made of, beside the spec. */
export interface PodView {
  readonly pod: ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  readonly nodeIP: string;
  readonly podIP: string | undefined;
  readonly startTime: number;
  /** The network namespace and the volumes are there. */
  readonly sandboxReady: boolean;
  /** Nothing will be started any more. */
  readonly finished: boolean;
  /** Shows when the last container has ended, as upstream's status manager has it. */
  readonly failure?: Failure;
  /** Why a resize that was asked for has not been done. */
  readonly pendingResize?: PendingResize;
  readonly now: number;
  /** Conditions as last computed: the API's may lag behind what was written. */
  readonly previous?: readonly Condition[];
}

const time = (ms: number | undefined): { at?: string } => (ms === undefined ? {} : { at: formatTime(ms) });
export const containerURI = (id: string): string => (id === '' ? '' : `kubette://${id}`);

function terminatedState(state: Terminated) {
  const { at: startedAt = null } = time(state.startedAt);
  return {
    terminated: {
      exitCode: state.exitCode,
      reason: state.reason,
      ...(state.message === undefined ? {} : { message: state.message }),
      startedAt,
      finishedAt: formatTime(state.finishedAt),
      ...(state.containerID === '' ? {} : { containerID: containerURI(state.containerID) }),
    },
  };
}

function stateOf(state: ContainerRecord['state']) {
  switch (state.kind) {
    case 'waiting':
      return {
        waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) },
      };
    case 'running':
      return { running: { startedAt: formatTime(state.startedAt) } };
    case 'terminated':
      return terminatedState(state);
  }
}

/** The runtime can always do it: what is asked for if possible is done. */
const recursively = (mode: string | undefined): boolean => mode === 'Enabled' || mode === 'IfPossible';

function containerStatus(spec: ReadonlyContainer, record: ContainerRecord, initialized: boolean): ContainerStatus {
  const running = record.state.kind === 'running';
  const succeeded = record.state.kind === 'terminated' && record.state.exitCode === 0;
  const ready = record.kind === 'init' ? succeeded : running && record.started && record.ready;
  const containerID = record.state.kind === 'waiting' ? (record.last?.containerID ?? '') : record.state.containerID;
  const state =
    record.state.kind === 'waiting' &&
    record.state.reason === 'ContainerCreating' &&
    !initialized &&
    record.kind !== 'ephemeral'
      ? { waiting: { reason: 'PodInitializing' } }
      : stateOf(record.state);
  const mounts = (spec.volumeMounts ?? []).map(mount => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly === true
      ? { readOnly: true, recursiveReadOnly: recursively(mount.recursiveReadOnly) ? 'Enabled' : 'Disabled' }
      : {}),
  }));
  const { resources } = record;
  return {
    name: record.name,
    state,
    lastState: record.last === undefined ? {} : terminatedState(record.last),
    ready,
    restartCount: record.restartCount,
    image: record.image,
    imageID: record.imageID,
    ...(containerID === '' ? {} : { containerID: containerURI(containerID) }),
    started: running && record.kind !== 'init' ? record.started : false,
    ...(running
      ? { resources, ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }) }
      : {}),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
    ...(running && record.user !== undefined
      ? { user: { linux: { uid: record.user.uid, gid: record.user.gid, supplementalGroups: record.user.groups } } }
      : {}),
  } as ContainerStatus;
}

/** kubelet_pods.go getPhase. */
export function podPhase(
  pod: ReadonlyPod,
  statuses: readonly DeepReadonly<ContainerStatus>[],
  finished: boolean,
): string {
  const find = (name: string): DeepReadonly<ContainerStatus> | undefined => statuses.find(s => s.name === name);
  const count = {
    pendingInit: 0,
    failedInit: 0,
    lostInit: 0,
    pendingSidecar: 0,
    waiting: 0,
    running: 0,
    stopped: 0,
    final: 0,
    succeeded: 0,
  };
  for (const { spec, kind } of containersOf(pod)) {
    const { state = {}, lastState = {}, started } = find(spec.name) ?? {};
    const last = lastState.terminated ?? undefined;
    if (kind === 'init') {
      const outcome = state.terminated ?? (state.waiting !== undefined ? last : undefined);
      if (outcome === undefined) count.pendingInit++;
      else if (outcome.exitCode !== 0) {
        count.failedInit++;
        if (!restarts(pod, spec.name, kind, outcome.exitCode)) count.lostInit++;
      }
    } else if (kind === 'sidecar') {
      if (state.running !== undefined) {
        if (started !== true) count.pendingSidecar++;
        count.running++;
      } else if (state.terminated === undefined && last === undefined) {
        count.pendingSidecar++;
        count.waiting++;
      }
    } else if (kind === 'regular') {
      if (state.running !== undefined) count.running++;
      else {
        const outcome = state.terminated ?? last;
        if (outcome === undefined) count.waiting++;
        else {
          count.stopped++;
          if (!restarts(pod, spec.name, kind, outcome.exitCode)) count.final++;
          if (state.terminated?.exitCode === 0) count.succeeded++;
        }
      }
    }
  }
  if (count.lostInit > 0 || (count.failedInit > 0 && finished)) return 'Failed';
  const initialized = (pod.spec?.containers ?? []).some(c => {
    const status = find(c.name);
    return (
      status?.state?.running !== undefined ||
      status?.state?.terminated !== undefined ||
      status?.lastState?.terminated !== undefined
    );
  });
  if (count.pendingInit > 0 || (count.failedInit > 0 && !initialized) || (count.pendingSidecar > 0 && !initialized))
    return 'Pending';
  if (count.waiting > 0) return 'Pending';
  if (count.running > 0) return 'Running';
  if (count.stopped === 0) return 'Pending';
  if (finished) return count.stopped === count.succeeded ? 'Succeeded' : 'Failed';
  if (count.final < count.stopped) return 'Running';
  return count.stopped === count.succeeded ? 'Succeeded' : 'Failed';
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

const listed = (text: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${text}: [${names.join(' ')}]`];

function initializedVerdict(pod: ReadonlyPod, statuses: readonly ContainerStatus[], phase: string): Verdict {
  const init = containersOf(pod).filter(c => c.kind === 'init' || c.kind === 'sidecar');
  const unknown = init.filter(c => !statuses.some(s => s.name === c.spec.name)).map(c => c.spec.name);
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  const regularStarted = (pod.spec?.containers ?? []).some(c => {
    const status = statuses.find(s => s.name === c.name);
    return (
      status?.state?.running !== undefined ||
      status?.state?.terminated !== undefined ||
      status?.lastState?.terminated !== undefined
    );
  });
  if (regularStarted) return { status: 'True' };
  const incomplete = init
    .filter(({ spec, kind }) => {
      const status = statuses.find(s => s.name === spec.name);
      return status !== undefined && (kind === 'sidecar' ? status.started !== true : !status.ready);
    })
    .map(c => c.spec.name);
  const messages = [
    ...listed('containers with unknown status', unknown),
    ...listed('containers with incomplete status', incomplete),
  ];
  if (messages.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotInitialized', message: messages.join(', ') };
}

function containersReadyVerdict(pod: ReadonlyPod, statuses: readonly ContainerStatus[], phase: string): Verdict {
  const needed = containersOf(pod).filter(c => c.kind === 'sidecar' || c.kind === 'regular');
  const unknown = needed.filter(c => !statuses.some(s => s.name === c.spec.name)).map(c => c.spec.name);
  if (isTerminalPhase(phase) && unknown.length === 0)
    return { status: 'False', reason: phase === 'Failed' ? 'PodFailed' : 'PodCompleted' };
  const unready = needed.filter(c => statuses.some(s => s.name === c.spec.name && !s.ready)).map(c => c.spec.name);
  const messages = [
    ...listed('containers with unknown status', unknown),
    ...listed('containers with unready status', unready),
  ];
  if (messages.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotReady', message: messages.join(', ') };
}

function readyVerdict(pod: ReadonlyPod, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return containersReady;
  const messages = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find(c => c.type === conditionType);
    if (condition === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/** The whole status of a Pod that this node runs, as kubelet's generateAPIPodStatus. */
export function podStatus(view: PodView): PodStatus {
  const { pod, records, nodeIP, podIP, startTime, sandboxReady, finished, now, previous = [] } = view;
  const failure = finished ? view.failure : undefined;
  const specs = containersOf(pod);
  const hasInit = specs.some(c => c.kind === 'init' || c.kind === 'sidecar');
  const regularSeen = records.some(r => r.kind === 'regular' && (r.state.kind !== 'waiting' || r.last !== undefined));
  const ready = (r: ContainerRecord): boolean =>
    r.kind === 'sidecar' ? r.started : r.state.kind === 'terminated' && r.state.exitCode === 0;
  const initialized =
    !hasInit || regularSeen || records.filter(r => r.kind === 'init' || r.kind === 'sidecar').every(ready);
  const statuses = specs.flatMap(({ spec, kind }) => {
    const record = records.find(r => r.name === spec.name);
    // Before the sandbox is up an init container waits as any other.
    return record === undefined ? [] : [{ kind, status: containerStatus(spec, record, initialized) }];
  });
  const of = (...kinds: string[]): ContainerStatus[] => statuses.filter(s => kinds.includes(s.kind)).map(s => s.status);
  const all = statuses.map(s => s.status);
  const phase = failure === undefined ? podPhase(pod, all, finished) : 'Failed';

  const old = new Map([...(pod.status?.conditions ?? []), ...previous].map(c => [c.type, c]));
  const generation = pod.metadata.generation;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const condition = (type: string, verdict: Verdict): Condition => {
    const before = old.get(type);
    const since = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    return {
      type,
      ...verdict,
      ...observed,
      lastProbeTime: null,
      lastTransitionTime: since ?? formatTime(now),
    } as unknown as Condition;
  };
  const containersReady = containersReadyVerdict(pod, all, phase);
  const scheduled = old.get('PodScheduled');
  const conditions = [
    condition('PodReadyToStartContainers', { status: sandboxReady && !isTerminalPhase(phase) ? 'True' : 'False' }),
    condition('Initialized', initializedVerdict(pod, all, phase)),
    condition('Ready', readyVerdict(pod, containersReady)),
    condition('ContainersReady', containersReady),
    // The scheduler's, kept as it is.
    scheduled === undefined ? condition('PodScheduled', { status: 'True' }) : { ...scheduled, ...observed },
  ];
  if (view.pendingResize !== undefined)
    conditions.push(condition('PodResizePending', { status: 'True', ...view.pendingResize }));
  if (failure?.disruption !== undefined)
    conditions.push(
      condition('DisruptionTarget', {
        status: 'True',
        reason: 'TerminationByKubelet',
        message: failure.disruption,
      }),
    );
  const init = of('init', 'sidecar');
  const ephemeral = of('ephemeral');
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...(failure === undefined ? {} : { reason: failure.reason, message: failure.message }),
    conditions,
    hostIP: nodeIP,
    hostIPs: [{ ip: nodeIP }],
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime: formatTime(startTime),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: of('regular').sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}

/** The status of a Pod that this node has refused to run: nothing of it was ever there. */
export const rejectedStatus = (pod: ReadonlyPod, { reason, message }: Failure, startTime: number): PodStatus => ({
  ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  phase: 'Failed',
  reason,
  message: `Pod was rejected: ${message}`,
  conditions: [...(pod.status?.conditions ?? [])] as Condition[],
  startTime: formatTime(startTime),
});
