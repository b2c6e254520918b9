import { newContainerId, StartError } from '../../containers/container.js';
import type { ImageReference } from '../../containers/images/reference.js';
import type { ProcessTable } from '../../containers/process.js';
import type { NetNamespace } from '../../containers/network/types.js';
import { runProbeWorker, type ProbeKind } from '../probes/probe-worker.js';
import type { ProbeResult } from '../probes/probe-result.js';
import { formatDuration } from '../../machinery/duration.js';
import { cgroupTree, memoryLimit } from './cgroup.js';
import { startPodContainer, type Started } from './container-starter.js';
import type { PodDependencies } from './dependencies.js';
import { ContainerConfigError } from './environment.js';
import { runHook } from './hooks.js';
import { ended, restarts } from './plan.js';
import type { PodEvents } from './pod-events.js';
import { containerProcesses, sharesProcesses } from './process-namespaces.js';
import { pullImage, type NoImage, type Pullable } from './pull-image.js';
import type { RestartBackoff } from './restart-backoff.js';
import type { SetUpVolumes } from './volumes/set-up-volume.js';
import { formatPod, type ContainerRecord, type ReadonlyContainer, type ReadonlyPod, type Terminated } from './types.js';

/** Starts and stops the containers of one Pod and keeps their records. */
export interface ContainerRunner {
  /** Starts a container unless it is in back-off; what stands in the way goes into its record. */
  start(record: ContainerRecord, spec: ReadonlyContainer, place: Place): Promise<void>;
  /**
   * Stops a container: preStop hook, SIGTERM, and SIGKILL after the grace period or when `force` aborts. Resolves when it
   * has ended.
   */
  stop(record: ContainerRecord, spec: ReadonlyContainer, options: StopOptions): Promise<void>;
  /** No more liveness and startup probes: the Pod is being deleted. */
  stopHealthProbes(): void;
}

export interface Place {
  readonly network: NetNamespace;
  /** What all containers of the Pod have in common. */
  readonly processes: ProcessTable | undefined;
  readonly volumes: SetUpVolumes;
  /** Aborts when the Pod is to be ended. */
  readonly signal: AbortSignal;
}

export interface StopOptions {
  readonly graceMs: number;
  readonly message?: string;
  readonly force?: AbortSignal;
}

export interface RunnerOptions {
  readonly deps: PodDependencies;
  readonly pod: () => ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  readonly events: PodEvents;
  readonly backoff: RestartBackoff;
  /** Something changed: look at the Pod again. */
  readonly kick: () => void;
  readonly kickAfter: (ms: number) => void;
}

/** kuberuntime minimumGracePeriodInSeconds: what is left for SIGTERM after a preStop hook that used it all up. */
const MIN_TERM_MS = 2_000;
const CONFIG_RETRY_MS = 5_000;
const OCI =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';

