import { AllocationError } from './ip.js';

const BEFORE_MADE_UP = 32768;
export const PORT_ALLOCATED = 'provided port is already allocated';

/** Both ends inclusive. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Hands out node ports of a range, never one twice. */
export interface PortAllocator {
  readonly range: PortRange;
  has(port: number): boolean;
  /** @throws AllocationError */
  allocate(port: number): void;
  /** @throws AllocationError when the range is full */
  allocateNext(): number;
  release(port: number): void;
}

/** "30000-32767", "30000+100" or a single port, as --service-node-port-range takes it; undefined when malformed. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d+)(?:([-+])(\d+))?$/.exec(text.trim());
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : match[2] === '-' ? Number(match[3]) : first + Number(match[3]);
  return last < first || last > 65535 ? undefined : { first, last };
}

export function createPortAllocator(range: PortRange, random: (n: number) => number): PortAllocator {
  const size = range.last - range.first + 1;
  // Upstream's portallocator: min(max(16, size/32), 128), nothing for small ranges.
  const staticBand = size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128);
  const taken = new Set<number>();

  const findFree = (from: number, length: number): number | undefined => {
    if (length <= 0) return undefined;
    const start = random(length);
    for (let i = 0; i < length; i++) {
      const port = range.first + from + ((start + i) % length);
      if (!taken.has(port)) return port;
    }
    return undefined;
  };

  return {
    range,
    has: port => taken.has(port),
    allocate(port) {
      if (port < range.first || port > range.last) {
        const valid = `The range of valid ports is ${range.first}-${range.last}`;
        throw new AllocationError(`provided port is not in the valid range. ${valid}`);
      }
      if (taken.has(port)) throw new AllocationError(PORT_ALLOCATED);
      taken.add(port);
    },
    allocateNext() {
      const port = findFree(staticBand, size - staticBand) ?? findFree(0, staticBand);
      if (port === undefined) throw new AllocationError('range is full');
      taken.add(port);
      return port;
    },
    release(port) {
      taken.delete(port);
    },
  };
}

/**
 * Port changes of one request: what it takes is given back on rollback, what it frees is freed on commit only. A dry
 * run takes nothing and, like upstream, makes up the ports that it would have chosen: the ones after the highest that
 * the request names, else from 32769.
 */
export interface PortOperation {
  allocate(port: number): void;
  allocateNext(): number;
  releaseLater(port: number): void;
  commit(): void;
  rollback(): void;
}

export function startPortOperation(allocator: PortAllocator, dryRun: boolean): PortOperation {
  const taken = new Set<number>();
  let last = BEFORE_MADE_UP;
  const released = new Set<number>();
  const take = (port: number): void => {
    last = taken.size === 0 ? port : Math.max(last, port);
    taken.add(port);
  };
  return {
    allocate(port) {
      if (!dryRun) allocator.allocate(port);
      else if (allocator.has(port) || taken.has(port)) throw new AllocationError(PORT_ALLOCATED);
      take(port);
    },
    allocateNext() {
      const port = dryRun ? last + 1 : allocator.allocateNext();
      take(port);
      return port;
    },
    releaseLater(port) {
      released.add(port);
    },
    commit() {
      if (!dryRun) for (const port of released) allocator.release(port);
    },
    rollback() {
      if (!dryRun) for (const port of taken) allocator.release(port);
    },
  };
}
