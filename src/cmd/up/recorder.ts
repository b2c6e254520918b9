import type { NodeAddresses } from '../../cluster/addresses.js';
import { writeRecord } from '../clusters/record.js';
import type { Plan } from './plan.js';
import { serverUrl } from './processes.js';

/** Keeps the cluster's record true: one write at a time, and another one when something has changed meanwhile. */
export interface Recorder {
  changed(): void;
  nodes(nodes: readonly Pick<NodeAddresses, 'name' | 'bindAddress'>[]): void;
  ready(at: number): void;
  isReady(): boolean;
}

export function createRecorder(plan: Plan, startedAt: number, pids: () => ReadonlyMap<string, number>): Recorder {
  const { name, dataDir } = plan;
  let nodes: readonly Pick<NodeAddresses, 'name' | 'bindAddress'>[] = [];
  let readyAt: number | undefined;
  let writing = false;
  let again = false;

  const write = async (): Promise<void> => {
    do {
      again = false;
      await writeRecord(dataDir, {
        pid: process.pid,
        ...(name === undefined ? {} : { name }),
        url: serverUrl(plan),
        startedAt,
        ...(readyAt === undefined ? {} : { readyAt }),
        nodes: nodes.map(({ name: node, bindAddress }) => ({ name: node, bindAddress })),
        components: Object.fromEntries(pids()),
      });
    } while (again);
  };
  const changed = (): void => {
    if (writing) {
      again = true;
      return;
    }
    writing = true;
    write()
      .catch((error: Error) => process.stderr.write(`kubette up: ${error.message}\n`))
      .finally(() => (writing = false));
  };
  return {
    changed,
    nodes(now) {
      nodes = now;
      changed();
    },
    ready(at) {
      readyAt = at;
      changed();
    },
    isReady: () => readyAt !== undefined,
  };
}