export function createContainerRunner({
  deps,
  pod,
  records,
  events,
  backoff,
  kick,
  kickAfter,
}: RunnerOptions): ContainerRunner {
  const { clock, network: podNetwork } = deps;
  const healthProbes = new AbortController();
  const uid = pod().metadata.uid ?? '';

  const pull = (record: ContainerRecord, spec: Pullable): ImageReference | NoImage =>
    pullImage({
      spec,
      record,
      present: deps.presentImages,
      backoff,
      key: `${uid}/image/${spec.image ?? ''}`,
      events,
      clock,
      resolver: deps.dns.hostNameservers[0] ?? '127.0.0.1',
    });

  const begin = async (record: ContainerRecord, spec: ReadonlyContainer, place: Place): Promise<void> => {
    record.startedHere = true;
    record.startedImage = spec.image ?? '';
    record.resources = spec.resources ?? {};
    const waitFor = ({ reason, message, retryMs }: NoImage): void => {
      record.state = { kind: 'waiting', reason, message };
      retryAfter(record, retryMs);
    };
    for (const volume of imageVolumesOf(pod(), spec)) {
      const pulled = pull(record, volume);
      if ('retryMs' in pulled) return waitFor(pulled);
    }
    const image = pull(record, spec);
    if ('retryMs' in image) return waitFor(image);
    record.image = image.canonical;
    record.imageID = image.id;
    let started: Started;
    const budget = deps.machine.budget({ memoryLimit: () => memoryLimit(record.resources) });
    try {
      const cgroup = cgroupTree(() => record.resources);
      const processes = containerProcesses(spec, place.processes, records, deps.nodeProcesses);
      started = await startPodContainer({ pod: pod(), spec, image, cgroup, ...place, processes, budget }, deps);
    } catch (error) {
      if (error instanceof ContainerConfigError) {
        events.warning('Failed', `Error: ${error.message}`, record);
        record.state = { kind: 'waiting', reason: 'CreateContainerConfigError', message: error.message };
        return retryAfter(record, CONFIG_RETRY_MS);
      }
      if (!(error instanceof StartError)) throw error;
      return failedStart(record, `${OCI}${error.message}`);
    }
    const { running } = started;
    countStart(record);
    record.running = running;
    record.processes = started.processes;
    record.disk = started.disk;
    record.usage = () => ({ cpuSeconds: budget.cpu.spentMs / 1000, memoryBytes: budget.memory.used });
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
    const life = new AbortController();
    void running.exited
      .then(async code => {
        life.abort();
        const message = await started.terminationMessage(code);
        endGuests(record);
        record.running = undefined;
        record.started = false;
        record.ready = false;
        record.state = {
          kind: 'terminated',
          exitCode: code,
          reason: running.outOfMemory() ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error',
          ...(message === undefined ? {} : { message }),
          startedAt: running.startedAt,
          finishedAt: clock.now(),
          containerID: running.id,
        };
        kick();
      })
      .catch((error: unknown) =>
        deps.log.error({ err: error, container: record.name }, 'container bookkeeping failed'),
      );
    if (record.kind !== 'init') startProbes(record, spec, place, life.signal);
    if (spec.lifecycle?.postStart !== undefined) await postStart(record, spec, place);
  };

  const retryAfter = (record: ContainerRecord, ms: number): void => {
    record.retryAt = clock.now() + ms;
    kickAfter(ms);
  };

  /** With the first process of a process namespace every other one in it ends: those of debug containers. */
  const endGuests = (host: ContainerRecord): void => {
    for (const guest of records) {
      const spec = pod().spec?.ephemeralContainers?.find(c => c.name === guest.name);
      const inside = spec?.targetContainerName === host.name && guest.processes === host.processes;
      if (inside && !sharesProcesses(pod())) guest.running?.kill('KILL');
    }
  };

  /** Every container after a Pod's first of that name is a restart. */
  const countStart = (record: ContainerRecord): void => {
    if (ended(record) !== undefined) record.restartCount++;
  };

  const failedStart = (record: ContainerRecord, message: string): void => {
    events.normal('Created', 'Container created', record);
    events.warning('Failed', `Error: ${message}`, record);
    countStart(record);
    deps.counters.increment('kubelet_started_containers_errors_total', {
      code: 'RunContainerError',
      container_type: typeOf(record),
    });
    // The container was made, only its process could not be: it has an ID of its own and counts as a run.
    const end: Terminated = {
      kind: 'terminated',
      exitCode: 128,
      reason: 'StartError',
      message,
      startedAt: 0,
      finishedAt: clock.now(),
      containerID: newContainerId(),
    };
    if (!restarts(pod(), record.name, record.kind, end.exitCode)) record.state = end;
    else {
      record.last = end;
      record.state = { kind: 'waiting', reason: 'RunContainerError', message };
    }
    kick();
  };

  const postStart = async (record: ContainerRecord, spec: ReadonlyContainer, place: Place): Promise<void> => {
    const container = record.running;
    const handler = spec.lifecycle?.postStart;
    if (container === undefined || handler === undefined) return;
    const target = { container, spec, podIP: place.network.addresses[0], network: podNetwork.node, clock };
    const problem = await Promise.race([
      runHook(handler, { ...target, signal: place.signal, limitMs: Infinity }),
      container.exited.then(() => undefined),
    ]);
    if (problem === undefined || place.signal.aborted) return;
    events.warning('FailedPostStartHook', 'PostStartHook failed', record);
    await stop(record, spec, { graceMs: graceOf(pod()), message: 'FailedPostStartHook' });
  };

  const startProbes = (record: ContainerRecord, spec: ReadonlyContainer, place: Place, life: AbortSignal): void => {
    const { running } = record;
    if (running === undefined) return;
    const health = new AbortController();
    const end = (): void => health.abort();
    for (const signal of [life, healthProbes.signal]) {
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    }
    const onResult = (kind: ProbeKind, { outcome, output }: ProbeResult): void => {
      const name = kind.charAt(0).toUpperCase() + kind.slice(1);
      const { namespace = '', name: podName = '' } = pod().metadata;
      const labels = { container: record.name, namespace, pod: podName, pod_uid: uid };
      deps.counters.increment('prober_probe_total', { ...labels, probe_type: name, result: PROBE_RESULTS[outcome] });
      if (outcome === 'success') return;
      if (outcome === 'warning') return events.warning('ProbeWarning', `${name} probe warning: ${output}`, record);
      const what = outcome === 'error' ? 'probe errored and resulted in unknown state' : 'probe failed';
      events.warning('Unhealthy', `${name} ${what}: ${output}`, record);
    };
    const run = (kind: ProbeKind, onChange: (healthy: boolean) => void): void => {
      const probe = spec[`${kind}Probe`];
      if (probe === undefined) return;
      const signal = kind === 'readiness' ? life : health.signal;
      const target = {
        container: running,
        spec,
        podIP: place.network.addresses[0],
        network: podNetwork.node,
        clock,
        signal,
      };
      void runProbeWorker({ ...target, kind, probe, onChange, onResult }).catch((error: unknown) =>
        deps.log.error({ err: error, container: record.name, probe: kind }, 'probe worker failed'),
      );
    };
    const restart = (kind: 'liveness' | 'startup'): void => {
      const seconds = spec[`${kind}Probe`]?.terminationGracePeriodSeconds;
      const graceMs = seconds === undefined ? graceOf(pod()) : seconds * 1000;
      end();
      void stop(record, spec, { graceMs, message: `Container ${record.name} failed ${kind} probe, will be restarted` });
    };
    const runOthers = (): void => {
      run('readiness', healthy => {
        if (record.ready === healthy) return;
        record.ready = healthy;
        kick();
      });
      run('liveness', healthy => {
        if (!healthy) restart('liveness');
      });
    };
    if (spec.startupProbe === undefined) return runOthers();
    run('startup', healthy => {
      if (!healthy) return restart('startup');
      record.started = true;
      kick();
      runOthers();
    });
  };

  const stop = async (record: ContainerRecord, spec: ReadonlyContainer, options: StopOptions): Promise<void> => {
    const container = record.running;
    if (container === undefined) return;
    const force = options.force ?? new AbortController().signal;
    if (!record.stopping) {
      record.stopping = true;
      events.normal('Killing', options.message ?? `Stopping container ${record.name}`, record);
      await endProcess();
    } else await whenForced(container.exited, force, () => container.kill('KILL'));

    async function endProcess(): Promise<void> {
      if (container === undefined) return;
      const { graceMs } = options;
      const began = clock.monotonic();
      const handler = spec.lifecycle?.preStop;
      if (handler !== undefined && graceMs > 0) {
        const target = { container, spec, podIP: podIPOf(pod()), network: podNetwork.node, clock };
        const problem = await Promise.race([
          runHook(handler, { ...target, signal: force, limitMs: graceMs }),
          container.exited.then(() => undefined),
        ]);
        if (problem !== undefined) events.warning('FailedPreStopHook', 'PreStopHook failed', record);
      }
      const left = graceMs === 0 ? 0 : Math.max(MIN_TERM_MS, graceMs - (clock.monotonic() - began));
      container.kill('TERM');
      const cancel = clock.after(left, () => container.kill('KILL'));
      await whenForced(container.exited, force, () => container.kill('KILL'));
      cancel();
    }
  };

  return {
    async start(record, spec, place) {
      const wait = record.retryAt - clock.now();
      if (wait > 0) return kickAfter(wait);
      const before = ended(record);
      if (before !== undefined) {
        const key = `${uid}/${record.name}`;
        const remaining = backoff.remaining(key, before.finishedAt);
        if (remaining > 0) {
          if (record.state.kind === 'terminated') {
            record.last = record.state;
            events.warning(
              'BackOff',
              `Back-off restarting failed container ${record.name} in pod ${formatPod(pod())}`,
              record,
            );
          }
          if (record.state.kind !== 'waiting' || record.state.reason === 'RunContainerError') {
            const delay = formatDuration(backoff.current(key));
            const message = `back-off ${delay} restarting failed container=${record.name} pod=${formatPod(pod())}`;
            record.state = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
          }
          return kickAfter(remaining);
        }
        backoff.next(key, before.finishedAt);
        record.last = before;
      }
      await begin(record, spec, place);
    },
    stop,
    stopHealthProbes: () => healthProbes.abort(),
  };
}

