import type { Started } from '../container-starter.js';
import { sharesProcesses } from '../process-namespaces.js';
import type { ContainerRecord } from '../types.js';
import type { RunnerContext } from './runner-context.js';

/** Writes into the record how a container ends. The signal aborts when it has. */
export function followContainer(context: RunnerContext, record: ContainerRecord, started: Started): AbortSignal {
  const { deps, kick } = context;
  const { running } = started;
  const life = new AbortController();
  void running.exited
    .then(async code => {
      life.abort();
      const message = await started.terminationMessage(code);
      endGuests(context, record);
      record.running = undefined;
      record.started = false;
      record.ready = false;
      record.state = {
        kind: 'terminated',
        exitCode: code,
        reason: running.outOfMemory() ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error',
        ...(message === undefined ? {} : { message }),
        startedAt: running.startedAt,
        finishedAt: deps.clock.now(),
        containerID: running.id,
      };
      kick();
    })
    .catch((error: unknown) => deps.log.error({ err: error, container: record.name }, 'container bookkeeping failed'));
  return life.signal;
}

/** With the first process of a process namespace every other one in it ends: those of debug containers. */
function endGuests({ pod, records }: RunnerContext, host: ContainerRecord): void {
  for (const guest of records) {
    const spec = pod().spec?.ephemeralContainers?.find(c => c.name === guest.name);
    const inside = spec?.targetContainerName === host.name && guest.processes === host.processes;
    if (inside && !sharesProcesses(pod())) guest.running?.kill('KILL');
  }
}
