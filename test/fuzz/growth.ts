import { performance } from 'node:perf_hooks';
import type { Shape } from './shapes.js';

/** Something that takes a text from outside: a field of a body, a header, a query value. Answers when it is done. */
export interface Row {
  readonly name: string;
  /** Fewer shapes than all of them. */
  readonly shapes?: readonly Shape[];
  /** It runs in a thread of its own in the server: how long it holds the event loop says nothing. */
  readonly offLoop?: boolean;
  /** Sizes other than SIZES, the smallest first. */
  readonly sizes?: readonly number[];
  /**
   * Makes what is sent, which is not measured, and gives what sends it. Whatever that throws or rejects with is an
   * answer too, unless it says so by a FuzzFault.
   */
  prepare(text: string): () => unknown;
}

/** What sending throws when the answer itself is wrong: a 500, a stack that overflowed. */
export class FuzzFault extends Error {
  override readonly name = 'FuzzFault';
}

export interface Finding {
  readonly row: string;
  readonly shape: string;
  /** "grows": more than linear. "blocks": linear, but the event loop was held too long. "fault": a wrong answer. */
  readonly kind: 'grows' | 'blocks' | 'fault';
  readonly text: string;
}

export const SIZES: readonly number[] = [1_000, 10_000, 100_000];

export interface Bounds {
  /** Below this nothing is said of growth: noise. */
  readonly noiseMs: number;
  /** A size takes at most this many times the proportion of the size before: 1 is linear, 10 is quadratic at ten times the size. */
  readonly excess: number;
  /** The longest hold of the event loop; undefined: not looked at. */
  readonly blockMs?: number;
}

/** Milliseconds from sending to the answer, and the longest turn of the event loop on the way. */
async function timed(row: Row, text: string): Promise<{ ms: number; blockMs: number }> {
  const send = row.prepare(text);
  let blockMs = 0;
  let last = performance.now();
  let done = false;
  const start = last;
  const cpu = process.cpuUsage();
  const tick = (): void => {
    const now = performance.now();
    blockMs = Math.max(blockMs, now - last);
    last = now;
    if (!done) setImmediate(tick);
  };
  setImmediate(tick);
  try {
    await send();
  } catch (error) {
    if (error instanceof FuzzFault) throw error;
  } finally {
    done = true;
  }
  const now = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  // A machine that is busy with something else makes the clock run, not the processor's count.
  const ms = Math.min(now - start, (user + system) / 1000);
  return { ms, blockMs: Math.min(ms, Math.max(blockMs, now - last)) };
}

/** The best of a few: what the machine was busy with besides is not this row's. */
async function best(row: Row, text: string, first: { ms: number; blockMs: number }): Promise<typeof first> {
  let result = first;
  for (let i = 0; i < 2 && result.ms < 2_000; i++) {
    const next = await timed(row, text);
    result = { ms: Math.min(result.ms, next.ms), blockMs: Math.min(result.blockMs, next.blockMs) };
  }
  return result;
}

/** Sends growing texts of one shape; stops at the first size that says enough. */
export async function probe(row: Row, shape: Shape, bounds: Bounds): Promise<Finding | undefined> {
  let before: { size: number; ms: number } | undefined;
  const at = { row: row.name, shape: shape.name };
  for (const size of row.sizes ?? SIZES) {
    const text = shape.make(size);
    try {
      let result = await timed(row, text);
      if (result.ms > bounds.noiseMs || result.blockMs > (bounds.blockMs ?? Infinity))
        result = await best(row, text, result);
      const { ms, blockMs } = result;
      if (before !== undefined && ms > bounds.noiseMs) {
        const linear = (Math.max(before.ms, bounds.noiseMs / 10) * size) / before.size;
        if (ms > linear * bounds.excess)
          return {
            ...at,
            kind: 'grows',
            text: `${before.size}: ${before.ms.toFixed(1)} ms, ${size}: ${ms.toFixed(1)} ms`,
          };
      }
      if (bounds.blockMs !== undefined && row.offLoop !== true && blockMs > bounds.blockMs)
        return { ...at, kind: 'blocks', text: `${size}: the event loop was held for ${blockMs.toFixed(1)} ms` };
      before = { size, ms };
    } catch (error) {
      if (!(error instanceof FuzzFault)) throw error;
      return { ...at, kind: 'fault', text: `${size}: ${error.message}` };
    }
  }
  return undefined;
}
