import type { Resources } from './types.js';
import { createTree, type Tree } from '../../containers/file-system.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import type { ReadonlyPod } from './types.js';

const PERIOD_US = 100_000;
const MIN_QUOTA_US = 1_000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

const milli = (quantity: string | undefined): number =>
  quantity === undefined ? 0 : Number(scaledValue(parseQuantity(quantity), -3));

/** cpu.weight of a request, by way of cgroup v1's shares (runc ConvertCPUSharesToCgroupV2Value). */
function cpuWeight({ requests, limits }: Resources): number {
  const request = milli(requests?.['cpu'] ?? limits?.['cpu']);
  const shares = Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((request * 1024) / 1000)));
  return 1 + Math.floor(((shares - MIN_SHARES) * 9999) / (MAX_SHARES - MIN_SHARES));
}

/** What the kernel shows of a cgroup that is given these resources, by file name. */
function cgroupFiles(resources: Resources): Record<string, string> {
  const cpu = milli(resources.limits?.['cpu']);
  const memory = resources.limits?.['memory'];
  const quota = cpu === 0 ? 'max' : String(Math.max(MIN_QUOTA_US, (cpu * PERIOD_US) / 1000));
  return {
    'cpu.weight': `${cpuWeight(resources)}\n`,
    'cpu.max': `${quota} ${PERIOD_US}\n`,
    'memory.max': `${memory === undefined ? 'max' : String(scaledValue(parseQuantity(memory), 0))}\n`,
    'cgroup.controllers': 'cpu memory pids\n',
  };
}

const NAMES = Object.keys(cgroupFiles({}));

/** /sys/fs/cgroup of a container; what it shows follows the resources as they are when it is read. */
export const cgroupTree = (resources: () => Resources): Tree =>
  createTree(
    Object.fromEntries(NAMES.map(name => [name, async () => Buffer.from(cgroupFiles(resources())[name] ?? '')])),
  );

/** Requests added up, and limits where every container has one (kubelet ResourceConfigForPod). */
export function podResources(containers: readonly Resources[]): Resources {
  const sum = (pick: (resources: Resources) => string | undefined, unit: 'm' | ''): string =>
    `${containers.reduce((total, c) => total + (unit === 'm' ? milli(pick(c)) : bytes(pick(c))), 0)}${unit}`;
  const limited = (name: string): boolean => containers.every(c => c.limits?.[name] !== undefined);
  return {
    requests: { cpu: sum(c => c.requests?.['cpu'], 'm') },
    limits: {
      ...(limited('cpu') ? { cpu: sum(c => c.limits?.['cpu'], 'm') } : {}),
      ...(limited('memory') ? { memory: sum(c => c.limits?.['memory'], '') } : {}),
    },
  };
}

const bytes = (quantity: string | undefined): number =>
  quantity === undefined ? 0 : Number(scaledValue(parseQuantity(quantity), 0));

/** What the container may use at most, in bytes; undefined: it has no limit. */
export function memoryLimit({ limits }: Resources): number | undefined {
  const limit = bytes(limits?.['memory']);
  return limit === 0 ? undefined : limit;
}

/** Shows the Pod's cgroup under the node's /sys/fs/cgroup, where the systemd driver puts it. Returns the remover. */
export function showPodCgroup(hostTree: Tree, pod: ReadonlyPod, resources: () => Resources): () => void {
  const slice = `kubepods-pod${(pod.metadata.uid ?? '').replace(/-/g, '_')}.slice`;
  const directory = `/sys/fs/cgroup/kubepods.slice/${slice}`;
  for (const [name, file] of cgroupTree(resources).files) hostTree.files.set(`${directory}${name}`, file);
  return () => {
    for (const name of NAMES) hostTree.files.delete(`${directory}/${name}`);
  };
}

/** The first resource of which a Pod wants more than the node has at all; undefined when it could fit. */
export function beyondCapacity(
  containers: readonly Resources[],
  capacity: Readonly<Record<string, string>>,
): { resource: string; requested: number; capacity: number } | undefined {
  for (const [resource, amount] of [
    ['cpu', milli],
    ['memory', bytes],
  ] as const) {
    const requested = containers.reduce((total, c) => total + amount(c.requests?.[resource]), 0);
    const has = amount(capacity[resource]);
    if (requested > has) return { resource, requested, capacity: has };
  }
  return undefined;
}
