import { humanAge } from '../../../machinery/duration.js';
import type { DeepReadonly, Pod } from '../../../machinery/types.js';
import type { Row } from '../../../api/columns.js';
import { isSidecar } from './validation/container-context.js';
import { ageCell, nameCell, NONE } from '../../cells.js';

type ReadonlyPod = DeepReadonly<Pod>;
type Status = NonNullable<NonNullable<ReadonlyPod['status']>['containerStatuses']>[number];

/** What kubectl get pods shows, as it is gathered: kubernetes/pkg/printers/internalversion printPod. */
interface Summary {
  reason: string;
  ready: number;
  restarts: number;
  /** When a container last ended, in ms; 0: never. */
  lastRestart: number;
  /** The same of sidecars alone: they go on counting after initialization, the other init containers do not. */
  sidecarRestarts: number;
  sidecarLastRestart: number;
}

const finishedMs = (status: Status): number => {
  const time = status.lastState?.terminated?.finishedAt as string | undefined | null;
  return time ? Date.parse(time) : 0;
};

const signalOrCode = (ended: { signal?: number; exitCode: number }): string =>
  ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`;

/** Walks the init containers up to the first that holds the others up. True: one does. */
function initialize(pod: ReadonlyPod, summary: Summary): boolean {
  const specs = pod.spec?.initContainers ?? [];
  const byName = new Map(specs.map(container => [container.name, container]));
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [i, status] of statuses.entries()) {
    const sidecar = isSidecar(byName.get(status.name) ?? {});
    summary.restarts += status.restartCount;
    summary.lastRestart = Math.max(summary.lastRestart, finishedMs(status));
    if (sidecar) {
      summary.sidecarRestarts += status.restartCount;
      summary.sidecarLastRestart = Math.max(summary.sidecarLastRestart, finishedMs(status));
    }
    const ended = status.state?.terminated;
    if (ended !== undefined && ended.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) summary.ready++;
      continue;
    }
    const waiting = status.state?.waiting?.reason;
    if (ended !== undefined) summary.reason = `Init:${ended.reason || signalOrCode(ended)}`;
    else if (waiting && waiting !== 'PodInitializing') summary.reason = `Init:${waiting}`;
    else summary.reason = `Init:${i}/${specs.length}`;
    return true;
  }
  return false;
}

const hasCondition = (pod: ReadonlyPod, type: string): boolean =>
  (pod.status?.conditions ?? []).some(condition => condition.type === type && condition.status === 'True');

function run(pod: ReadonlyPod, summary: Summary): void {
  summary.restarts = summary.sidecarRestarts;
  summary.lastRestart = summary.sidecarLastRestart;
  let running = false;
  let failure = '';
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    summary.restarts += status.restartCount;
    summary.lastRestart = Math.max(summary.lastRestart, finishedMs(status));
    const { waiting, terminated, running: started } = status.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated?.reason) summary.reason = terminated.reason;
    else if (terminated !== undefined) summary.reason = signalOrCode(terminated);
    else if (status.ready && started !== undefined) {
      running = true;
      summary.ready++;
    }
    if (!waiting?.reason && terminated !== undefined && terminated.exitCode !== 0) failure = summary.reason;
  }
  if (summary.reason !== 'Completed') return;
  if (running && hasCondition(pod, 'Ready')) summary.reason = 'Running';
  else if (failure !== '') summary.reason = failure;
  else if (running) summary.reason = 'NotReady';
}

const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

function summarize(pod: ReadonlyPod): Summary {
  const { status } = pod;
  const summary: Summary = {
    reason: status?.reason || status?.phase || '',
    ready: 0,
    restarts: 0,
    lastRestart: 0,
    sidecarRestarts: 0,
    sidecarLastRestart: 0,
  };
  const gated = (status?.conditions ?? []).some(c => c.type === 'PodScheduled' && c.reason === 'SchedulingGated');
  if (gated) summary.reason = 'SchedulingGated';
  if (!initialize(pod, summary) || hasCondition(pod, 'Initialized')) run(pod, summary);
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') summary.reason = 'Unknown';
    else if (!isTerminal(status?.phase)) summary.reason = 'Terminating';
  }
  return summary;
}

const COMPLETED = {
  Succeeded: { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  Failed: { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
} as const;

function gatesCell(pod: ReadonlyPod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return NONE;
  const met = new Set((pod.status?.conditions ?? []).filter(({ status }) => status === 'True').map(({ type }) => type));
  return `${gates.filter(gate => met.has(gate.conditionType)).length}/${gates.length}`;
}

export function podRow(pod: ReadonlyPod, nowMs: number): Row {
  const summary = summarize(pod);
  const total = (pod.spec?.containers ?? []).length + (pod.spec?.initContainers ?? []).filter(isSidecar).length;
  const ago = summary.lastRestart === 0 ? '' : humanAge(new Date(summary.lastRestart).toISOString(), nowMs);
  const restarts = summary.restarts !== 0 && ago !== '' ? `${summary.restarts} (${ago} ago)` : String(summary.restarts);
  const phase = pod.status?.phase;
  return {
    cells: [
      nameCell(pod),
      `${summary.ready}/${total}`,
      summary.reason,
      restarts,
      ageCell(pod, nowMs),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || NONE,
      pod.spec?.nodeName || NONE,
      pod.status?.nominatedNodeName || NONE,
      gatesCell(pod),
    ],
    ...(phase === 'Succeeded' || phase === 'Failed' ? { conditions: [COMPLETED[phase]] } : {}),
  };
}
