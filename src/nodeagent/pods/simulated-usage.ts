import { createHash } from 'node:crypto';
import type { Clock } from '../../machinery/clock.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import type { Behaviour } from '../../containers/behaviour/settings.js';
import type { ContainerUsage, Resources } from './types.js';

/** How far usage is from what was asked for, at most. */
const VARIATION = 0.05;
/** Memory is given in pages. */
const PAGE_BYTES = 4096;
const MAX_MILLICORES = 1e9;
const MAX_BYTES = 2 ** 53;

type Which = 'cpu' | 'memory';

/** Milli-cores or bytes; undefined: nothing is said. */
function quantity(text: string | undefined, which: Which): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(scaledValue(parseQuantity(text), which === 'cpu' ? -3 : 0));
  return Math.min(value, which === 'cpu' ? MAX_MILLICORES : MAX_BYTES);
}

/** What a container is told to use, in milli-cores or bytes; undefined: nothing is told. */
export function toldUsage(told: Behaviour, resources: Resources, which: Which): number | undefined {
  const said = told[which];
  if (said === undefined) return undefined;
  if ('amount' in said) return Math.min(said.amount, which === 'cpu' ? MAX_MILLICORES : MAX_BYTES);
  return said.ofRequest * (quantity(resources.requests?.[which], which) ?? 0);
}

/** In [-1, 1]: always the same for the same container of the same Pod. */
function variationOf(uid: string, container: string, which: Which): number {
  const digest = createHash('sha256').update(`${uid}/${container}/${which}`).digest();
  return (digest.readUInt32BE(0) / 0xffff_ffff) * 2 - 1;
}

export interface UsageOptions {
  /** What it is told to use; may change while it runs. */
  readonly told: () => Behaviour;
  /** Of its Pod. */
  readonly uid: string;
  readonly container: string;
  readonly resources: () => Resources;
  /** What the container's programs really take. */
  readonly spent: () => ContainerUsage;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What a container uses, as its node tells it. Simulated programs take next to nothing; what they stand for is taken to use
 * what was requested for it, a little more or less, and never more than its limit. Where it is told what to use, that is all:
 * an autoscaler rounds a thousandth of a core up to a Pod.
 * @returns what it has used until `now`, which is told with it: so a rate is what it is meant to be
 */
export function createUsage(options: UsageOptions): (now: number) => ContainerUsage {
  const { told, uid, container, resources, spent, clock } = options;
  let counted = clock.now();
  let [cpuSeconds, took] = [0, 0];
  const rate = (which: Which): { readonly amount: number; readonly isTold: boolean } => {
    const { requests, limits } = resources();
    const requested = quantity(requests?.[which], which) ?? 0;
    const varied = requested * (1 + VARIATION * variationOf(uid, container, which));
    const limit = quantity(limits?.[which], which) ?? Infinity;
    const said = toldUsage(told(), resources(), which);
    return { amount: Math.min(said ?? varied, limit), isTold: said !== undefined };
  };
  return now => {
    const really = spent();
    const [cpu, memory] = [rate('cpu'), rate('memory')];
    cpuSeconds += (Math.max(0, now - counted) * cpu.amount) / 1e6;
    if (!cpu.isTold) cpuSeconds += really.cpuSeconds - took;
    took = really.cpuSeconds;
    counted = now;
    const memoryBytes = memory.amount + (memory.isTold ? 0 : really.memoryBytes);
    return { cpuSeconds, memoryBytes: Math.ceil(memoryBytes / PAGE_BYTES) * PAGE_BYTES };
  };
}
