import type { ContainerKind, ContainerRecord, ReadonlyContainer, ReadonlyPod, Terminated } from './types.js';

export interface Plan {
  /** Containers to start now, in order. The worker holds back those in back-off. */
  readonly start: readonly string[];
  /** Every container that had to run has, and none starts again: what is left of the Pod can be stopped. */
  readonly finished: boolean;
}

type RecordView = Pick<ContainerRecord, 'name' | 'kind' | 'state' | 'last' | 'started' | 'startedHere'>;

/** How the container's latest run ended; undefined while it runs or before it ever did. */
export function ended({ state, last }: Pick<ContainerRecord, 'state' | 'last'>): Terminated | undefined {
  if (state.kind === 'terminated') return state;
  return state.kind === 'waiting' ? last : undefined;
}

type RestartRule = NonNullable<ReadonlyContainer['restartPolicyRules']>[number];

/** Whether a rule is about this exit code. One without exit codes, or with an operator yet unknown, is about none. */
function matches({ exitCodes }: RestartRule, exitCode: number): boolean {
  const listed = exitCodes?.values?.includes(exitCode) === true;
  return (exitCodes?.operator === 'In' && listed) || (exitCodes?.operator === 'NotIn' && !listed);
}

/**
 * Whether a container that ended is to run again (podutil.ContainerShouldRestart): its own rules come first, then its own
 * policy, then the Pod's. The action RestartAllContainers is behind a gate that is closed in 1.35: as if it were not there.
 */
export function restarts(pod: ReadonlyPod, name: string, kind: ContainerKind, exitCode: number): boolean {
  if (kind === 'ephemeral') return false;
  if (kind === 'sidecar') return true;
  // An init container that succeeded is done, whatever the rules.
  if (kind === 'init' && exitCode === 0) return false;
  const spec = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find(c => c.name === name);
  if (spec?.restartPolicy !== undefined) {
    const rule = spec.restartPolicyRules?.find(r => matches(r, exitCode));
    if (rule?.action === 'Restart') return true;
  }
  const policy = spec?.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  return policy !== 'Never' && (policy === 'Always' || exitCode !== 0);
}

/**
 * What to do next for a Pod that is not being deleted, as kuberuntime computePodActions: init containers one after the
 * other, sidecars among them once started stay, then all regular containers together.
 */
export function planPod(pod: ReadonlyPod, records: readonly RecordView[]): Plan {
  const start: string[] = [];
  const regular = records.filter(r => r.kind === 'regular');
  const initialized = regular.some(r => r.startedHere);
  const wanted = (record: RecordView): boolean => {
    if (record.state.kind === 'running') return false;
    const outcome = ended(record);
    return outcome === undefined || restarts(pod, record.name, record.kind, outcome.exitCode);
  };
  const finished = regular.every(r => r.state.kind !== 'running' && !wanted(r));
  if (finished && regular.length > 0) return { start: [], finished: true };

  for (const record of records) {
    if (record.kind === 'init') {
      if (initialized) continue;
      // What ran before a restart of the node left nothing in the Pod's new volumes.
      const outcome = record.startedHere ? ended(record) : undefined;
      if (outcome?.exitCode === 0) continue;
      if (outcome === undefined ? record.state.kind !== 'running' : wanted(record))
        return { start: [...start, record.name], finished: false };
      // Running, or failed for good with restartPolicy Never: nothing after it starts.
      return { start, finished: record.state.kind !== 'running' };
    }
    if (record.kind === 'sidecar') {
      if (wanted(record)) start.push(record.name);
      if (!initialized && !(record.state.kind === 'running' && record.started)) return { start, finished: false };
    }
  }
  for (const record of records)
    if ((record.kind === 'regular' || record.kind === 'ephemeral') && wanted(record)) start.push(record.name);
  return { start, finished: false };
}
