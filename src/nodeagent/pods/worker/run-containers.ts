import { planPod } from '../plan.js';
import { resizeContainers } from '../resize.js';
import type { Place } from '../runner/runner-context.js';
import { graceOf } from '../runner/stop-container.js';
import type { ContainerRecord, ReadonlyContainer } from '../types.js';
import { endAsTold } from './end-as-told.js';
import { finishPod } from './end-pod.js';
import { specOf } from './pod-state.js';
import type { PodWork } from './pod-work.js';
import { publish } from './publish.js';

const DEFERRED_RETRY_MS = 5_000;

/** Makes the containers that run those that the spec wants now. */
export async function runContainers(work: PodWork, place: Place): Promise<void> {
  const { state, wakening } = work;
  restartChanged(work);
  resize(work);
  const plan = planPod(state.pod, state.records);
  if (plan.finished) return void finishPod(work, graceOf(state.pod));
  for (const name of plan.start) await start(work, place, name);
  endAsTold(work);
  publish(work);
  const next = planPod(state.pod, state.records).start;
  if (next.some(name => state.records.find(r => r.name === name)?.state.kind === 'terminated')) wakening.kick();
}

async function start(work: PodWork, place: Place, name: string): Promise<void> {
  const { state, runner } = work;
  const record = state.records.find(r => r.name === name);
  const spec = record === undefined ? undefined : specOf(state, record);
  if (record === undefined || spec === undefined || state.life.signal.aborted) return;
  await runner.start(record, spec, place);
  // With several to start, what one waits for must not hide that another runs.
  if (record.running !== undefined && spec.lifecycle?.postStart !== undefined) publish(work);
}

/** A container whose image was changed is stopped; its restart policy then starts it with the new one. */
function restartChanged(work: PodWork): void {
  for (const record of work.state.records) {
    const spec = specOf(work.state, record);
    if (record.running === undefined || record.stopping || spec === undefined) continue;
    if (spec.image === record.startedImage || record.kind === 'ephemeral') continue;
    restart(work, record, spec, `Container ${record.name} definition changed, will be restarted`);
  }
}

function resize(work: PodWork): void {
  const { state, deps, admission, events, wakening } = work;
  state.pendingResize = resizeContainers({
    pod: state.pod,
    records: state.records,
    allocatable: deps.allocatable,
    refit: () => admission.refit(state.pod),
    before: state.pendingResize,
    specOf: record => specOf(state, record),
    stop: (record, spec, message) => restart(work, record, spec, message),
    events,
  });
  // There may be room when another Pod has ended.
  if (state.pendingResize?.reason === 'Deferred') wakening.kickAfter(DEFERRED_RETRY_MS);
}

/** Stops a container; its restart policy then starts it again. */
function restart({ state, runner }: PodWork, record: ContainerRecord, spec: ReadonlyContainer, message: string): void {
  void runner.stop(record, spec, { graceMs: graceOf(state.pod), force: state.force.signal, message });
}
