import { StartError } from '../../../containers/container.js';
import type { ImageReference } from '../../../containers/images/reference.js';
import type { Budget } from '../../../containers/machine/machine.js';
import { cgroupTree, memoryLimit } from '../cgroup.js';
import { startPodContainer, type Started } from '../container-starter.js';
import { ContainerConfigError } from '../environment.js';
import { runHook } from '../hooks.js';
import { containerProcesses } from '../process-namespaces.js';
import { createUsage } from '../simulated-usage.js';
import type { ContainerRecord, ReadonlyContainer } from '../types.js';
import { followContainer } from './container-exit.js';
import { pullImages } from './container-images.js';
import { startProbes } from './container-probes.js';
import { countRestart, failedStart, runsBefore, typeOf } from './failed-start.js';
import type { Place, RunnerContext } from './runner-context.js';
import { graceOf, stopContainer } from './stop-container.js';

const CONFIG_RETRY_MS = 5_000;

/** Starts a container and its probes, and runs its postStart hook; what stands in the way goes into its record. */
export async function startContainer(
  context: RunnerContext,
  record: ContainerRecord,
  spec: ReadonlyContainer,
  place: Place,
): Promise<void> {
  record.startedHere = true;
  record.startedImage = spec.image ?? '';
  record.resources = spec.resources ?? {};
  const image = pullImages(context, record, spec);
  if ('retryMs' in image) {
    const { retryMs, ...why } = image;
    record.state = { kind: 'waiting', ...why };
    return retryAfter(context, record, retryMs);
  }
  record.image = image.canonical;
  record.imageID = image.id;
  const budget = context.deps.machine.budget({ memoryLimit: () => memoryLimit(record.resources) });
  let started: Started;
  try {
    started = await startProcess(context, record, { spec, place, image, budget });
  } catch (error) {
    if (error instanceof ContainerConfigError) {
      context.events.warning('Failed', `Error: ${error.message}`, record);
      record.state = { kind: 'waiting', reason: 'CreateContainerConfigError', message: error.message };
      return retryAfter(context, record, CONFIG_RETRY_MS);
    }
    if (!(error instanceof StartError)) throw error;
    return failedStart(context, record, error);
  }
  recordStart(context, record, { spec, started, budget });
  const life = followContainer(context, record, started);
  const target = { record, spec, container: started.running, podIP: place.network.addresses[0], life };
  if (record.kind !== 'init') startProbes(context, target);
  if (spec.lifecycle?.postStart !== undefined) await postStart(context, record, spec, place);
}

function retryAfter({ deps, kickAfter }: RunnerContext, record: ContainerRecord, ms: number): void {
  record.retryAt = deps.clock.monotonic() + ms;
  kickAfter(ms);
}

interface Process {
  readonly spec: ReadonlyContainer;
  readonly place: Place;
  readonly image: ImageReference;
  readonly budget: Budget;
}

function startProcess(
  { deps, pod, records, events }: RunnerContext,
  record: ContainerRecord,
  { spec, place, image, budget }: Process,
): Promise<Started> {
  const cgroup = cgroupTree(() => record.resources);
  const processes = containerProcesses(spec, place.processes, records, deps.nodeProcesses);
  const run = runsBefore(record);
  const tell = (message: string): void => events.warning('NotSimulated', message, record);
  return startPodContainer({ pod: pod(), spec, run, image, cgroup, ...place, processes, budget, tell }, deps);
}

interface Beginning {
  readonly spec: ReadonlyContainer;
  readonly started: Started;
  readonly budget: Budget;
}

function recordStart(
  { deps, pod, uid, events }: RunnerContext,
  record: ContainerRecord,
  { spec, started, budget }: Beginning,
): void {
  const { running } = started;
  countRestart(record);
  record.running = running;
  record.processes = started.processes;
  record.disk = started.disk;
  record.usage = createUsage({
    told: () => deps.behaviours.of(pod(), record.name),
    uid,
    container: record.name,
    resources: () => record.resources,
    spent: () => ({ cpuSeconds: budget.cpu.spentMs / 1000, memoryBytes: budget.memory.used }),
    clock: deps.clock,
  });
  record.user = started.credentials;
  record.previousLogs = record.logs;
  record.logs = running.logs;
  record.stopping = false;
  record.state = { kind: 'running', startedAt: running.startedAt, containerID: running.id };
  record.started = spec.startupProbe === undefined || record.kind === 'init';
  record.ready = spec.readinessProbe === undefined;
  events.normal('Created', 'Container created', record);
  events.normal('Started', 'Container started', record);
  deps.counters.increment('kubelet_started_containers_total', { container_type: typeOf(record) });
  if (started.imageNote !== undefined) events.normal('Simulated', started.imageNote, record);
}

async function postStart(
  context: RunnerContext,
  record: ContainerRecord,
  spec: ReadonlyContainer,
  place: Place,
): Promise<void> {
  const { deps, pod, events } = context;
  const container = record.running;
  const handler = spec.lifecycle?.postStart;
  if (container === undefined || handler === undefined) return;
  const podIP = place.network.addresses[0];
  const target = { container, spec, podIP, network: deps.network.node, clock: deps.clock };
  const problem = await Promise.race([
    runHook(handler, { ...target, signal: place.signal, limitMs: Infinity }),
    container.exited.then(() => undefined),
  ]);
  if (problem === undefined || place.signal.aborted) return;
  events.warning('FailedPostStartHook', 'PostStartHook failed', record);
  await stopContainer(context, record, spec, { graceMs: graceOf(pod()), message: 'FailedPostStartHook' });
}
