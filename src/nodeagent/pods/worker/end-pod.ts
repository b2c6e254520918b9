import type { Failure } from '../status/pod-view.js';
import type { ContainerRecord } from '../types.js';
import { specOf } from './pod-state.js';
import type { PodWork } from './pod-work.js';
import { publish } from './publish.js';

/** All that had to run has, or nothing may any more: ends what still runs. The object stays. */
export function finishPod(work: PodWork, graceMs: number): Promise<void> {
  const { state } = work;
  state.finishing ??= endContainers(work, graceMs, 'the Pod has come to its end');
  return state.finishing;
}

/** Ends a Pod that is to fail. Resolves when its containers have ended. */
export function failPod(work: PodWork, why: Failure, graceMs: number): Promise<void> {
  const { state } = work;
  if (state.finished || state.ending !== undefined) return state.ending ?? Promise.resolve();
  if (state.finishing === undefined) state.failure = why;
  return finishPod(work, graceMs);
}

/** Ends every container, says so, and gives back what the Pod had of the node. */
export async function endContainers(work: PodWork, graceMs: number, why: string): Promise<void> {
  const { state, runner } = work;
  state.life.abort(new Error(why));
  runner.stopHealthProbes();
  await stopAll(work, graceMs);
  state.finished = true;
  publish(work);
  release(work);
}

/** Ends every container that still runs: main containers together, then sidecars, last started first. */
async function stopAll({ state, deps, runner }: PodWork, graceMs: number): Promise<void> {
  const { clock } = deps;
  const began = clock.monotonic();
  const stopOne = async (record: ContainerRecord): Promise<void> => {
    const spec = specOf(state, record);
    if (spec === undefined || record.running === undefined) return;
    const left = Math.max(0, graceMs - (clock.monotonic() - began));
    await runner.stop(record, spec, { graceMs: left, force: state.force.signal });
  };
  await Promise.all(state.records.filter(r => r.kind !== 'sidecar').map(stopOne));
  for (const record of state.records.filter(r => r.kind === 'sidecar').reverse()) await stopOne(record);
}

function release({ state, volumes, stages, wakening }: PodWork): void {
  stages.stop();
  state.place?.detach();
  state.place = undefined;
  wakening.cancel();
  volumes.stop();
}
