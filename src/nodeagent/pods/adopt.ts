import {
  containersOf,
  containerStatuses,
  newRecord,
  type ContainerRecord,
  type ReadonlyPod,
  type Terminated,
} from './types.js';

/** What the runtime says of a container that was running when the node went away. */
const LOST = { exitCode: 255, reason: 'Unknown' };

/**
 * The records of a Pod that ran before this agent started, from its status: as after a reboot of a real node, nothing
 * runs, and what ran is started again. Undefined for a Pod that has never run.
 */
export function adoptRecords(
  pod: ReadonlyPod,
  now: number,
): { records: ContainerRecord[]; restarted: boolean } | undefined {
  const statuses = containerStatuses(pod);
  if (!statuses.some(s => s.containerID !== undefined)) return undefined;
  const bare = (uri: string | undefined): string => (uri ?? '').replace(/^\w+:\/\//, '');
  const ms = (text: string | null | undefined): number | undefined => {
    const value = Date.parse(text ?? '');
    return Number.isNaN(value) ? undefined : value;
  };
  let restarted = false;
  const records = containersOf(pod).map(({ spec, kind }) => {
    const record = newRecord(spec, kind);
    const status = statuses.find(s => s.name === spec.name);
    if (status === undefined) return record;
    record.image = status.image ?? record.image;
    record.imageID = status.imageID ?? '';
    record.restartCount = status.restartCount;
    const { terminated, running } = status.state ?? {};
    const old = terminated ?? status.lastState?.terminated;
    if (running !== undefined) {
      restarted = true;
      const startedAt = ms(running.startedAt);
      record.state = {
        kind: 'terminated',
        ...LOST,
        ...(startedAt === undefined ? {} : { startedAt }),
        finishedAt: now,
        containerID: bare(status.containerID),
      };
    } else if (old !== undefined) {
      const startedAt = ms(old.startedAt);
      const end: Terminated = {
        kind: 'terminated',
        exitCode: old.exitCode,
        reason: old.reason ?? '',
        ...(old.message === undefined ? {} : { message: old.message }),
        ...(startedAt === undefined ? {} : { startedAt }),
        finishedAt: ms(old.finishedAt) ?? now,
        containerID: bare(old.containerID),
      };
      if (terminated === undefined) record.last = end;
      else record.state = end;
    }
    return record;
  });
  // A new sandbox has empty volumes: init containers wait for their turn again, unless the Pod is not to be restarted.
  if (pod.spec?.restartPolicy !== 'Never')
    for (const record of records)
      if (record.kind === 'init' && record.state.kind === 'terminated') {
        record.last = record.state;
        record.state = { kind: 'waiting', reason: 'ContainerCreating' };
      }
  return { records, restarted };
}
