/** SCALE=0.1 is for a quick look: a tenth of all objects and requests, and each row measured once. */
const SCALE = Number(process.env['SCALE'] ?? 1);

export const scaled = (count: number): number => Math.max(1, Math.round(count * SCALE));

/** Short rows are measured so often, and the median counts. */
export const RUNS = SCALE < 1 ? 1 : 3;
