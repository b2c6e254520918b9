import { semanticEqual } from '../../machinery/json-equal.js';
import type { Rejection } from './admission/admit.js';
import { beyondCapacity } from './cgroup.js';
import type { Resources } from './types.js';
import type { PodEvents } from './pod-events.js';
import type { ContainerRecord, ReadonlyContainer, ReadonlyPod } from './types.js';

/** A resize that cannot be done: never on this node, or not as long as others need the room. */
export interface PendingResize {
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

export interface ResizeOptions {
  readonly pod: ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  readonly allocatable: Readonly<Record<string, string>>;
  /** Why the node has no room for the Pod as it now is. */
  readonly refit: () => Rejection | undefined;
  /** What stood in the way when last looked. */
  readonly before: PendingResize | undefined;
  readonly specOf: (record: ContainerRecord) => ReadonlyContainer | undefined;
  readonly stop: (record: ContainerRecord, spec: ReadonlyContainer, message: string) => void;
  readonly events: PodEvents;
}

function obstacle(pod: ReadonlyPod, { allocatable, refit }: ResizeOptions): PendingResize | undefined {
  const regular = (pod.spec?.containers ?? []).map(c => c.resources ?? {});
  const beyond = beyondCapacity(regular, allocatable);
  if (beyond !== undefined) {
    const { resource, requested, capacity } = beyond;
    const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: 'Infeasible', message };
  }
  const rejection = refit();
  return rejection === undefined ? undefined : { reason: 'Deferred', message: rejection.message };
}

/** What the Events of a resize say behind their first words (kubelet events.podResizeMessage). */
function summary({ spec, metadata }: ReadonlyPod, error?: string): string {
  const list = (containers: readonly ReadonlyContainer[] | undefined) =>
    containers?.map(({ name, resources = {} }) => ({ name, resources }));
  return JSON.stringify({
    initContainers: list(spec?.initContainers),
    containers: list(spec?.containers),
    generation: metadata.generation,
    error,
  });
}

/**
 * Gives running containers the resources that the spec asks for since a resize; where the container's policy says so,
 * by a restart. When the node has no room for that, all stays as it was: the answer says why.
 */
export function resizeContainers(options: ResizeOptions): PendingResize | undefined {
  const { pod, records, before, specOf, stop, events } = options;
  const wanted = (record: ContainerRecord): Resources => specOf(record)?.resources ?? {};
  const changed = records.filter(
    r => r.running !== undefined && !r.stopping && r.kind !== 'ephemeral' && !semanticEqual(r.resources, wanted(r)),
  );
  if (changed.length === 0) return undefined;
  const pending = obstacle(pod, options);
  if (pending !== undefined) {
    if (!semanticEqual(pending, before))
      events.warning(`Resize${pending.reason}`, `Pod resize ${pending.reason}: ${summary(pod, pending.message)}`);
    return pending;
  }
  events.normal('ResizeStarted', `Pod resize started: ${summary(pod)}`);
  for (const record of changed) {
    const spec = specOf(record);
    const next = wanted(record);
    const restarts = (spec?.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === 'RestartContainer' &&
        !semanticEqual(
          [record.resources.requests?.[resourceName], record.resources.limits?.[resourceName]],
          [next.requests?.[resourceName], next.limits?.[resourceName]],
        ),
    );
    if (spec === undefined || !restarts) record.resources = next;
    else stop(record, spec, `Container ${record.name} resize requires restart`);
  }
  if (changed.every(r => semanticEqual(r.resources, wanted(r))))
    events.normal('ResizeCompleted', `Pod resize completed: ${summary(pod)}`);
  return undefined;
}
