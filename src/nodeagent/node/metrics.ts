import type { PodWorker } from '../pods/pod-worker.js';
import type { ContainerRecord } from '../pods/types.js';
import type { Counters } from './counters.js';
import type { MetricFamily, Sample } from './prometheus-text.js';
import { capacityBytes, totalUsage, usageOf, type NodeFigures } from './summary.js';

interface Running {
  readonly worker: PodWorker;
  readonly record: ContainerRecord;
  readonly startedAt: number;
}

const runningOf = (workers: readonly PodWorker[]): Running[] =>
  workers.flatMap(worker =>
    worker.records.flatMap(record =>
      record.state.kind === 'running' ? [{ worker, record, startedAt: record.state.startedAt }] : [],
    ),
  );

const podLabels = ({ pod }: PodWorker) => ({
  namespace: pod.metadata.namespace ?? '',
  pod: pod.metadata.name ?? '',
});
const containerLabels = ({ worker, record }: Running) => ({ container: record.name, ...podLabels(worker) });

const family = (type: 'counter' | 'gauge', name: string, help: string, samples: Sample[]): MetricFamily => ({
  name,
  help,
  type,
  samples,
});

/** GET /metrics/resource: what metrics-server reads. */
export function resourceMetrics(figures: NodeFigures, workers: readonly PodWorker[], now: number): MetricFamily[] {
  const running = runningOf(workers);
  const pods = workers.filter(w => w.records.some(r => r.running !== undefined));
  const total = figures.used(workers, now);
  const at = now;
  return [
    family(
      'counter',
      'container_cpu_usage_seconds_total',
      '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
      running.map(r => ({ labels: containerLabels(r), value: usageOf(r.record, now).cpuSeconds, at })),
    ),
    family(
      'gauge',
      'container_memory_working_set_bytes',
      '[STABLE] Current working set of the container in bytes',
      running.map(r => ({ labels: containerLabels(r), value: usageOf(r.record, now).memoryBytes, at })),
    ),
    family(
      'gauge',
      'container_start_time_seconds',
      '[STABLE] Start time of the container since unix epoch in seconds',
      running.map(r => ({ labels: containerLabels(r), value: r.startedAt / 1000 })),
    ),
    family(
      'gauge',
      'container_swap_usage_bytes',
      '[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems',
      running.map(r => ({ labels: containerLabels(r), value: 0, at })),
    ),
    family(
      'counter',
      'node_cpu_usage_seconds_total',
      '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
      [{ value: total.cpuSeconds, at }],
    ),
    family('gauge', 'node_memory_working_set_bytes', '[STABLE] Current working set of the node in bytes', [
      { value: total.memoryBytes, at },
    ]),
    family(
      'gauge',
      'node_swap_usage_bytes',
      '[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems',
      [{ value: 0, at }],
    ),
    family(
      'counter',
      'pod_cpu_usage_seconds_total',
      '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      pods.map(w => ({ labels: podLabels(w), value: totalUsage(w.records, now).cpuSeconds, at })),
    ),
    family(
      'gauge',
      'pod_memory_working_set_bytes',
      '[STABLE] Current working set of the pod in bytes',
      pods.map(w => ({ labels: podLabels(w), value: totalUsage(w.records, now).memoryBytes, at })),
    ),
    family(
      'gauge',
      'resource_scrape_error',
      '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
      [{ value: 0 }],
    ),
  ];
}

/** GET /metrics/cadvisor: what dashboards read. */
export function cadvisorMetrics(figures: NodeFigures, workers: readonly PodWorker[], now: number): MetricFamily[] {
  const of = (value: (running: Running) => number, timed = true) =>
    runningOf(workers).map(running => ({
      labels: {
        ...containerLabels(running),
        id: `/kubepods/pod${running.worker.pod.metadata.uid ?? ''}/${running.record.running?.id ?? ''}`,
        image: running.record.image,
        name: running.record.running?.id ?? '',
      },
      value: value(running),
      ...(timed ? { at: now } : {}),
    }));
  const disk = (r: Running): number => {
    const on = r.record.disk?.();
    return on === undefined ? 0 : on.rootfs + on.logs;
  };
  return [
    family('gauge', 'cadvisor_version_info', "A metric with a constant '1' value labeled by versions.", [{ value: 1 }]),
    family(
      'counter',
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      of(r => usageOf(r.record, now).cpuSeconds),
    ),
    family(
      'gauge',
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      of(disk),
    ),
    family(
      'gauge',
      'container_last_seen',
      'Last time a container was seen by the exporter',
      of(() => Math.floor(now / 1000)),
    ),
    family(
      'gauge',
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      of(r => usageOf(r.record, now).memoryBytes),
    ),
    family(
      'gauge',
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      of(r => usageOf(r.record, now).memoryBytes),
    ),
    family(
      'gauge',
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      of(r => r.startedAt / 1000, false),
    ),
    family('gauge', 'machine_cpu_cores', 'Number of logical CPU cores.', [{ value: capacityBytes(figures, 'cpu') }]),
    family('gauge', 'machine_memory_bytes', 'Amount of memory installed on the machine.', [
      { value: capacityBytes(figures, 'memory') },
    ]),
  ];
}

/** GET /metrics: the kubelet about itself. */
export function kubeletMetrics(
  figures: NodeFigures,
  workers: readonly PodWorker[],
  counters: Counters,
  version: string,
): MetricFamily[] {
  const states = new Map<string, number>([['running', 0]]);
  for (const { state, last } of workers.flatMap(w => w.records)) {
    const name =
      state.kind === 'running' ? 'running' : state.kind === 'terminated' || last !== undefined ? 'exited' : 'created';
    states.set(name, (states.get(name) ?? 0) + 1);
  }
  return [
    ...counters.families().filter(({ name }) => name !== 'prober_probe_total'),
    buildInfo(version),
    processStart(figures.startedAt),
    family('gauge', 'kubelet_node_name', "[ALPHA] The node's name. The count is always 1.", [
      { labels: { node: figures.nodeName }, value: 1 },
    ]),
    family('gauge', 'kubelet_running_pods', '[BETA] Number of pods that have a running pod sandbox', [
      { value: workers.filter(w => w.network !== undefined).length },
    ]),
    family(
      'gauge',
      'kubelet_desired_pods',
      '[ALPHA] The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.',
      [{ labels: { static: '' }, value: workers.length }],
    ),
    family(
      'gauge',
      'kubelet_running_containers',
      '[BETA] Number of containers currently running',
      [...states].map(([state, value]) => ({ labels: { container_state: state }, value })),
    ),
  ];
}

/** GET /metrics/probes */
export const probeMetrics = (counters: Counters): MetricFamily[] =>
  counters.families().filter(({ name }) => name === 'prober_probe_total');

export function buildInfo(version: string): MetricFamily {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return family(
    'gauge',
    'kubernetes_build_info',
    "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    [{ labels: { major, minor, git_version: version, platform: 'linux/amd64' }, value: 1 }],
  );
}

export const processStart = (startedAt: number): MetricFamily =>
  family('gauge', 'process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', [
    { value: startedAt / 1000 },
  ]);
