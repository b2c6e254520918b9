import type { NodeSample, Point } from './samples.js';

/** What something used, over a time that has just passed. */
export interface Usage {
  readonly atMs: number;
  readonly windowMs: number;
  readonly nanoCores: number;
  readonly memoryBytes: number;
}

export interface UsageStore {
  /** One round of asking: nodes that did not answer are not in it, and are forgotten. */
  take(samples: ReadonlyMap<string, NodeSample>): void;
  node(name: string): Usage | undefined;
  /** Of all containers; undefined: one of them is not known yet. */
  pod(key: string): ReadonlyMap<string, Usage> | undefined;
  readonly hasNodes: boolean;
}

/** One that runs this long at most may be judged from its start on: there is only one sample of it. */
const FRESH_WINDOWS = 2;

/** undefined: two moments are needed, and the counter has to have gone on between them. */
function usage(last: Point, previous: Point | undefined): Usage | undefined {
  if (previous === undefined) return undefined;
  const windowMs = last.atMs - previous.atMs;
  const spent = last.cpuSeconds - previous.cpuSeconds;
  if (windowMs <= 0 || spent < 0) return undefined;
  return {
    atMs: last.atMs,
    windowMs,
    nanoCores: Math.round((spent / windowMs) * 1e12),
    memoryBytes: last.memoryBytes,
  };
}

/** Where counting began, for a container that has only just been started. */
function beginning({ atMs, startedMs }: Point, resolutionMs: number): Point | undefined {
  if (startedMs === undefined || atMs - startedMs >= FRESH_WINDOWS * resolutionMs || startedMs >= atMs)
    return undefined;
  return { atMs: startedMs, startedMs, cpuSeconds: 0, memoryBytes: 0 };
}

/** Rates from the last two samples of each (metrics-server pkg/storage). */
export function createUsageStore(resolutionMs: number): UsageStore {
  let nodePoints = new Map<string, Point>();
  let podPoints = new Map<string, ReadonlyMap<string, Point>>();
  let nodes = new Map<string, Usage>();
  let pods = new Map<string, ReadonlyMap<string, Usage>>();

  const podUsage = (
    points: ReadonlyMap<string, Point>,
    before: ReadonlyMap<string, Point> | undefined,
  ): Map<string, Usage> | undefined => {
    const found = new Map<string, Usage>();
    for (const [container, last] of points) {
      const known = before?.get(container);
      // Another start is another counter.
      const previous = known?.startedMs === last.startedMs ? known : undefined;
      const one = usage(last, previous ?? beginning(last, resolutionMs));
      if (one === undefined) return undefined;
      found.set(container, one);
    }
    return found.size === 0 ? undefined : found;
  };

  return {
    take(samples) {
      const nextNodes = new Map<string, Point>();
      const nextPods = new Map<string, ReadonlyMap<string, Point>>();
      const nodeUsage = new Map<string, Usage>();
      const usages = new Map<string, ReadonlyMap<string, Usage>>();
      for (const [name, sample] of samples) {
        if (sample.node !== undefined) {
          nextNodes.set(name, sample.node);
          const one = usage(sample.node, nodePoints.get(name));
          if (one !== undefined) nodeUsage.set(name, one);
        }
        for (const [key, points] of sample.pods) {
          nextPods.set(key, points);
          const found = podUsage(points, podPoints.get(key));
          if (found !== undefined) usages.set(key, found);
        }
      }
      [nodePoints, podPoints, nodes, pods] = [nextNodes, nextPods, nodeUsage, usages];
    },
    node: name => nodes.get(name),
    pod: key => pods.get(key),
    get hasNodes() {
      return nodes.size > 0;
    },
  };
}
