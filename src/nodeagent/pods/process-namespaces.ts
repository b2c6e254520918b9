import { createProcessTable, idleProcess, type ProcessTable } from '../../containers/process-table.js';
import type { ContainerRecord, ReadonlyContainer, ReadonlyPod } from './types.js';

/** The node's own process namespace: what a container with hostPID sees, every other container's processes among it. */
export function createNodeProcesses(): ProcessTable {
  const table = createProcessTable();
  for (const entry of [idleProcess('/sbin/init'), idleProcess('/usr/bin/kubelet')]) table.add(entry);
  return table;
}

/** A process namespace inside another: its processes have a number in both (pid_namespaces(7)). */
export function nestedProcessTable(outer: ProcessTable): ProcessTable {
  const own = createProcessTable();
  const numbers = new Map<number, number>();
  return {
    ...own,
    add(entry) {
      const inside = own.add(entry);
      numbers.set(inside.pid, outer.add(entry).pid);
      return inside;
    },
    remove(pid) {
      own.remove(pid);
      const number = numbers.get(pid);
      if (number !== undefined) outer.remove(number);
      numbers.delete(pid);
    },
  };
}

/** Whether all containers of a Pod are in one process namespace, which none of them is the first of. */
export const sharesProcesses = ({ spec }: ReadonlyPod): boolean =>
  spec?.hostPID === true || spec?.shareProcessNamespace === true;

/** The process namespace that all containers of a Pod have in common; undefined when each has its own. */
export function podProcesses({ spec }: ReadonlyPod, node: ProcessTable): ProcessTable | undefined {
  if (spec?.hostPID === true) return node;
  if (spec?.shareProcessNamespace !== true) return undefined;
  const table = nestedProcessTable(node);
  // The sandbox's own process is the first, as with a real pause container.
  table.add(idleProcess('/pause'));
  return table;
}

/** The process namespace of one container: the Pod's, the target's of an ephemeral container, or a new one. */
export function containerProcesses(
  spec: ReadonlyContainer & { readonly targetContainerName?: string },
  shared: ProcessTable | undefined,
  records: readonly ContainerRecord[],
  node: ProcessTable,
): ProcessTable {
  if (shared !== undefined) return shared;
  const target = records.find(r => r.name === spec.targetContainerName && r.running !== undefined);
  return target?.processes ?? nestedProcessTable(node);
}
