/**
 * Does little pieces of work in the order they come, a few in each turn of the event loop: thousands that come at once do
 * not keep everybody else waiting. They are counted and not timed, as `machinery/line` times them: a request takes its time
 * in what it awaits, after it has been begun.
 */
export function fewPerTurn(atOnce: number): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  let left = atOnce;
  let scheduled = false;
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  const turn = (): void => {
    scheduled = false;
    for (left = atOnce; left > 0 && waiting.length > 0; left--) {
      // Before the work, which may fail: others still wait.
      schedule();
      waiting.shift()?.();
    }
  };
  return work => {
    schedule();
    if (left > 0 && waiting.length === 0) {
      left--;
      work();
    } else waiting.push(work);
  };
}
