import { cpuOf, memoryOf } from '../memory.js';
import type { Server } from './target.js';

export interface Metered<T> {
  readonly result: T;
  readonly tookMs: number;
  /** CPU time of the server's processes in milliseconds. */
  readonly cpuMs: number | undefined;
  /** Which part of a core this process had: near 1, it is what limited. */
  readonly driver: number;
}

/** Does the work and says what it took of the clock, of the server and of this process. */
export async function metered<T>(server: Server, work: () => Promise<T>): Promise<Metered<T>> {
  const before = serverCpu(server);
  const own = process.cpuUsage();
  const begun = performance.now();
  const result = await work();
  const tookMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(own);
  const after = serverCpu(server);
  const cpuMs = before === undefined || after === undefined ? undefined : after - before;
  return { result, tookMs, cpuMs, driver: (user + system) / 1000 / tookMs };
}

function serverCpu({ pids }: Server): number | undefined {
  return pids.length === 0 ? undefined : pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

/** Megabytes that are resident of all its processes; undefined where they are not on this machine. */
export function residentMb({ pids }: Server): number | undefined {
  return pids.length === 0 ? undefined : pids.reduce((sum, pid) => sum + memoryOf(pid).rss, 0);
}

/** The most that is resident while the work is done. */
export async function peakMb(server: Server, work: () => Promise<void>): Promise<number | undefined> {
  let peak = residentMb(server);
  const look = setInterval(() => {
    const now = residentMb(server);
    if (now !== undefined && (peak === undefined || now > peak)) peak = now;
  }, 50);
  await work().finally(() => clearInterval(look));
  return peak;
}

/** Microseconds of a clock that all processes of the machine have in common. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
