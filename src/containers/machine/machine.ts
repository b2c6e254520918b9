import type { Clock } from '../../machinery/clock.js';
import { createNodeMemory, type Memory } from './memory.js';
import { createProcessor, type Cpu } from './processor.js';

/** What the processes of one container may use together. Passing it ends or slows them and nobody else. */
export interface Budget {
  readonly cpu: Cpu;
  readonly memory: Memory;
  /** pids.current and pids.max: fork fails beyond. */
  readonly processes: { count: number; readonly max: number };
}

/** The simulated hardware under the containers of one node. */
export interface Machine {
  budget(options?: { readonly memoryLimit?: () => number | undefined }): Budget;
}

const MAX_PROCESSES = 1024;

export function createMachine(clock: Pick<Clock, 'monotonic'>): Machine {
  const processor = createProcessor(clock);
  const memory = createNodeMemory();
  return {
    budget: ({ memoryLimit } = {}) => ({
      cpu: processor.share(),
      memory: memory.container(memoryLimit),
      processes: { count: 0, max: MAX_PROCESSES },
    }),
  };
}
