/** Whether all is to be tried that there is, however long it takes: THOROUGH=1, as CI does. */
export const THOROUGH = process.env['THOROUGH'] === '1';

/** One of so many is tried while somebody waits. */
const PARTS = 4;
const DAY_MS = 86_400_000;

/** DAY=n is another day than today. */
const today = (): number => Number(process.env['DAY'] ?? Math.floor(Date.now() / DAY_MS));

/** Whether it is the turn of what has this number: each day that of one in so many, or that of all where a run has to be thorough. */
export const hasItsTurn = (number: number, parts = PARTS, day = today()): boolean =>
  THOROUGH || (number + day) % parts === 0;

/** What a run tries of a long list of which each takes its time: a share of it, each day another. */
export const shareOf = <T>(items: Iterable<T>): T[] => [...items].filter((_, i) => hasItsTurn(i));
