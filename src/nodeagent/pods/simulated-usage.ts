import { createHash } from 'node:crypto';
import type { Clock } from '../../machinery/clock.js';
import { parseQuantity, QuantityError, scaledValue } from '../../machinery/quantity.js';
import type { DeepReadonly, Pod } from '../../machinery/types.js';
import type { ContainerUsage, Resources } from './types.js';

/**
 * What a Pod's containers are to use, e.g. "250m", or for each by name: "app=250m,sidecar=5m". May be changed while the
 * Pod runs.
 */
export const CPU_USAGE_ANNOTATION = 'kubette.dev/cpu-usage';
export const MEMORY_USAGE_ANNOTATION = 'kubette.dev/memory-usage';

/** How far usage is from what was asked for, at most. */
const VARIATION = 0.05;
/** Memory is given in pages. */
const PAGE_BYTES = 4096;
const MAX_MILLICORES = 1e9;
const MAX_BYTES = 2 ** 53;

type Which = 'cpu' | 'memory';

/** Milli-cores or bytes; undefined: it is no amount of anything. */
function amount(text: string | undefined, which: Which): number | undefined {
  if (text === undefined) return undefined;
  try {
    const value = Number(scaledValue(parseQuantity(text.trim()), which === 'cpu' ? -3 : 0));
    return value < 0 ? undefined : Math.min(value, which === 'cpu' ? MAX_MILLICORES : MAX_BYTES);
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

/** What an annotation says of a container. */
function annotated(text: string | undefined, container: string, which: Which): number | undefined {
  if (text === undefined) return undefined;
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (equals < 0 || part.slice(0, equals).trim() === container) {
      const found = amount(part.slice(equals + 1), which);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** In [-1, 1]: always the same for the same container of the same Pod. */
function variationOf({ metadata }: DeepReadonly<Pod>, container: string, which: Which): number {
  const digest = createHash('sha256')
    .update(`${metadata.uid ?? ''}/${container}/${which}`)
    .digest();
  return (digest.readUInt32BE(0) / 0xffff_ffff) * 2 - 1;
}

export interface UsageOptions {
  readonly pod: () => DeepReadonly<Pod>;
  readonly container: string;
  readonly resources: () => Resources;
  /** What the container's programs really take. */
  readonly spent: () => ContainerUsage;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/**
 * What a container uses, as its node tells it. Simulated programs take next to nothing; what they stand for is taken to use
 * what was requested for it, a little more or less, and never more than its limit. An annotation says otherwise.
 */
export function createUsage({ pod, container, resources, spent, clock }: UsageOptions): () => ContainerUsage {
  let counted = clock.monotonic();
  let milliseconds = 0;
  const rate = (which: Which, annotation: string): number => {
    const said = annotated(pod().metadata.annotations?.[annotation], container, which);
    const requested = amount(resources().requests?.[which], which) ?? 0;
    const varied = requested * (1 + VARIATION * variationOf(pod(), container, which));
    return Math.min(said ?? varied, amount(resources().limits?.[which], which) ?? Infinity);
  };
  return () => {
    const now = clock.monotonic();
    milliseconds += ((now - counted) * rate('cpu', CPU_USAGE_ANNOTATION)) / 1000;
    counted = now;
    const { cpuSeconds, memoryBytes } = spent();
    return {
      cpuSeconds: cpuSeconds + milliseconds / 1000,
      memoryBytes: Math.ceil((memoryBytes + rate('memory', MEMORY_USAGE_ANNOTATION)) / PAGE_BYTES) * PAGE_BYTES,
    };
  };
}
