import type { DeepReadonly, Lease, Node, Taint } from '../../machinery/types.js';

type ReadonlyNode = DeepReadonly<Node>;
type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

const condition = (node: ReadonlyNode, type: string): DeepReadonly<NodeCondition> | undefined =>
  node.status?.conditions?.find(c => c.type === type);

/** What shows that a node lives: a text that changes with every heartbeat. */
export const heartbeat = (node: ReadonlyNode, lease: DeepReadonly<Lease> | undefined): string =>
  `${condition(node, 'Ready')?.lastHeartbeatTime ?? ''}/${String(lease?.spec?.renewTime ?? '')}`;

const MONITORED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

/** The conditions of a node that fell silent; undefined when they say so already. */
export function silentConditions(node: ReadonlyNode, now: string): NodeCondition[] | undefined {
  const old = (node.status?.conditions ?? []) as NodeCondition[];
  let changed = false;
  const next = [...old];
  for (const type of MONITORED) {
    const at = next.findIndex(c => c.type === type);
    const current = next[at];
    if (current === undefined) {
      changed = true;
      next.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      } as unknown as NodeCondition);
    } else if (current.status !== 'Unknown') {
      changed = true;
      next[at] = {
        ...current,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
    }
  }
  return changed ? next : undefined;
}

/** Condition type → status → the NoSchedule taint it means (node_lifecycle_controller.go). */
const CONDITION_TAINTS: Record<string, Record<string, string>> = {
  Ready: { False: 'node.kubernetes.io/not-ready', Unknown: 'node.kubernetes.io/unreachable' },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
};
const MANAGED = new Set([
  ...Object.values(CONDITION_TAINTS).flatMap(byStatus => Object.values(byStatus)),
  'node.kubernetes.io/unschedulable',
]);
const EVICTING = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);

/** The taints a node's conditions ask for, others kept; undefined when nothing changes. */
export function wantedTaints(node: ReadonlyNode, now: string): Taint[] | undefined {
  const old = (node.spec?.taints ?? []) as Taint[];
  const wanted: Taint[] = [];
  for (const c of node.status?.conditions ?? []) {
    const key = CONDITION_TAINTS[c.type]?.[c.status];
    if (key === undefined) continue;
    wanted.push({ key, effect: 'NoSchedule' });
  }
  if (node.spec?.unschedulable === true) wanted.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' });
  // Those that evict are put on after those that keep away.
  for (const { key } of [...wanted]) if (EVICTING.has(key)) wanted.push({ key, effect: 'NoExecute' });
  // A node that never reported keeps the not-ready taint that admission gave it.
  if (condition(node, 'Ready') === undefined) {
    const initial = old.find(t => t.key === 'node.kubernetes.io/not-ready' && t.effect === 'NoSchedule');
    if (initial !== undefined) wanted.push(initial);
  }
  const same = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const kept = old.filter(
    t => !MANAGED.has(t.key) || (t.effect !== 'NoSchedule' && t.effect !== 'NoExecute') || wanted.some(w => same(w, t)),
  );
  const added = wanted.filter(w => !kept.some(t => same(t, w))).map(w => ({ ...w, timeAdded: now }));
  return added.length === 0 && kept.length === old.length ? undefined : [...kept, ...added];
}
