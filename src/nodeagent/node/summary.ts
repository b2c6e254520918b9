import type { ContainerUsage } from '../pods/types.js';
import { formatTime } from '../../machinery/clock.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import { ephemeralBytes, type PodDisk } from '../pods/disk-usage.js';
import type { PodWorker } from '../pods/pod-worker.js';
import type { ContainerRecord } from '../pods/types.js';

/** What the node itself is, for its statistics. */
export interface NodeFigures {
  readonly nodeName: string;
  /** Clock milliseconds at which the agent started. */
  readonly startedAt: number;
  readonly capacity: Readonly<Record<string, string>>;
  /** All of its containers together. */
  readonly used: (workers: readonly PodWorker[], now: number) => ContainerUsage;
}

export const usageOf = ({ usage, running }: ContainerRecord, now: number): ContainerUsage =>
  (running === undefined ? undefined : usage?.(now)) ?? { cpuSeconds: 0, memoryBytes: 0 };

export const capacityBytes = (figures: NodeFigures, resource: string): number =>
  Number(scaledValue(parseQuantity(figures.capacity[resource] ?? '0'), 0));

export const totalUsage = (records: readonly ContainerRecord[], now: number): ContainerUsage =>
  records
    .map(record => usageOf(record, now))
    .reduce(
      (sum, one) => ({ cpuSeconds: sum.cpuSeconds + one.cpuSeconds, memoryBytes: sum.memoryBytes + one.memoryBytes }),
      { cpuSeconds: 0, memoryBytes: 0 },
    );

/** What a node has used since its agent started: a counter that goes on when containers go. */
export function createNodeUsage(): NodeFigures['used'] {
  const counted = new WeakMap<ContainerRecord, number>();
  let cpuSeconds = 0;
  return (workers, now) => {
    const records = workers.flatMap(worker => worker.records);
    for (const record of records) {
      const spent = usageOf(record, now).cpuSeconds;
      const before = counted.get(record) ?? 0;
      // A container that was started again counts from nothing.
      cpuSeconds += spent < before ? spent : spent - before;
      counted.set(record, spent);
    }
    return { ...totalUsage(records, now), cpuSeconds };
  };
}

const INODES = 6_553_600;
const NANO = 1e9;

/** The kubelet's Summary API (k8s.io/kubelet/pkg/apis/stats/v1alpha1) of the node and its Pods. */
export function nodeSummary(
  figures: NodeFigures,
  workers: readonly PodWorker[],
  now: number,
  onlyCpuAndMemory: boolean,
): object {
  const time = formatTime(now);
  const disk = capacityBytes(figures, 'ephemeral-storage');
  const memory = capacityBytes(figures, 'memory');
  const disks = new Map<PodWorker, PodDisk>(onlyCpuAndMemory ? [] : workers.map(w => [w, w.diskUsage()]));
  const usedDisk = [...disks.values()].reduce((sum, pod) => sum + ephemeralBytes(pod), 0);

  const cpuStats = ({ cpuSeconds }: ContainerUsage, since: number) => {
    const seconds = Math.max(1, (now - since) / 1000);
    return {
      time,
      usageNanoCores: Math.round((cpuSeconds / seconds) * NANO),
      usageCoreNanoSeconds: Math.round(cpuSeconds * NANO),
    };
  };
  const memoryStats = ({ memoryBytes }: ContainerUsage, limit?: number) => ({
    time,
    ...(limit === undefined ? {} : { availableBytes: Math.max(0, limit - memoryBytes) }),
    usageBytes: memoryBytes,
    workingSetBytes: memoryBytes,
    rssBytes: memoryBytes,
    pageFaults: 0,
    majorPageFaults: 0,
  });
  const fsStats = (usedBytes: number) => ({
    time,
    availableBytes: Math.max(0, disk - usedDisk),
    capacityBytes: disk,
    usedBytes,
    inodesFree: INODES,
    inodes: INODES,
    inodesUsed: 0,
  });
  const limitOf = (record: ContainerRecord): number | undefined => {
    const limit = record.resources.limits?.['memory'];
    return limit === undefined ? undefined : Number(scaledValue(parseQuantity(limit), 0));
  };
  const containerStats = (record: ContainerRecord, startedAt: number, use: PodDisk | undefined) => {
    const on = use?.containers.get(record.name);
    return {
      name: record.name,
      startTime: formatTime(startedAt),
      cpu: cpuStats(usageOf(record, now), startedAt),
      memory: memoryStats(usageOf(record, now), limitOf(record)),
      ...(on === undefined ? {} : { rootfs: fsStats(on.rootfs), logs: fsStats(on.logs) }),
      swap: { time, swapUsageBytes: 0 },
    };
  };
  const podStats = (worker: PodWorker) => {
    const { pod, records } = worker;
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const since = Date.parse(pod.status?.startTime ?? '') || now;
    const use = disks.get(worker);
    const volumes = [...(use?.volumes ?? [])].map(([volume, { bytes }]) => ({ ...fsStats(bytes), name: volume }));
    return {
      podRef: { name, namespace, uid },
      startTime: formatTime(since),
      containers: records.flatMap(record =>
        record.state.kind === 'running' ? [containerStats(record, record.state.startedAt, use)] : [],
      ),
      cpu: cpuStats(totalUsage(records, now), since),
      memory: memoryStats(totalUsage(records, now)),
      ...(use === undefined
        ? {}
        : {
            ...(volumes.length === 0 ? {} : { volume: volumes }),
            'ephemeral-storage': fsStats(ephemeralBytes(use)),
            process_stats: { process_count: records.filter(r => r.running !== undefined).length },
          }),
      swap: { time, swapUsageBytes: 0 },
    };
  };

  const total = figures.used(workers, now);
  const running = workers.filter(w => w.records.some(r => r.running !== undefined));
  return {
    node: {
      nodeName: figures.nodeName,
      startTime: formatTime(figures.startedAt),
      cpu: cpuStats(total, figures.startedAt),
      memory: memoryStats(total, memory),
      ...(onlyCpuAndMemory
        ? {}
        : {
            fs: fsStats(usedDisk),
            runtime: { imageFs: fsStats(0), containerFs: fsStats(usedDisk) },
            rlimit: { time, maxpid: 4_194_304, curproc: running.length },
          }),
      swap: { time, swapAvailableBytes: 0, swapUsageBytes: 0 },
    },
    pods: running.map(podStats),
  };
}
