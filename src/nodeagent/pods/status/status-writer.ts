import type { ResourceClient } from '../../../client/types.js';
import type { Clock } from '../../../machinery/clock.js';
import { isStatusError } from '../../../machinery/status.js';
import type { JsonObject, Pod, PodStatus } from '../../../machinery/types.js';
import { semanticEqual } from '../../../machinery/json-equal.js';
import type { ReadonlyPod } from '../types.js';

/** Top-level status fields the agent owns; others are left to their writers. */
const OWNED = [
  'observedGeneration',
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
] as const;

/** Never cleared once set, also when the agent does not say them. */
const STICKY = new Set<string>(['podIP', 'podIPs', 'startTime']);

/**
 * The strategic merge patch that turns `old` into `next`: only what differs, conditions merged by type so that other
 * writers' conditions stay. Undefined when nothing differs.
 */
export function statusPatch(old: ReadonlyPod['status'], next: PodStatus, uid: string): JsonObject | undefined {
  const before = (old ?? {}) as Readonly<Record<string, unknown>>;
  const after = next as unknown as Readonly<Record<string, unknown>>;
  const status: JsonObject = {};
  for (const field of OWNED) {
    if (semanticEqual(before[field], after[field])) continue;
    if (after[field] !== undefined) status[field] = after[field];
    else if (!STICKY.has(field)) status[field] = null;
  }
  // Without a patch strategy podIPs merge by ip: replace says that it is the whole list.
  if (status['podIPs'] !== undefined && before['podIPs'] !== undefined)
    status['podIPs'] = [{ $patch: 'replace' }, ...(after['podIPs'] as unknown[])];
  const old_ = new Map((old?.conditions ?? []).map(c => [c.type, c]));
  const conditions = (next.conditions ?? []).flatMap(condition => {
    const known = old_.get(condition.type) as Readonly<Record<string, unknown>> | undefined;
    const wanted = condition as unknown as Readonly<Record<string, unknown>>;
    if (known !== undefined && semanticEqual(withoutNull(known), withoutNull(wanted))) return [];
    const cleared = ['reason', 'message'].filter(f => known?.[f] !== undefined && wanted[f] === undefined);
    return [{ ...wanted, ...Object.fromEntries(cleared.map(f => [f, null])) }];
  });
  // The agent's own that no longer holds; others' conditions are theirs to remove.
  if (old_.has('PodResizePending') && !(next.conditions ?? []).some(c => c.type === 'PodResizePending'))
    conditions.push({ type: 'PodResizePending', $patch: 'delete' });
  if (conditions.length > 0) {
    status['$setElementOrder/conditions'] = (next.conditions ?? []).map(({ type }) => ({ type }));
    status['conditions'] = conditions;
  }
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid }, status };
}

const withoutNull = (value: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null && v !== undefined));

export interface StatusWriter {
  /** Writes the status soon; a later one replaces an earlier one that has not been sent. */
  write(status: PodStatus): void;
  /** Resolves when everything written so far has arrived, or the Pod is gone. */
  flush(): Promise<void>;
}

export interface StatusWriterOptions {
  readonly pods: ResourceClient<Pod>;
  /** The Pod as the informer knows it last. */
  readonly latest: () => ReadonlyPod;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onError: (error: Error) => void;
}

const RETRY_MS = 1_000;

export function createStatusWriter({ pods, latest, clock, signal, onError }: StatusWriterOptions): StatusWriter {
  let wanted: PodStatus | undefined;
  /** The status as the server answered our last write: the informer may lag behind it. */
  let acknowledged: ReadonlyPod | undefined;
  /** The latest run over what is wanted. */
  let run: Promise<void> | undefined;
  /** Over in the same turn as the loop: what is written a moment later starts another run. */
  let running = false;

  const base = (): ReadonlyPod => {
    const known = latest();
    if (acknowledged === undefined) return known;
    const newer = Number(known.metadata.resourceVersion) >= Number(acknowledged.metadata.resourceVersion);
    return newer ? known : acknowledged;
  };
  /** Sends one status. False: the Pod is gone, or another one has its name, and there is nothing to report any more. */
  const send = async (status: PodStatus): Promise<boolean> => {
    const pod = base();
    const { uid = '', namespace = '', name = '' } = pod.metadata;
    const patch = statusPatch(pod.status, status, uid);
    if (patch === undefined) return true;
    try {
      acknowledged = await pods.patch({ namespace, name }, patch, { type: 'strategic', subresource: 'status' });
    } catch (error) {
      if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return false;
      onError(error as Error);
      wanted ??= status;
      await clock.sleep(RETRY_MS, signal, { work: true }).catch(() => undefined);
    }
    return true;
  };
  const drain = async (): Promise<void> => {
    try {
      while (wanted !== undefined && !signal.aborted) {
        const status = wanted;
        wanted = undefined;
        if (!(await send(status))) return;
      }
    } finally {
      running = false;
    }
  };
  return {
    write(status) {
      wanted = status;
      if (running) return;
      running = true;
      run = drain();
    },
    flush: () => run ?? Promise.resolve(),
  };
}
