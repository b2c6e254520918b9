import { semanticEqual } from '../../machinery/json-equal.js';
import { beyondCapacity, type Resources } from './cgroup.js';
import type { ContainerRecord, ReadonlyContainer, ReadonlyPod } from './types.js';

export interface ResizeOptions {
  readonly pod: ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  readonly allocatable: Readonly<Record<string, string>>;
  readonly specOf: (record: ContainerRecord) => ReadonlyContainer | undefined;
  readonly stop: (record: ContainerRecord, spec: ReadonlyContainer, message: string) => void;
}

/**
 * Gives running containers the resources that the spec asks for since a resize; where the container's policy says so,
 * by a restart. What the node could never hold stays as it was: the answer says why.
 */
export function resizeContainers({ pod, records, allocatable, specOf, stop }: ResizeOptions): string | undefined {
  const wanted = (record: ContainerRecord): Resources => specOf(record)?.resources ?? {};
  const changed = records.filter(
    r => r.running !== undefined && !r.stopping && r.kind !== 'ephemeral' && !semanticEqual(r.resources, wanted(r)),
  );
  if (changed.length === 0) return undefined;
  const regular = (pod.spec?.containers ?? []).map(c => c.resources ?? {});
  const beyond = beyondCapacity(regular, allocatable);
  if (beyond !== undefined)
    return `Node didn't have enough capacity: ${beyond.resource}, requested: ${beyond.requested}, capacity: ${beyond.capacity}`;
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
  return undefined;
}