const PROBE_RESULTS = { success: 'successful', warning: 'successful', failure: 'failed', error: 'unknown' } as const;

/** kuberuntime's metrics.ContainerType: a sidecar is an init container to them. */
const typeOf = ({ kind }: ContainerRecord): string =>
  kind === 'ephemeral' ? 'ephemeral_container' : kind === 'regular' ? 'container' : 'init_container';

/** The images that a container mounts. */
const imageVolumesOf = (pod: ReadonlyPod, { volumeMounts = [] }: ReadonlyContainer): Pullable[] =>
  (pod.spec?.volumes ?? []).flatMap(({ name, image }) =>
    image?.reference === undefined || !volumeMounts.some(mount => mount.name === name)
      ? []
      : [
          {
            image: image.reference,
            ...(image.pullPolicy === undefined ? {} : { imagePullPolicy: image.pullPolicy }),
          },
        ],
  );

export const graceOf = (pod: ReadonlyPod): number => (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
const podIPOf = (pod: ReadonlyPod): string => pod.status?.podIP ?? '';

async function whenForced(exited: Promise<number>, force: AbortSignal, kill: () => void): Promise<void> {
  if (force.aborted) kill();
  force.addEventListener('abort', kill, { once: true });
  await exited;
  force.removeEventListener('abort', kill);
}
