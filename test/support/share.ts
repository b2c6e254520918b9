/** Whether all is to be tried that there is, however long it takes: THOROUGH=1, as CI does. */
export const THOROUGH = process.env['THOROUGH'] === '1';

/** One of so many is tried while somebody waits. */
const PARTS = 4;
const DAY_MS = 86_400_000;

/**
 * What a run tries of a long list of which each takes its time: a share of it, each day another, or all where it has to be
 * thorough. DAY=n repeats the share of another day.
 */
export function shareOf<T>(
  items: Iterable<T>,
  day = Number(process.env['DAY'] ?? Math.floor(Date.now() / DAY_MS)),
): T[] {
  const all = [...items];
  return THOROUGH ? all : all.filter((_, i) => (i + day) % PARTS === 0);
}
