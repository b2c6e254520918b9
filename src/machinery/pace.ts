/** How much was done since the last rest: shared by all that takes part in one piece of work, which may call itself. */
export interface Pace {
  done: number;
}

/** Members and items between two rests. */
const PER_STEP = 500;

export const newPace = (): Pace => ({ done: 0 });

/** To be asked for every member and item: it is time to rest. */
export function isDue(pace: Pace): boolean {
  if (++pace.done < PER_STEP) return false;
  pace.done = 0;
  return true;
}
