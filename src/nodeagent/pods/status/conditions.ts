import { formatTime } from '../../../machinery/clock.js';
import type { ContainerStatus } from '../../../machinery/types.js';
import { containersOf, isTerminalPhase, type ReadonlyPod } from '../types.js';
import { hasRun } from './container-status.js';
import type { Condition, Failure, PodView } from './pod-view.js';

/** What a condition says, before it is known since when. */
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
  if ((pod.spec?.containers ?? []).some(c => hasRun(statuses.find(s => s.name === c.name)))) return { status: 'True' };
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

/** What the conditions follow from, beside the Pod itself. */
interface Outcome {
  readonly statuses: readonly ContainerStatus[];
  readonly phase: string;
  readonly failure: Failure | undefined;
}

/** The Pod's conditions that the node writes; each keeps the time since when it has said the same. */
export function podConditions(view: PodView, { statuses, phase, failure }: Outcome): Condition[] {
  const { pod, sandboxReady, now, previous = [] } = view;
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
  const containersReady = containersReadyVerdict(pod, statuses, phase);
  const scheduled = old.get('PodScheduled');
  const conditions = [
    condition('PodReadyToStartContainers', { status: sandboxReady && !isTerminalPhase(phase) ? 'True' : 'False' }),
    condition('Initialized', initializedVerdict(pod, statuses, phase)),
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
  return conditions;
}
