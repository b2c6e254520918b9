import { AllocationError, type IsTaken } from './ip-allocator.js';

const BEFORE_MADE_UP = 32768;
export const PORT_ALLOCATED = 'provided port is already allocated';

/** Both ends inclusive. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Chooses node ports of a range. Which of them are taken is not known here. */
export interface PortAllocator {
  readonly range: PortRange;
  /** @throws AllocationError when this port cannot be had */
  check(port: number, isTaken: IsTaken<number>): void;
  /** A random free port. @throws AllocationError when there is none */
  next(isTaken: IsTaken<number>): number;
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
  const findFree = (from: number, length: number, isTaken: IsTaken<number>): number | undefined => {
    if (length <= 0) return undefined;
    const start = random(length);
    for (let i = 0; i < length; i++) {
      const port = range.first + from + ((start + i) % length);
      if (!isTaken(port)) return port;
    }
    return undefined;
  };

  return {
    range,
    check(port, isTaken) {
      if (port < range.first || port > range.last) {
        const valid = `The range of valid ports is ${range.first}-${range.last}`;
        throw new AllocationError(`provided port is not in the valid range. ${valid}`);
      }
      if (isTaken(port)) throw new AllocationError(PORT_ALLOCATED);
    },
    next(isTaken) {
      const port = findFree(staticBand, size - staticBand, isTaken) ?? findFree(0, staticBand, isTaken);
      if (port === undefined) throw new AllocationError('range is full');
      return port;
    },
  };
}

/**
 * The ports that one request asks for. A dry run, like upstream, makes up the ports that it would have chosen: the ones
 * after the highest that the request names, else from 32769.
 */
export interface PortOperation {
  /** @throws AllocationError */
  allocate(port: number): void;
  /** @throws AllocationError */
  allocateNext(): number;
}

export function startPortOperation(allocator: PortAllocator, isHeld: IsTaken<number>, dryRun: boolean): PortOperation {
  const taken = new Set<number>();
  let last = BEFORE_MADE_UP;
  const isTaken = (port: number): boolean => taken.has(port) || isHeld(port);
  const take = (port: number): number => {
    last = taken.size === 0 ? port : Math.max(last, port);
    taken.add(port);
    return port;
  };
  return {
    allocate(port) {
      if (!dryRun) allocator.check(port, isTaken);
      else if (isTaken(port)) throw new AllocationError(PORT_ALLOCATED);
      take(port);
    },
    allocateNext: () => take(dryRun ? last + 1 : allocator.next(isTaken)),
  };
}
