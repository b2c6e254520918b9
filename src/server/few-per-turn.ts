/**
 * Does little pieces of work in the order they come, a few in each turn of the event loop: thousands that come at once do
 * not keep everybody else waiting.
 */
export function fewPerTurn(atOnce: number): (work: () => void) => void {
  let waiting: (() => void)[] = [];
  /** Of `waiting`, what has been begun. */
  let begun = 0;
  let left = atOnce;
  let scheduled = false;
  const turn = (): void => {
    scheduled = false;
    left = atOnce;
    for (; begun < waiting.length && left > 0; left--) {
      const work = waiting[begun++];
      schedule();
      work?.();
    }
    if (begun < waiting.length) return;
    waiting = [];
    begun = 0;
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  return work => {
    schedule();
    if (left > 0 && waiting.length === 0) {
      left--;
      work();
    } else waiting.push(work);
  };
}
