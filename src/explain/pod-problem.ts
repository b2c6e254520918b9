import type { ContainerStatus, DeepReadonly, Pod } from '../machinery/types.js';

type ReadonlyPod = DeepReadonly<Pod>;

/** Why a Pod gets no traffic, in a few words; undefined: it is ready. */
export function podProblem(pod: ReadonlyPod): string | undefined {
  const { status, metadata } = pod;
  const conditions = status?.conditions ?? [];
  const condition = (type: string) => conditions.find(c => c.type === type);
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return `it has ended (${status.phase})`;
  const scheduled = condition('PodScheduled');
  if (scheduled?.status === 'False') return `no node takes it: ${scheduled.message ?? scheduled.reason ?? ''}`;
  if (condition('Ready')?.status === 'True') return undefined;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const container of containers) {
    const problem = containerProblem(container);
    if (problem !== undefined) return problem;
  }
  const gate = (pod.spec?.readinessGates ?? []).find(
    ({ conditionType }) => condition(conditionType)?.status !== 'True',
  );
  if (gate !== undefined) return `its readiness gate ${gate.conditionType} is not True`;
  if (status?.podIP === undefined) return 'it has no address yet';
  const unready = (status.containerStatuses ?? []).filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return 'it is not Ready';
  const probed = (pod.spec?.containers ?? []).some(c => unready.includes(c.name) && c.readinessProbe !== undefined);
  return `container ${unready.join(', ')} is not ready${probed ? ': its readiness probe does not succeed' : ''}`;
}

function containerProblem({ name, state, started, restartCount }: DeepReadonly<ContainerStatus>): string | undefined {
  if (state?.waiting?.reason !== undefined && state.waiting.reason !== 'PodInitializing')
    return `container ${name} waits: ${state.waiting.reason}${state.waiting.message === undefined ? '' : `, ${state.waiting.message}`}`;
  if (state?.terminated !== undefined && state.terminated.exitCode !== 0)
    return `container ${name} has ended with exit code ${state.terminated.exitCode} (restarts: ${restartCount})`;
  if (state?.running !== undefined && started === false)
    return `container ${name} has not started: its startup probe does not succeed`;
  return undefined;
}
