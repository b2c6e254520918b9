import { Killed } from '../signals.js';

/** What one process, or one thing it holds, takes of its container's memory. */
export interface Account {
  readonly bytes: number;
  /** @throws Killed when the container's limit is passed: all of it is killed, as with memory.oom.group */
  add(bytes: number): void;
  remove(bytes: number): void;
  /** Gives everything back. */
  close(): void;
}

/** The memory of one container (its cgroup). */
export interface Memory {
  readonly used: number;
  /** Bytes; what the container may use at most. */
  readonly limit: () => number;
  account(): Account;
  /** Called once, when the limit is passed. */
  onExhausted: () => void;
}

export interface NodeMemory {
  /** `limit`: resources.limits.memory as it is now; undefined when there is none. */
  container(limit?: () => number | undefined): Memory;
}

/** What a container without a limit, or with a larger one, may use of the agent. */
const CONTAINER_CEILING = 128 * 1024 * 1024;
/** All containers of a node together: a simulated node has less than it says. */
const NODE_CEILING = 512 * 1024 * 1024;

interface Container extends Memory {
  used: number;
  exhausted: boolean;
}

export function createNodeMemory(nodeCeiling = NODE_CEILING, ceiling = CONTAINER_CEILING): NodeMemory {
  let total = 0;
  const using = new Set<Container>();

  const exhaust = (container: Container): void => {
    if (container.exhausted) return;
    container.exhausted = true;
    container.onExhausted();
  };
  const add = (container: Container, bytes: number): void => {
    container.used += bytes;
    total += bytes;
    if (container.used > 0) using.add(container);
    else using.delete(container);
    if (bytes <= 0) return;
    if (container.used > container.limit()) exhaust(container);
    else if (total > nodeCeiling) {
      // The node itself is out of memory: who has most is killed.
      const largest = [...using].reduce((most, next) => (next.used > most.used ? next : most), container);
      exhaust(largest);
    }
    if (container.exhausted) throw new Killed('KILL');
  };
  return {
    container(limit = () => undefined) {
      const container: Container = {
        used: 0,
        exhausted: false,
        limit: () => Math.min(limit() ?? Infinity, ceiling),
        onExhausted: () => undefined,
        account: () => accountOf(bytes => add(container, bytes)),
      };
      return container;
    },
  };
}

function accountOf(change: (bytes: number) => void): Account {
  let held = 0;
  return {
    get bytes() {
      return held;
    },
    add(bytes) {
      held += bytes;
      change(bytes);
    },
    remove(bytes) {
      held -= bytes;
      change(-bytes);
    },
    close() {
      change(-held);
      held = 0;
    },
  };
}
